import { providersOver } from '../../fakes/providers.ts';
import { describe, expect, it } from 'vitest';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { companyKeyRowKey, dataKeysPartition, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Entropy, Timers } from '../../../shared/domain/ports.ts';
import { pageSlots } from '../../../shared/operations/switches/page-slots.ts';
import { PAGE_ROWS } from '../../../shared/operations/switches/page-reader.ts';
import { passShard } from '../../../shared/operations/switches/pass.ts';
import type { StepOutcome } from '../../../shared/domain/switch-machine.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { WorkerKeys } from '../../../shared/operations/keys/worker-keys.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { ADMIN } from '../../fakes/actors.ts';

const ROW_KEY = switchRowKey(KEYRING, 's1');
const PARTITION = dataKeysPartition({ ...place(''), shard: 0 });
const NONCE_BYTES = 12;

/** One shard, whose switch is prepared. */
async function prepared(keys: number): Promise<Rig> {
  const rig = await Rig.withDataKeys(keys, { shardCount: 1 });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ most: 2, enough: async () => (await switchOf(rig)).state === 're-protecting' });
  return rig;
}

const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, place('s1')))!.value;
const shardOf = async (rig: Rig): Promise<Shard> => (await rig.shards())[0]!;

async function tamperShard(rig: Rig, change: Partial<Shard>): Promise<void> {
  rig.store.tamper(
    'datakeys',
    PARTITION,
    SHARD_ROW_KEY,
    shardCells({ ...(await shardOf(rig)), ...change }, 'somebody'),
  );
}

async function pass(
  rig: Rig,
  change: { generation?: number; tables?: Tables; budgetMs?: number } = {},
): Promise<StepOutcome> {
  const { generation } = await switchOf(rig);
  const deadline = new Date(rig.clock.now().getTime() + (change.budgetMs ?? 60_000));
  const deps = { ...rig.deps, ...(change.tables ? { tables: change.tables } : {}) };
  return passShard(deps, { ...place('s1'), shard: 0 }, { generation: change.generation ?? generation, deadline });
}

/** The store, counting the pages that it is asked for; one of them may be refused. */
function counted(rig: Rig, refused?: number): { readonly tables: Tables; readonly pages: () => number } {
  let pages = 0;
  const list: Tables['list'] = (query) => {
    pages += 1;
    return pages === refused ? Promise.reject(new StoreUnavailable('planted')) : rig.store.list(query);
  };
  return { tables: tablesBut(rig.store, { list }), pages: () => pages };
}

const MANY = 2 * PAGE_ROWS + 1;

describe('workers of many companies in one process', () => {
  it('go on while another company’s vault says nothing, however many of its shards wait for it', async () => {
    const [silent, other] = [await prepared(1), await prepared(3)];
    const slots = pageSlots(silent.clock);
    const vaults = { readKey: () => never, readDeleted: () => never, unwrap: () => never };
    const providers = providersOver({ vaults, vendor: VENDOR, clock: silent.clock });
    const workerKeys = new WorkerKeys({ ...silent.deps, providers }, { ttlMs: 5_000 });
    const { generation } = await switchOf(silent);
    const deadline = new Date(silent.clock.now().getTime() + 60_000);
    for (let worker = 0; worker < 32; worker += 1) {
      const deps = { ...silent.deps, pageSlots: slots, workerKeys };
      void passShard(deps, { ...place('s1'), shard: 0 }, { generation, deadline });
    }
    await new Promise(setImmediate);
    other.deps = { ...other.deps, pageSlots: slots };
    expect(await pass(other)).toEqual({ type: 'done' });
  });
});

const never = new Promise<never>(() => undefined);

