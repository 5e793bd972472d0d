import { beforeEach, describe, expect, it } from 'vitest';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import { getCompany } from '../../../shared/operations/companies/companies.ts';
import { loadCompany } from '../../../shared/store/control-state.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { deleteCompany, goOnDeleting } from '../../../shared/operations/companies/delete-company.ts';
import { type StoredRow, type Tables, type WriteOutcome } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { singleRequest } from '../../../shared/store/requests.ts';
import { loadShard } from '../../../shared/store/shard-rows.ts';
import { sweepPurges } from '../../../shared/operations/companies/sweep-purges.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { changeOnce } from '../../../shared/store/act.ts';
import { agendaIn, chainOf, outboxesIn } from '../audit/chain.ts';
import { COMPANY, errorOf, PLACE, plaintextsOf, valueOf, World } from '../data-keys/world.ts';
import { RemovalWorld } from './removal-world.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../../fakes/tables-but.ts';

const ASKED = { companyId: COMPANY };
const IN_USE = { type: 'state', code: 'company-has-data-keys' };
/** Begun by a call that is gone. */
const LEFT = { decided: false, worker: '', until: '' };
const SOFT_DELETED = { state: 'deleted', companyKeyVersion: 1 } as const;

const over = (world: World, tables: Tables): World['host'] => world.newHost({ tables });
const recorded = (world: World, action: string): { by: string; target: string }[] =>
  chainOf(world.store)
    .filter((record) => record.action === action)
    .map(({ by, target }) => ({ by, target }));
const isClosed = async (world: World): Promise<boolean | undefined> =>
  (await loadShard(world.store, { ...PLACE, shard: 0 }))?.value.closed;
const stateOf = async (world: World): Promise<string | undefined> =>
  (await loadCompany(world.store, COMPANY))?.value.state;
const CLOSED_ROW = 1;
const rowsOf = (world: World): number =>
  [...world.store.dump()].filter(({ table, partitionKey }) => table !== 'events' && partitionKey.startsWith(COMPANY))
    .length;

/** A company with a key in use that is being deleted, by a call that has not counted yet. */
async function closingWithKey(): Promise<{ readonly world: World; readonly made: Map<string, string> }> {
  const world = await World.withCompany({ shardCount: 1 });
  const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
  const company = (await loadCompany(world.store, COMPANY))!;
  const closing = { ...company.value, state: 'closing', closing: LEFT } as const;
  await changeOnce({ tables: world.store }, (tx) => tx.replace(company, closing));
  return { world, made };
}

describe('a delete of a company', () => {
  it('says which company there is none of', async () => {
    expect(errorOf(await deleteCompany(new World().host, ASKED, ADMIN))).toEqual({
      type: 'not-found',
      what: 'company',
      id: COMPANY,
    });
  });

  it('says of which company another state was expected', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    expect(errorOf(await deleteCompany(world.host, { ...ASKED, ifMatch: 'W/"0"' }, ADMIN))).toEqual({
      type: 'precondition-failed',
      what: 'company',
      id: COMPANY,
    });
    expect(await stateOf(world)).toBe('active');
  });

  it('whose time is up is gone on with by the same call again', async () => {
    const its = await RemovalWorld.decided();
    const { world } = its;
    await its.plantKeys(Array.from({ length: 150 }, () => SOFT_DELETED));
    world.tables
      .at(({ writes }) => writes.some(({ kind }) => kind === 'delete'))
      .comesAfter(() => world.clock.advance(60_000));
    expect(valueOf(await deleteCompany(world.host, ASKED, ADMIN))).toBe('deleting');
    expect(await stateOf(world)).toBe('closing');
    world.expectExactCounts();
    world.tables.recovers();
    expect(valueOf(await deleteCompany(world.host, ASKED, ADMIN))).toBe('deleted');
    expect(rowsOf(world)).toBe(CLOSED_ROW);
  });

  it('takes no shard for empty that it could not close', async () => {
    const its = await RemovalWorld.decided();
    const { world } = its;
    its.companyIsNow({ closing: LEFT });
    await its.plantKeys([SOFT_DELETED]);
    const before = its.rows();
    const tables = tablesBut(world.store, {
      write: (table, partitionKey, writes): Promise<WriteOutcome> =>
        table === 'datakeys' && writes.length === 1
          ? Promise.resolve({ outcome: 'unknown' })
          : world.store.write(table, partitionKey, writes),
    });
    await expect(goOnDeleting(over(world, tables), ASKED)).rejects.toThrow(StoreUnavailable);
    expect(its.rows()).toEqual(before);
  });
});

