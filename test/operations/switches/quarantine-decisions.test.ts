// What an admin decides on one quarantined row: under which conditions, and what comes of it.
import { describe, expect, it } from 'vitest';
import { dataKeyCells, quarantineRowKey } from '../../../shared/store/rows/data-rows.ts';
import {
  companyKeyRowKey,
  dataKeysPartition,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, shardOf } from '../../../shared/domain/shard.ts';
import { sweepOutboxes } from '../../../shared/store/deliver.ts';
import type { TableName, Tables } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { acceptLoss, retryQuarantined } from '../../../shared/operations/switches/quarantine.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { stateOf } from '../tenants/tenant-rig.ts';
import { expectExactCounts } from './exact-counts.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';

const KEY = 'key-000003';
const PLACE = { ...place('s1'), keyId: KEY };
const SHARDS = 2;
const LONG_MS = 60_000;
const SHARD = shardOf(KEY, SHARDS);
const PARTITION = dataKeysPartition({ ...PLACE, shard: SHARD });
const BOTH = [
  ['retry', retryQuarantined, 'data-key.quarantine-retried', 'live', 'mended'],
  ['accept-loss', acceptLoss, 'data-key.loss-accepted', 'lost', 'broken'],
] as const;

/** Everything is done but for one row, which was quarantined, and may have been mended since. */
async function waiting(now: 'mended' | 'broken' = 'mended'): Promise<Rig> {
  const rig = await Rig.withDataKeys(12, { shardCount: SHARDS });
  const { blob } = await rig.dataKey(KEY);
  await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  if (now === 'mended') await rig.tamperDataKey(KEY, { blob });
  rig.deps = rig.freshHost();
  rig.log.entries.length = 0;
  rig.vaults.calls.length = 0;
  return rig;
}

async function remove(rig: Rig, table: TableName, partition: string, rowKey: string): Promise<void> {
  const { etag } = (await rig.store.read(table, partition, rowKey))!;
  await rig.store.write(table, partition, [{ kind: 'delete', rowKey, etag }]);
}

/** The store, with something done at the first write of a data key: before it, or after it with its answer lost. */
function disturbed(rig: Rig, when: 'before' | 'lost' | 'after', disturb: () => Promise<void>): Tables {
  let isFirst = true;
  return tablesBut(rig.store, {
    write: async (...write) => {
      if (write[0] !== 'datakeys' || !isFirst) return rig.store.write(...write);
      isFirst = false;
      if (when === 'before') await disturb();
      const written = await rig.store.write(...write);
      if (when !== 'before') await disturb();
      return when === 'lost' ? { outcome: 'unknown' } : written;
    },
  });
}

/** Somebody writes the same cells again. */
async function touch(rig: Rig, rowKey: string): Promise<void> {
  rig.store.tamper('datakeys', PARTITION, rowKey, (await rig.store.read('datakeys', PARTITION, rowKey))!.cells);
}

