// The timer's look at what is to be purged: when each thing is looked at, and what keeps no other from it.
import { beforeEach, describe, expect, it } from 'vitest';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { lookAlone } from '../../../shared/store/agenda-walk.ts';
import { allBuckets, putOnAgenda, type ListedAgendaItem } from '../../../shared/store/agenda.ts';
import { loadCompany } from '../../../shared/store/control-state.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { purgePartition } from '../../../shared/store/rows/purge-rows.ts';
import { COMPANY_PURGE_ID } from '../../../shared/operations/companies/delete-company.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { sweepPurges } from '../../../shared/operations/companies/sweep-purges.ts';
import { FakeLog } from '../../fakes/fake-system.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { listAgenda } from '../../store/agenda-list.ts';
import { COMPANY, DAY_MS, KEYRING, PLACE, RESTORE_DAYS, rowsToPurge, valueOf, World } from '../data-keys/world.ts';

const MINUTE_MS = 60_000;
const ITEM_OF_KEYRING = `keyring|${KEYRING}`;

let world: World;
beforeEach(async () => {
  world = await World.withCompany({ shardCount: 1 });
});

async function items(): Promise<ListedAgendaItem[]> {
  return (await Promise.all(allBuckets.map((bucket) => listAgenda(world.store, bucket, 'purge')))).flat();
}
const nextLooks = async (): Promise<[string, unknown][]> =>
  (await items()).map(({ id, cells }) => [id, cells['nextAt']]);
const inMs = (ms: number): string => new Date(world.clock.now().getTime() + ms).toISOString();
const put = (id: string, cells = {}): Promise<void> =>
  putOnAgenda(world.store, { kind: 'purge', companyId: COMPANY, id }, cells);

async function deleteKeys(...keyIds: readonly string[]): Promise<void> {
  await world.generate(keyIds.map((keyId) => ({ keyId })));
  for (const keyId of keyIds) valueOf(await deleteDataKey(world.host, { ...PLACE, keyId }));
}

describe('a keyring with deleted keys', () => {
  it('is looked at again when the next key is due, or in a day, and stays on the agenda until then', async () => {
    await deleteKeys('a');
    expect(await sweepPurges(world.host)).toBe(0);
    expect(await nextLooks()).toEqual([[ITEM_OF_KEYRING, inMs(DAY_MS)]]);
    world.clock.advance((RESTORE_DAYS - 1) * DAY_MS + 1);
    expect(await sweepPurges(world.host)).toBe(0);
    expect(await nextLooks()).toEqual([[ITEM_OF_KEYRING, inMs(DAY_MS - 1)]]);
  });

  it('is purged at the very moment that was noted, not before, and every key counts', async () => {
    await deleteKeys('a', 'b', 'c');
    world.clock.advance((RESTORE_DAYS - 1) * DAY_MS + 1);
    await sweepPurges(world.host);
    world.clock.advance(DAY_MS - 2);
    expect(await sweepPurges(world.host)).toBe(0);
    expect((await world.row('a')).state).toBe('deleted');
    world.clock.advance(1);
    expect(await sweepPurges(world.host)).toBe(3);
    expect((await world.row('a')).state).toBe('tombstone');
    expect(rowsToPurge(world.store)).toEqual([]);
  });

  it('is left alone until the moment that was noted, even where a key is due', async () => {
    await put(ITEM_OF_KEYRING, { nextAt: inMs(RESTORE_DAYS * DAY_MS + 1) });
    await deleteKeys('a');
    const before = await items();
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    expect(await sweepPurges(world.host)).toBe(0);
    expect(await items()).toEqual(before);
    world.clock.advance(1);
    expect(await sweepPurges(world.host)).toBe(1);
  });

  it('has a key purged however many that cannot be purged yet are due before it, and those once they can be', async () => {
    await deleteKeys('a', 'first');
    await world.tamper('first', { state: 'quarantined' });
    // As many entries as one visit takes, all of a key that waits.
    for (let index = 0; index < 5_000; index += 1) {
      const rowKey = `2025-01-01T00:00:00.${100 + Math.floor(index / 10)}${index % 10}Z|first`;
      world.store.tamper('agenda', purgePartition(PLACE), rowKey, { format: 1 });
    }
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    expect([await sweepPurges(world.host), await sweepPurges(world.host)]).toEqual([0, 1]);
    expect((await world.row('a')).state).toBe('tombstone');
    await world.tamper('first', { state: 'deleted' });
    expect(await sweepPurges(world.host)).toBe(0);
    world.clock.advance(DAY_MS);
    expect(await sweepPurges(world.host)).toBe(1);
    expect((await world.row('first')).state).toBe('tombstone');
  });

  it('is taken off the agenda once it is gone, and only then', async () => {
    await put('keyring|gone');
    await put(ITEM_OF_KEYRING);
    expect(await sweepPurges(world.host)).toBe(0);
    expect((await items()).map(({ id }) => id)).toEqual([ITEM_OF_KEYRING]);
  });
});