describe('a list that leaves rows out', () => {
  /** The store that answers lists empty, and over, as long as `isLie` says so. */
  const lying = (world: World, isLie: (query: Parameters<Tables['list']>[0]) => boolean): Tables =>
    tablesBut(world.store, {
      list: (query) => (isLie(query) ? Promise.resolve({ rows: [] }) : world.store.list(query)),
    });

  it.each([1, 2, 3, 100])('takes back no time to restore a deleted key (%i times)', async (times) => {
    const world = await World.withCompany({ shardCount: 1 });
    const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'a' }));
    let lies = 0;
    const host = over(
      world,
      lying(world, ({ table }) => table === 'datakeys' && (lies += 1) <= times),
    );
    expect(errorOf(await deleteCompany(host, ASKED, ADMIN))).toMatchObject({ failure: { code: 'counts-differ' } });
    expect(await stateOf(world)).toBe('active');
    valueOf(await restoreDataKey(world.host, { ...PLACE, keyId: 'a' }));
    expect(plaintextsOf(await world.unwrap(['a']))).toEqual(made);
  });

  it.each([
    ['its only keyring', ['default']],
    ['another keyring', ['default', 'second']],
  ])('of keyrings, twice, takes %s for none of those whose keys are destroyed', async (_, keyrings) => {
    const world = await World.withCompany({ shardCount: 1 });
    for (const keyringId of keyrings.slice(1))
      valueOf(await putKeyring(world.host, { companyId: COMPANY, keyringId }, ADMIN));
    const keyringId = keyrings.at(-1)!;
    const request = singleRequest(world.entropy);
    valueOf(await generateDataKeys(world.host, { ...PLACE, keyringId, keys: [{ keyId: 'a' }], request }));
    const isHidden = ({ rowKey }: StoredRow): boolean => rowKey === `keyring|${keyringId}`;
    const tables = tablesBut(world.store, {
      list: async (query) => {
        const page = await world.store.list(query);
        return { ...page, rows: page.rows.filter((row) => !isHidden(row)) };
      },
    });
    expect(valueOf(await deleteCompany(over(world, tables), ASKED, ADMIN))).toBe('deleting');
    expect(errorOf(await deleteCompany(world.host, ASKED, ADMIN))).toMatchObject(IN_USE);
    expect(await stateOf(world)).toBe('active');
    const outcomes = valueOf(await unwrapDataKeys(world.host, { ...PLACE, keyringId, keyIds: ['a'] }));
    expect(outcomes).toMatchObject([{ outcome: 'unwrapped' }]);
  });

  it('for good holds the delete until a recount has named what is missing, and somebody accepts it', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }]);
    valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'a' }));
    const { etag } = world.store.peek('datakeys', world.partitionOf('a'), 'a')!;
    await world.store.write('datakeys', world.partitionOf('a'), [{ kind: 'delete', rowKey: 'a', etag }]);
    expect(errorOf(await deleteCompany(world.host, ASKED, ADMIN))).toMatchObject({ failure: { owner: 'vendor' } });
    const missing = { shard: 0, outcome: 'rows-missing', missing: 1 };
    expect(valueOf(await recount(world.host, PLACE, ADMIN))).toMatchObject([missing]);
    const accepted = { ...PLACE, acceptMissing: [{ shard: 0, rows: 1 }] };
    expect(valueOf(await recount(world.host, accepted, ADMIN))).toMatchObject([{ outcome: 'recounted' }]);
    expect(valueOf(await deleteCompany(world.host, ASKED, ADMIN))).toBe('deleted');
  });

  it.each([
    ['older than its rows', { live: 0, at: {} }],
    ['below none, beside a key that is set aside', { live: -1, quarantined: 1, at: {}, aside: { 1: 1 } }],
  ])('a shard’s counts that are %s destroy no key in use', async (_, counts) => {
    const world = await World.withCompany({ shardCount: 1 });
    const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    const shard = await world.shardFor('a');
    world.store.tamper('datakeys', world.partitionOf('a'), SHARD_ROW_KEY, shardCells({ ...shard, ...counts }, 'copy'));
    const first = await deleteCompany(world.host, ASKED, ADMIN);
    expect(errorOf(first)).toMatchObject({ failure: { code: 'counts-differ' } });
    expect([await stateOf(world), plaintextsOf(await world.unwrap(['a']))]).toEqual(['active', made]);
    expect(valueOf(await recount(world.host, PLACE, ADMIN))).toMatchObject([{ outcome: 'recounted' }]);
    expect(errorOf(await deleteCompany(world.host, ASKED, ADMIN))).toMatchObject(IN_USE);
  });

  it.each([
    ['for good', Infinity],
    ['for a moment', 1],
  ])('a shard’s own row that is not there %s destroys no key in use', async (_, times) => {
    const world = await World.withCompany({ shardCount: 1 });
    const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    let reads = 0;
    const tables = tablesBut(world.store, {
      read: (table, partitionKey, rowKey) =>
        rowKey === SHARD_ROW_KEY && (reads += 1) <= times
          ? Promise.resolve(undefined)
          : world.store.read(table, partitionKey, rowKey),
    });
    expect(errorOf(await deleteCompany(over(world, tables), ASKED, ADMIN))).toMatchObject(IN_USE);
    expect([await stateOf(world), plaintextsOf(await world.unwrap(['a']))]).toEqual(['active', made]);
  });

  it('of a shard from which keys are purged meanwhile is taken again', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }, { keyId: 'b' }]);
    valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'a' }));
    valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'b' }));
    let lists = 0;
    const tables = tablesBut(world.store, {
      list: async (query) => {
        if (query.table === 'datakeys' && (lists += 1) === 1) await sweepPurges(world.host);
        return world.store.list(query);
      },
    });
    expect(errorOf(await deleteCompany(over(world, tables), ASKED, ADMIN))).toMatchObject({
      code: 'company-has-restorable-data-keys',
    });
  });

  it('once, of keyrings, hides no keyring with keys in use', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }]);
    let lies = 0;
    const host = over(
      world,
      lying(world, ({ table, after }) => table === 'companies' && after === 'keyring|' && (lies += 1) === 1),
    );
    expect(errorOf(await deleteCompany(host, ASKED, ADMIN))).toMatchObject(IN_USE);
  });

  it('again and again, of keyrings, takes no company key of a keyring that was not looked at', async () => {
    const world = await World.withCompany({ shardCount: 1 });
    const made = plaintextsOf(await world.generate([{ keyId: 'a' }]));
    const host = over(
      world,
      lying(world, ({ table, after }) => table === 'companies' && after === 'keyring|'),
    );
    expect(valueOf(await deleteCompany(host, ASKED, ADMIN))).toBe('deleting');
    expect(plaintextsOf(await world.unwrap(['a'], world.newHost()))).toEqual(made);
  });
});

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it.each([
    ['that begins the delete', COMPANY_ROW_KEY],
    ['that closes a shard', SHARD_ROW_KEY],
    ['that takes keys', 'a'],
    ['that takes control rows', 'companykey|'],
    ['that ends it', 'outbox|00000000'],
  ])('%s, a company is deleted, and that is recorded once', async (_, prefix) => {
    const world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }]);
    valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'a' }));
    const host = over(world, tablesTripping(world.store, prefix, { mishap }));
    expect(valueOf(await deleteCompany(host, ASKED, ADMIN))).toBe('deleted');
    expect(rowsOf(world)).toBe(CLOSED_ROW);
    expect(outboxesIn(world.store)).toEqual([]);
    expect(recorded(world, 'company.delete')).toHaveLength(1);
    expect(recorded(world, 'company.deleted')).toEqual([{ by: 'keyswitch', target: 'company' }]);
  });

  it('that turns back, the company is as before, and that is recorded once', async () => {
    const { world, made } = await closingWithKey();
    const host = over(world, tablesTripping(world.store, COMPANY_ROW_KEY, { mishap }));
    expect(errorOf(await goOnDeleting(host, ASKED))).toMatchObject(IN_USE);
    expect(valueOf(await getCompany(world.host, ASKED)).value.state).toBe('active');
    expect(await isClosed(world)).toBe(false);
    expect(plaintextsOf(await world.unwrap(['a']))).toEqual(made);
    expect(recorded(world, 'company.delete-turned-back')).toEqual([{ by: 'keyswitch', target: 'company' }]);
    expect(agendaIn(world.store, 'purge')).toEqual([]);
  });

  it('that decides, nobody who found a key before can turn back once keys go', async () => {
    const its = await RemovalWorld.decided();
    const { world } = its;
    its.companyIsNow({ closing: LEFT });
    await its.plantKeys([SOFT_DELETED]);
    const found = (await loadCompany(world.store, COMPANY))!;
    const turnedBack: string[] = [];
    const tripping = tablesTripping(world.store, COMPANY_ROW_KEY, { mishap });
    const tables = tablesBut(tripping, {
      write: async (table, partitionKey, writes) => {
        if (table === 'datakeys' && writes.some(({ kind }) => kind === 'delete')) {
          const back = await changeOnce({ tables: world.store }, (tx) =>
            tx.replace(found, { ...found.value, state: 'active' }),
          );
          turnedBack.push(back.ok ? 'written' : back.error);
        }
        return tripping.write(table, partitionKey, writes);
      },
    });
    expect(valueOf(await goOnDeleting(over(world, tables), ASKED))).toBe('deleted');
    expect(turnedBack).toEqual(['lost-race', 'lost-race']);
  });
});