describe('a worker’s turn on a shard', () => {
  it('turns the shard, moves every row, compares each and is done', async () => {
    const rig = await prepared(5);
    expect(await pass(rig)).toEqual({ type: 'done' });
    expect(await shardOf(rig)).toMatchObject({
      generation: 1,
      direction: 'forward',
      phase: 'done',
      fromVersion: 1,
      writeVersion: 2,
      live: 5,
      at: { 2: 5 },
      uncompared: 0,
      checked: 5,
      vain: 0,
    });
    for (const keyId of rig.plaintexts.keys()) {
      expect(await rig.dataKey(keyId)).toMatchObject({ companyKeyVersion: 2, previousVersion: 0 });
    }
  });

  it('reads every page once in each pass, also of more rows than a page holds', async () => {
    const rig = await prepared(MANY);
    const { tables, pages } = counted(rig);
    expect(await pass(rig, { tables })).toEqual({ type: 'done' });
    expect(pages()).toBe(6);
    expect(await shardOf(rig)).toMatchObject({ at: { 2: MANY }, checked: MANY });
  });

  it('uses no nonce twice', async () => {
    const rig = await prepared(MANY);
    await pass(rig);
    const nonces = new Set<string>();
    for (const keyId of rig.plaintexts.keys()) {
      nonces.add(Buffer.from((await rig.dataKey(keyId)).blob.subarray(1, 1 + NONCE_BYTES)).toString('hex'));
    }
    expect(nonces.size).toBe(MANY);
  });

  it('reads a page again that could not be read ahead', async () => {
    const rig = await prepared(MANY);
    const { tables, pages } = counted(rig, 2);
    expect(await pass(rig, { tables })).toEqual({ type: 'done' });
    expect(pages()).toBe(7);
  });

  it('stops between two pages when its time is up, and the shard says how far it came', async () => {
    const rig = await prepared(MANY);
    const { tables } = counted(rig);
    const slow = new FaultyTables(tables);
    slow.at(({ table }) => table === 'datakeys').comesAfter(() => rig.clock.advance(1));
    // The turn is one write, and the first page three.
    expect(await pass(rig, { tables: slow, budgetMs: 4 })).toEqual({ type: 'moved', by: 'this-worker' });
    expect(await shardOf(rig)).toMatchObject({
      phase: 'rewrap',
      at: { 1: MANY - PAGE_ROWS, 2: PAGE_ROWS },
      uncompared: PAGE_ROWS,
      cursor: 'key-000296',
    });
  });

  it('begins the second pass with the first row', async () => {
    const rig = await prepared(5);
    const { tables } = counted(rig);
    const slow = new FaultyTables(tables);
    slow.at(() => true).comesAfter(() => rig.clock.advance(1));
    expect(await pass(rig, { tables: slow, budgetMs: 2 })).toEqual({ type: 'moved', by: 'this-worker' });
    expect(await shardOf(rig)).toMatchObject({
      phase: 'verify',
      at: { 2: 5 },
      uncompared: 5,
      checked: 0,
      cursor: '',
    });
  });

  it('asks the vault in force for both keys, and then for the new one by way of the vault that the switch ends with', async () => {
    const rig = await prepared(5);
    rig.vaults.calls.length = 0;
    await pass(rig);
    const asked = rig.vaults.calls.filter(({ operation }) => operation === 'unwrap');
    expect(asked.map(({ host }) => host)).toEqual([VENDOR.host, VENDOR.host, CONTOSO_HOST]);
  });

  it('draws entropy for many rows at a time', async () => {
    const rig = await prepared(PAGE_ROWS);
    let drawn = 0;
    const entropy: Entropy = {
      id: () => rig.entropy.id(),
      bytes: (count) => ((drawn += 1), rig.entropy.bytes(count)),
    };
    rig.deps = { ...rig.deps, entropy };
    await pass(rig);
    expect(drawn).toBe(2);
  });

  it('pauses after each race that it loses, longer each time, and begins anew after one that it wins', async () => {
    const rig = await prepared(5);
    const pausesMs: number[] = [];
    const timers: Timers = { sleep: (ms) => Promise.resolve(void pausesMs.push(ms)), yield: () => Promise.resolve() };
    // Of the turn, the first page and the second, in this order.
    const losses = [true, true, false, true, false, false];
    const raced = new FaultyTables(rig.store);
    // The last row: of the turn that is the shard, of a page a data key that others have changed.
    raced.at(() => losses.shift() === true).isOutrun('last');
    const entropy: Entropy = { id: () => rig.entropy.id(), bytes: (count) => new Uint8Array(count).fill(255) };
    rig.deps = { ...rig.deps, timers, entropy };
    expect(await pass(rig, { tables: raced })).toEqual({ type: 'done' });
    expect(pausesMs).toEqual([10, 20, 10]);
  });

  it('is over before it begins when its time is up', async () => {
    const rig = await prepared(1);
    expect(await pass(rig, { budgetMs: 0 })).toEqual({ type: 'moved', by: 'this-worker' });
    expect(await shardOf(rig)).toMatchObject({ generation: 0 });
  });

  it('has nothing to do where the shard is done', async () => {
    const rig = await prepared(1);
    await pass(rig);
    const { tables, pages } = counted(rig);
    expect(await pass(rig, { tables })).toEqual({ type: 'done' });
    expect(pages()).toBe(0);
  });

  it.each([
    ['is paused', { paused: true }],
    ['is blocked', { blocked: { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'planted' } }],
    ['has turned', { generation: 2 }],
    ['is over', { state: 'completed' }],
  ] as const)('changes nothing if the switch %s', async (_, change) => {
    const rig = await prepared(1);
    await rig.tamperSwitch('s1', change);
    expect(await pass(rig, { generation: 1 })).toEqual({ type: 'wait', for: 'next-message' });
    expect(await shardOf(rig)).toMatchObject({ generation: 0 });
  });

  it.each([
    ['and so is the switch by now', 2, 'wait'],
    ['though no switch has turned it', 1, 'blocked'],
  ])('changes nothing if the shard is further, %s', async (_, generation, type) => {
    const rig = await prepared(1);
    const tables = tablesBut(rig.store, {
      read: async (table, partitionKey, rowKey) => {
        const row = await rig.store.read(table, partitionKey, rowKey);
        if (rowKey !== SHARD_ROW_KEY) return row;
        await rig.tamperSwitch('s1', { generation });
        await tamperShard(rig, { generation: 2, phase: 'rewrap' });
        return rig.store.read(table, partitionKey, rowKey);
      },
    });
    expect(await pass(rig, { tables })).toMatchObject({ type });
    expect((await rig.dataKey('key-000000')).companyKeyVersion).toBe(1);
  });

  it.each([
    ['switch', 'companies', COMPANY, ROW_KEY],
    ['shard', 'datakeys', PARTITION, SHARD_ROW_KEY],
  ] as const)('changes nothing if there is no such %s', async (_, table, partition, rowKey) => {
    const rig = await prepared(1);
    const row = (await rig.store.read(table, partition, rowKey))!;
    const { generation } = await switchOf(rig);
    await rig.store.write(table, partition, [{ kind: 'delete', rowKey, etag: row.etag }]);
    const work = { generation, deadline: new Date(rig.clock.now().getTime() + 1_000) };
    expect(await passShard(rig.deps, { ...place('s1'), shard: 0 }, work)).toEqual({
      type: 'wait',
      for: 'next-message',
    });
  });

  it.each([1, 2])('says so if company key %i is not to be had, and no row moves', async (version) => {
    const rig = await prepared(1);
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, version), { format: 1, wraps: 'none' });
    const problem = { type: 'blocked', side: 'source', failure: { code: 'row-forged' } };
    expect(await pass(rig)).toMatchObject(problem);
    expect((await rig.dataKey('key-000000')).companyKeyVersion).toBe(1);
  });
});

describe('shards that one process passes over side by side', () => {
  it('take one slot for each page, and none for the reads between them', async () => {
    const rig = await prepared(MANY);
    let taken = 0;
    rig.deps = { ...rig.deps, pageSlots: (page) => ((taken += 1), page()) };
    expect(await pass(rig)).toEqual({ type: 'done' });
    // Three pages, in each of two phases.
    expect(taken).toBe(6);
  });
});