describe('a company that is being deleted', () => {
  beforeEach(async () => {
    const company = (await loadCompany(world.store, COMPANY))!.value;
    world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'closing' }));
    await put(COMPANY_PURGE_ID);
  });
  const stateNow = async (): Promise<string | undefined> => (await loadCompany(world.store, COMPANY))?.value.state;

  it('is left to its own call for a minute, and then gone on with to the end', async () => {
    expect(await sweepPurges(world.host)).toBe(0);
    expect([await stateNow(), await nextLooks()]).toEqual(['closing', [[COMPANY_PURGE_ID, inMs(MINUTE_MS)]]]);
    world.clock.advance(MINUTE_MS - 1);
    await sweepPurges(world.host);
    expect(await stateNow()).toBe('closing');
    world.clock.advance(1);
    expect(await sweepPurges(world.host)).toBe(0);
    expect([await stateNow(), await items()]).toEqual([undefined, []]);
  });

  it('is left alone for another minute where a look came to grief, and then gone on with', async () => {
    await sweepPurges(world.host);
    world.clock.advance(MINUTE_MS);
    world.tables.at(({ table }) => table !== 'agenda').isRefused();
    await sweepPurges(world.host);
    world.tables.recovers();
    expect([await stateNow(), await nextLooks()]).toEqual(['closing', [[COMPANY_PURGE_ID, inMs(MINUTE_MS)]]]);
    world.clock.advance(MINUTE_MS);
    await sweepPurges(world.host);
    expect([await stateNow(), await items()]).toEqual([undefined, []]);
  });

  it('keeps its keys where one is in use: it turns back', async () => {
    const company = (await loadCompany(world.store, COMPANY))!.value;
    world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'active' }));
    await world.generate([{ keyId: 'a' }]);
    world.store.tamper('companies', COMPANY, COMPANY_ROW_KEY, companyCells({ ...company, state: 'closing' }));
    await sweepPurges(world.host);
    world.clock.advance(MINUTE_MS);
    await sweepPurges(world.host);
    expect([await stateNow(), await items()]).toEqual(['active', []]);
    expect((await world.unwrap(['a']))[0]?.outcome).toBe('unwrapped');
  });
});

describe('what is on the agenda', () => {
  it('and cannot be worked on holds nothing else up: it is logged, and looked at again', async () => {
    await deleteKeys('a');
    await put('keyring|broken');
    world.store.tamper('companies', COMPANY, keyringRowKey('broken'), { format: 1 });
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    expect(await sweepPurges(world.host)).toBe(1);
    const detail = { kind: 'purge', company: COMPANY, item: 'keyring|broken', error: 'MalformedRow' };
    const failed = { level: 'error', event: 'agenda.look-failed', detail };
    expect(world.log.entries.filter(({ event }) => event === 'agenda.look-failed')).toEqual([failed]);
    expect((await nextLooks()).find(([id]) => id === 'keyring|broken')).toEqual(['keyring|broken', undefined]);
    await sweepPurges(world.host);
    expect(world.log.entries.filter(({ event }) => event === 'agenda.look-failed')).toEqual([failed, failed]);
  });

  it('waits where the store is away for one keyring, while another is purged', async () => {
    await deleteKeys('a');
    await put('keyring|away');
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    const tables = tablesBut(world.store, {
      read: (table, partitionKey, rowKey) =>
        rowKey === keyringRowKey('away')
          ? Promise.reject(new StoreUnavailable('away'))
          : world.store.read(table, partitionKey, rowKey),
    });
    expect(await sweepPurges(world.newHost({ tables }))).toBe(1);
    expect((await items()).map(({ id }) => id)).toEqual(['keyring|away', ITEM_OF_KEYRING]);
  });

  it('and is of no kind that is known is left as it is', async () => {
    // As long as the prefix of a keyring's item, and the same behind it.
    await put(`another|${KEYRING}`);
    const before = await items();
    await deleteKeys('a');
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    expect(await sweepPurges(world.host)).toBe(1);
    expect((await items()).filter(({ id }) => id === `another|${KEYRING}`)).toEqual(before);
    expect(world.log.events()).not.toContain('agenda.look-failed');
  });

  it('is named in the log also where what was thrown is no error', async () => {
    const log = new FakeLog();
    const item = { kind: 'purge', companyId: COMPANY, id: ITEM_OF_KEYRING } as const;
    const thrown = 'away' as unknown as Error;
    const looked = await lookAlone<number>(log, item, () => Promise.reject(thrown));
    expect(looked).toBeUndefined();
    const detail = { kind: 'purge', company: COMPANY, item: ITEM_OF_KEYRING, error: 'unknown' };
    expect(log.entries).toEqual([{ level: 'error', event: 'agenda.look-failed', detail }]);
  });
});