describe('somebody else, as a delete turns back,', () => {
  let world: World;
  beforeEach(async () => {
    ({ world } = await closingWithKey());
  });

  it('deletes the last key and the company: it is deleted, and nothing turned back', async () => {
    const others = async (): Promise<void> => {
      valueOf(await deleteDataKey({ ...world.host, restoreDays: 0 }, { ...PLACE, keyId: 'a' }));
      expect(valueOf(await deleteCompany(world.newHost(), ASKED, ADMIN))).toBe('deleted');
    };
    const tables = tablesTripping(world.store, COMPANY_ROW_KEY, { mishap: 'outrun', meanwhile: others });
    expect(valueOf(await goOnDeleting(over(world, tables), ASKED))).toBe('deleted');
    expect(recorded(world, 'company.delete-turned-back')).toEqual([]);
    expect(rowsOf(world)).toBe(CLOSED_ROW);
  });

  it('turns back too: it is recorded once', async () => {
    const others = async (): Promise<void> => {
      expect(errorOf(await goOnDeleting(world.newHost(), ASKED))).toMatchObject(IN_USE);
    };
    const tables = tablesTripping(world.store, COMPANY_ROW_KEY, { mishap: 'outrun', meanwhile: others });
    expect(errorOf(await goOnDeleting(over(world, tables), ASKED))).toMatchObject(IN_USE);
    expect(recorded(world, 'company.delete-turned-back')).toHaveLength(1);
    expect(await isClosed(world)).toBe(false);
  });
});

