// A host whose clock is not the store's: what cannot be taken back is left to others.
import { beforeEach, describe, expect, it } from 'vitest';
import { ClockGuard, MAX_CLOCK_DIFFERENCE_MS } from '../../shared/store/clock-guard.ts';
import { isDue, type ListedAgendaItem } from '../../shared/store/agenda.ts';
import { loadCompany } from '../../shared/store/control-state.ts';
import { purgeKeyring } from '../../shared/operations/data-keys/purge.ts';
import { deleteDataKey } from '../../shared/operations/data-keys/delete.ts';
import { restoreDataKey } from '../../shared/operations/data-keys/restore.ts';
import { deleteCompany } from '../../shared/operations/companies/delete-company.ts';
import { type TableName } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { removeCompany } from '../../shared/operations/companies/remove-company.ts';
import { sweepPurges } from '../../shared/operations/companies/sweep-purges.ts';
import { COMPANY, DAY_MS, PLACE, plaintextsOf, RESTORE_DAYS, valueOf, World } from '../operations/data-keys/world.ts';
import { RemovalWorld } from '../operations/companies/removal-world.ts';
import { ADMIN } from '../fakes/actors.ts';
import { FakeClock, FakeLog } from '../fakes/fake-system.ts';
import { tablesBut } from '../fakes/tables-but.ts';

const AHEAD_MS = 2 * RESTORE_DAYS * DAY_MS;
const KEY = { ...PLACE, keyId: 'a' };

describe('a clock', () => {
  const clock = new FakeClock();
  const log = new FakeLog();
  const asked = (aheadMs: number | undefined) => () =>
    new ClockGuard({ storeClock: { aheadMs: () => aheadMs }, clock, log }).assertAgrees(clock.now());

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
      expect(() => guard.assertAgrees(clock.now())).toThrow();
    }
    const entry = { level: 'error', event: 'clock.differs-from-store', detail: { storeIsAheadBySeconds: 86_400 } };
    expect(said.entries).toEqual([entry, entry]);
  });
});

describe('a host whose clock is set right by weeks while it is at work', () => {
  let world: World;
  /** The host's clock at first; the store's own after the first answer for `table` has come. */
  function settingRight(aheadMs: number, table: TableName): World['host'] {
    let isAheadMs = aheadMs;
    const setRight = async <T>(of: TableName, answer: Promise<T>): Promise<T> => {
      const answered = await answer;
      if (of === table) isAheadMs = 0;
      return answered;
    };
    const tables = tablesBut(world.store, {
      read: (of, ...row) => setRight(of, world.store.read(of, ...row)),
      list: (query) => setRight(query.table, world.store.list(query)),
    });
    const host = world.newHost({ tables });
    const now = (): Date => new Date(world.clock.now().getTime() + isAheadMs);
    const clock = { now, steadyMs: () => world.clock.steadyMs() };
    const storeClock = { aheadMs: () => -isAheadMs };
    return { ...host, clock, clockGuard: new ClockGuard({ storeClock, clock, log: world.log }) };
  }
  beforeEach(async () => {
    world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }]);
  });

  it('purges nothing by what the clock said before', async () => {
    valueOf(await deleteDataKey(world.host, KEY));
    await expect(purgeKeyring(settingRight(AHEAD_MS, 'agenda'), PLACE)).rejects.toThrow(StoreUnavailable);
    expect((await world.row('a')).state).toBe('deleted');
  });

  it('sets no date by it after which a key is purged', async () => {
    await expect(deleteDataKey(settingRight(-AHEAD_MS, 'datakeys'), KEY)).rejects.toThrow(StoreUnavailable);
    expect((await world.row('a')).state).toBe('live');
  });

  it('takes away no row of a company by what it says since its rows were read', async () => {
    const its = await RemovalWorld.decided();
    const purgeAfter = new Date(its.world.clock.now().getTime() + DAY_MS).toISOString();
    await its.plantKeys([{ state: 'deleted', companyKeyVersion: 1, purgeAfter }]);
    const before = its.rows();
    const { host, store, clock } = its.world;
    let isAheadMs = 0;
    const tables = tablesBut(store, {
      list: async (query) => {
        const page = await store.list(query);
        isAheadMs = AHEAD_MS;
        return page;
      },
    });
    const now = (): Date => new Date(clock.now().getTime() + isAheadMs);
    const setAhead = { now, steadyMs: () => clock.steadyMs() };
    const guard = new ClockGuard({ storeClock: { aheadMs: () => 0 }, clock: setAhead, log: its.world.log });
    const deadline = new Date(clock.now().getTime() + 2 * AHEAD_MS);
    const deps = { ...host, tables, clock: setAhead, clockGuard: guard };
    await expect(removeCompany(deps, { companyId: COMPANY, keyrings: its.keyrings, deadline })).rejects.toThrow(
      StoreUnavailable,
    );
    expect(its.rows()).toEqual(before);
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
