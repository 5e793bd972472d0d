// A host whose clock is not the store's: what cannot be taken back is left to others.
import { beforeEach, describe, expect, it } from 'vitest';
import { ClockGuard, MAX_CLOCK_DIFFERENCE_MS } from '../../shared/operations/clock-guard.ts';
import { isDue, type ListedAgendaItem } from '../../shared/operations/agenda.ts';
import { loadCompany } from '../../shared/operations/control-state.ts';
import { deleteDataKey } from '../../shared/operations/data-keys/delete.ts';
import { restoreDataKey } from '../../shared/operations/data-keys/restore.ts';
import { deleteCompany } from '../../shared/operations/delete-company.ts';
import { StoreUnavailable } from '../../shared/operations/ports.ts';
import { sweepPurges } from '../../shared/operations/sweep-purges.ts';
import { COMPANY, DAY_MS, PLACE, plaintextsOf, RESTORE_DAYS, valueOf, World } from './data-keys/world.ts';
import { RemovalWorld } from './removal-world.ts';
import { ADMIN } from '../fakes/actors.ts';
import { FakeClock, FakeLog } from '../fakes/fake-system.ts';

const AHEAD_MS = 2 * RESTORE_DAYS * DAY_MS;
const KEY = { ...PLACE, keyId: 'a' };

describe('a clock', () => {
  const clock = new FakeClock();
  const log = new FakeLog();
  const asked = (aheadMs: number | undefined) => () =>
    new ClockGuard({ storeClock: { aheadMs: () => aheadMs }, clock, log }).assertAgrees();

  it.each([0, MAX_CLOCK_DIFFERENCE_MS, -MAX_CLOCK_DIFFERENCE_MS])('that differs by %i ms is taken', (aheadMs) => {
    expect(asked(aheadMs)).not.toThrow();
  });

  it.each([MAX_CLOCK_DIFFERENCE_MS + 1, -MAX_CLOCK_DIFFERENCE_MS - 1, undefined, Number.NaN])(
    'that differs by %s ms is not',
    (aheadMs) => {
      expect(asked(aheadMs)).toThrow(StoreUnavailable);
    },
  );

  it('is complained of once a minute, with the difference', () => {
    const said = new FakeLog();
    const guard = new ClockGuard({ storeClock: { aheadMs: () => 86_400_400 }, clock, log: said });
    for (const ms of [0, 59_999, 1]) {
      clock.advance(ms);
      expect(() => guard.assertAgrees()).toThrow();
    }
    const entry = { level: 'error', event: 'clock.differs-from-store', detail: { storeIsAheadBySeconds: 86_400 } };
    expect(said.entries).toEqual([entry, entry]);
  });
});

describe('a host whose clock is weeks ahead', () => {
  let world: World;
  let made: Map<string, string>;
  let ahead: World['host'];
  beforeEach(async () => {
    world = await World.withCompany({ shardCount: 1 });
    made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    ahead = world.newHost({ isAheadMs: AHEAD_MS });
  });

  it('purges no key that can be restored, and the next host purges it at its time', async () => {
    valueOf(await deleteDataKey(world.host, KEY));
    expect(await sweepPurges(ahead)).toBe(0);
    expect((await world.row('a')).state).toBe('deleted');
    expect(world.log.events()).toContain('clock.differs-from-store');
    valueOf(await restoreDataKey(world.host, KEY));
    expect(plaintextsOf(await world.unwrap(['a']))).toEqual(made);
    valueOf(await deleteDataKey(world.host, KEY));
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    expect(await sweepPurges(world.host)).toBe(1);
  });

  it('deletes no company whose keys can be restored, nor goes on where that was decided', async () => {
    valueOf(await deleteDataKey(world.host, KEY));
    await expect(deleteCompany(ahead, { companyId: COMPANY }, ADMIN)).rejects.toThrow(StoreUnavailable);
    expect((await loadCompany(world.store, COMPANY))?.value.state).toBe('active');
    const its = await RemovalWorld.decided();
    await its.plantKeys([{ state: 'deleted', companyKeyVersion: 1 }]);
    const before = its.rows();
    const host = its.world.newHost({ isAheadMs: AHEAD_MS });
    await expect(deleteCompany(host, { companyId: COMPANY }, ADMIN)).rejects.toThrow(StoreUnavailable);
    expect(its.rows()).toEqual(before);
  });
});

it('a host whose clock is weeks behind sets no date after which a key is purged', async () => {
  const world = await World.withCompany({ shardCount: 1 });
  await world.generate([{ keyId: 'a' }]);
  await expect(deleteDataKey(world.newHost({ isAheadMs: -AHEAD_MS }), KEY)).rejects.toThrow(StoreUnavailable);
  expect((await world.row('a')).state).toBe('live');
});

it.each([
  ['', true],
  ['2026-06-01T00:00:00.000Z', true],
  ['2026-06-01T00:00:00.001Z', false],
  ['2026-06-02T01:00:00.000Z', false],
  ['2026-06-02T01:00:00.001Z', true],
])('an item that is not to be looked at before "%s", as a host wrote whose clock may be ahead: %s', (nextAt, due) => {
  const item: ListedAgendaItem = {
    kind: 'purge',
    companyId: COMPANY,
    id: 'keyring|default',
    etag: '',
    cells: { nextAt },
  };
  expect(isDue(item, new Date('2026-06-01T00:00:00.000Z'))).toBe(due);
});