describe('a delete whose answer is lost, and whose company', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.withCompany({ shardCount: 1 });
  });

  const deleteWhile = (meanwhile: () => Promise<void>): ReturnType<typeof deleteCompany> => {
    const tables = tablesTripping(world.store, COMPANY_ROW_KEY, { mishap: 'answer-lost', meanwhile });
    return deleteCompany(over(world, tables), ASKED, ADMIN);
  };
  /** Long after: the timer has taken the event to its chain, so that nothing is left of it but its marker. */
  const recordedByTimer = async (): Promise<void> => {
    world.clock.advance(60_000);
    expect(await sweepOutboxes(world.host)).toBe(1);
  };
  it('was deleted by the timer meanwhile, says so', async () => {
    const deletedByTimer = async (): Promise<void> => {
      world.clock.advance(60_000);
      expect(valueOf(await goOnDeleting(world.newHost(), ASKED))).toBe('deleted');
      expect(await sweepOutboxes(world.host)).toBe(1);
    };
    expect(valueOf(await deleteWhile(deletedByTimer))).toBe('deleted');
    expect(recorded(world, 'company.delete')).toHaveLength(1);
    expect(recorded(world, 'company.deleted')).toHaveLength(1);
  });

  it('was found in use by the timer, says so', async () => {
    const turnedBack = async (): Promise<void> => {
      await world.generate([{ keyId: 'a' }], { host: world.newHost({ tables: world.store }) });
      world.clock.advance(60_000);
      expect(errorOf(await goOnDeleting(world.newHost(), ASKED))).toMatchObject(IN_USE);
      await recordedByTimer();
    };
    expect(errorOf(await deleteWhile(turnedBack))).toMatchObject(IN_USE);
    expect(await stateOf(world)).toBe('active');
    expect(recorded(world, 'company.delete')).toHaveLength(1);
  });
});