describe.each(BOTH)('a decision on a quarantined row (%s)', (_, decide, action, state, is) => {
  it('is logged and recorded by the name of the key, takes it off the list, and has the switch end', async () => {
    const rig = await waiting(is);
    expect(await decide(rig.deps, PLACE, ADMIN)).toEqual({ ok: true, value: undefined });
    expect((await rig.dataKey(KEY)).state).toBe(state);
    expect(rig.log.entries).toEqual([{ level: 'warning', event: action, detail: PLACE }]);
    expect(chainOf(rig.store).at(-1)).toMatchObject({ action, by: ADMIN.by, target: KEY, detail: '{"switchId":"s1"}' });
    expect(await rig.store.read('datakeys', PARTITION, quarantineRowKey(KEY))).toBeUndefined();
    expect(rig.queue.take()).toEqual({ format: 1, kind: 'advance', attempt: 0, ...place('s1') });
    expect(rig.queue.size).toBe(0);
  });

  it('leaves its shard where it stands', async () => {
    const rig = await waiting(is);
    const before = (await rig.shards())[SHARD]!;
    await decide(rig.deps, PLACE, ADMIN);
    const { cursor, phase, generation } = (await rig.shards())[SHARD]!;
    expect({ cursor, phase, generation }).toEqual({ cursor: before.cursor, phase: 'done', generation: 1 });
  });

  it('sends no message while the other shard has work left', async () => {
    const rig = await waiting(is);
    await rig.tamperShard(1 - SHARD, { phase: 'verify' });
    expect((await decide(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    expect(rig.queue.size).toBe(0);
  });

  it.each([
    ['keyring', keyringRowKey(KEYRING)],
    ['switch', switchRowKey(KEYRING, 's1')],
  ])('sends no message where the %s is gone meanwhile', async (_what, rowKey) => {
    const rig = await waiting(is);
    const tables = disturbed(rig, 'after', () => remove(rig, 'companies', COMPANY, rowKey));
    expect((await decide({ ...rig.deps, tables }, PLACE, ADMIN)).ok).toBe(true);
    expect(rig.queue.size).toBe(0);
  });

  it.each([
    ['the keyring is gone', (rig: Rig) => remove(rig, 'companies', COMPANY, keyringRowKey(KEYRING)), 'switch', 's1'],
    [
      'the switch is gone',
      (rig: Rig) => remove(rig, 'companies', COMPANY, switchRowKey(KEYRING, 's1')),
      'switch',
      's1',
    ],
    ['the shard is gone', (rig: Rig) => remove(rig, 'datakeys', PARTITION, SHARD_ROW_KEY), 'data-key', KEY],
    ['the data key is gone', (rig: Rig) => remove(rig, 'datakeys', PARTITION, KEY), 'data-key', KEY],
  ] as const)('finds nothing to decide where %s', async (_title, change, what, id) => {
    const rig = await waiting(is);
    await change(rig);
    const refused = await decide(rig.deps, PLACE, ADMIN);
    expect(refused).toEqual({ ok: false, error: { type: 'not-found', what, id } });
    expect([rig.log.entries, rig.queue.size]).toEqual([[], 0]);
  });

  it('is refused where the switch has ended, and where the row is not quarantined', async () => {
    const rig = await waiting(is);
    const other = await decide(rig.deps, { ...PLACE, keyId: 'key-000001' }, ADMIN);
    expect(other).toMatchObject({ error: { type: 'state', code: 'data-key-not-quarantined' } });
    await rig.tamperSwitch('s1', { state: 'completed' });
    expect(await decide(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { type: 'state', code: 'switch-ended' } });
    expect((await rig.dataKey(KEY)).state).toBe('quarantined');
  });

  it('is taken again where somebody else wrote the row first', async () => {
    const rig = await waiting(is);
    const tables = disturbed(rig, 'before', () => touch(rig, KEY));
    expect((await decide({ ...rig.deps, tables }, PLACE, ADMIN)).ok).toBe(true);
    expect((await rig.dataKey(KEY)).state).toBe(state);
  });

  it('is known as done by its record, though its answer was lost and others wrote shard and row since', async () => {
    const rig = await waiting(is);
    const tables = disturbed(rig, 'lost', async () => {
      await touch(rig, SHARD_ROW_KEY);
      await rig.tamperShard(SHARD, {});
      const key = { ...(await rig.dataKey(KEY)), writtenBy: 'other' };
      rig.store.tamper('datakeys', PARTITION, KEY, dataKeyCells(key));
    });
    expect(await decide({ ...rig.deps, tables }, PLACE, ADMIN)).toEqual({ ok: true, value: undefined });
  });

  it('is known as done by its row, though its answer was lost, another wrote the shard, and its record has gone on', async () => {
    const rig = await waiting(is);
    const tables = disturbed(rig, 'lost', async () => {
      await rig.tamperShard(SHARD, {});
      rig.clock.advance(LONG_MS);
      expect(await sweepOutboxes(rig.deps)).toBe(1);
    });
    expect(await decide({ ...rig.deps, tables }, PLACE, ADMIN)).toEqual({ ok: true, value: undefined });
  });
});

describe('retrying a quarantined row', () => {
  it('opens it by the vault in force, and compares it by way of the vault that the switch ends with', async () => {
    const rig = await waiting();
    await retryQuarantined(rig.deps, PLACE, ADMIN);
    const asked = rig.vaults.calls.filter(({ operation }) => operation === 'unwrap');
    expect(asked.map(({ host }) => host)).toEqual([VENDOR.host, CONTOSO_HOST]);
  });

  it('waits until its shard was turned', async () => {
    const rig = await waiting();
    await rig.tamperSwitch('s1', { generation: 2, state: 'rolling-back' });
    const busy = { ok: false, error: { type: 'busy', retryAfterSeconds: 2 } };
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toEqual(busy);
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it.each([1, 2])('is refused by name if company key %i is forged, and is for later if it is gone', async (version) => {
    const rig = await waiting();
    const rowKey = companyKeyRowKey(KEYRING, version);
    rig.store.tamper('companies', COMPANY, rowKey, { format: 1, wraps: 'none' });
    const forged = { error: { type: 'failure', failure: { code: 'row-forged' } } };
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toMatchObject(forged);
    await remove(rig, 'companies', COMPANY, rowKey);
    const busy = { ok: false, error: { type: 'busy', retryAfterSeconds: 2 } };
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toEqual(busy);
    expect((await rig.dataKey(KEY)).state).toBe('quarantined');
  });

  it('is refused where the row does not open still', async () => {
    const rig = await waiting();
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
    const refused = { error: { type: 'state', code: 'data-key-quarantined' } };
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toMatchObject(refused);
    expect([rig.log.entries, rig.queue.size]).toEqual([[], 0]);
  });
});

describe('accepting the loss of a row', () => {
  it.each([
    ['is at the older version', 1],
    ['says that it was moved', 2],
  ])('counts it as lost and at no version any more, where it %s', async (_, companyKeyVersion) => {
    const rig = await Rig.withDataKeys(12, { shardCount: SHARDS });
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61), companyKeyVersion });
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain();
    await recount(rig.deps, PLACE, ADMIN);
    await rig.drain();
    const before = (await rig.shards())[SHARD]!;
    await acceptLoss(rig.deps, PLACE, ADMIN);
    expect(before.aside).toEqual({ [companyKeyVersion]: 1 });
    const after = { live: before.live, quarantined: 0, lost: 1, at: before.at, aside: {} };
    expect((await rig.shards())[SHARD]).toMatchObject(after);
  });

  it('is refused where the row opens still, and a retry then saves it', async () => {
    const rig = await waiting('mended');
    const before = await rig.dataKey(KEY);
    const refused = { ok: false, error: { type: 'state', code: 'data-key-opens' } };
    expect(await acceptLoss(rig.deps, PLACE, ADMIN)).toMatchObject(refused);
    expect([await rig.dataKey(KEY), rig.queue.size]).toEqual([before, 0]);
    expect((await retryQuarantined(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    await rig.drain();
    expect(await rig.openByCaller()).toBe(12);
  });

  it.each([
    ['its former blob opens', { previous: 'blob', previousVersion: 1, blob: new Uint8Array(61), companyKeyVersion: 2 }],
    ['its label names the other version of the switch', { companyKeyVersion: 2 }],
    ['its label names no version that there is', { companyKeyVersion: 7 }],
  ] as const)('is refused where %s, and a retry saves it', async (_, change) => {
    const rig = await waiting('mended');
    const { blob } = await rig.dataKey(KEY);
    await rig.tamperDataKey(KEY, { ...change, ...('previous' in change ? { previous: blob } : {}) });
    expect(await acceptLoss(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { code: 'data-key-opens' } });
    expect((await retryQuarantined(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    expect(await rig.openByCaller()).toBe(12);
  });

  it('is refused where a company key of another version, which the row names, opens it', async () => {
    const rig = await waiting('broken');
    await rig.addCompanyKey(5);
    const { blob } = rig.wrapped(KEY, 5);
    await rig.tamperDataKey(KEY, { blob, companyKeyVersion: 5 });
    expect(await acceptLoss(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { code: 'data-key-opens' } });
    expect((await retryQuarantined(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'live', companyKeyVersion: 2 });
    expect(await rig.openByCaller()).toBe(12);
  });

  it('is not decided while no vault says whether it opens', async () => {
    const rig = await waiting('broken');
    rig.vaults.fail({ operation: 'any', failure: 'vault-unreachable' });
    expect(await acceptLoss(rig.deps, PLACE, ADMIN)).toMatchObject({ error: { failure: { kind: 'transient' } } });
    expect((await rig.dataKey(KEY)).state).toBe('quarantined');
  });

  it('is not decided while a company key of the switch is gone', async () => {
    const rig = await waiting('broken');
    await remove(rig, 'companies', COMPANY, companyKeyRowKey(KEYRING, 1));
    const busy = { ok: false, error: { type: 'busy', retryAfterSeconds: 2 } };
    expect(await acceptLoss(rig.deps, PLACE, ADMIN)).toEqual(busy);
  });
});

describe('a lost row that opens after all', () => {
  /** Lost, its switch still at work, and mended behind everybody's back. */
  async function lostAndMended(state: 'live' | 'deleted' = 'live'): Promise<{ rig: Rig; blob: Uint8Array }> {
    const rig = await Rig.withDataKeys(12, { shardCount: SHARDS });
    const { blob } = await rig.dataKey(KEY);
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61), state });
    const { live } = (await rig.shards())[SHARD]!;
    if (state === 'deleted') await rig.tamperShard(SHARD, { live: live - 1, deleted: 1 });
    // One more keeps the switch from ending.
    await rig.tamperDataKey('key-000005', { blob: new Uint8Array(61) });
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain();
    expect((await acceptLoss(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    await rig.drain();
    await expectExactCounts(rig);
    expect((await rig.shards())[SHARD]).toMatchObject({ lost: 1 });
    await rig.tamperDataKey(KEY, { blob });
    return { rig, blob };
  }

  it('comes back by retry, moved and counted', async () => {
    const { rig } = await lostAndMended();
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toEqual({ ok: true, value: undefined });
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'live', companyKeyVersion: 2, previousVersion: 0 });
    await expectExactCounts(rig);
  });

  it('stays as it is by a retry if it does not open still', async () => {
    const { rig } = await lostAndMended();
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
    const refused = { error: { type: 'state', code: 'data-key-lost' } };
    expect(await retryQuarantined(rig.deps, PLACE, ADMIN)).toMatchObject(refused);
    expect((await rig.dataKey(KEY)).state).toBe('lost');
    await expectExactCounts(rig);
  });

  it.each(['live', 'deleted'] as const)('comes back in the way back as what it was (%s)', async (state) => {
    const { rig } = await lostAndMended(state);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('cancelled');
    expect(await rig.dataKey(KEY)).toMatchObject({ state, companyKeyVersion: 1, stateBefore: undefined });
    await expectExactCounts(rig);
  });

  it('comes back in a later switch under whose company key it opens', async () => {
    const { rig, blob } = await lostAndMended();
    await rig.tamperDataKey(KEY, { blob: new Uint8Array(61) });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await rig.dataKey(KEY)).state).toBe('lost');
    await rig.tamperDataKey(KEY, { blob });
    await startSwitch(rig.deps, { ...place('s2'), target: CONTOSO }, ADMIN);
    await rig.drain();
    expect(await rig.dataKey(KEY)).toMatchObject({ state: 'live', companyKeyVersion: 3, previousVersion: 0 });
    await expectExactCounts(rig);
  });
});
