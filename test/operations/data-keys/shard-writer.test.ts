import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ok } from '../../../shared/domain/result.ts';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { newShard, SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import type { NewRow } from '../../../shared/operations/data-keys/shard-plan.ts';
import { ShardWriter } from '../../../shared/operations/data-keys/shard-writer.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { loadShard } from '../../../shared/store/shard-rows.ts';
import { FakeEntropy, FakeLog, FakeTimers } from '../../fakes/fake-system.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const placeOf = (shard: number) => ({ companyId: 'acme', keyringId: 'default', shard, shardCount: 2 });
const PLACE = placeOf(0);
const MOST_WAITING = 20_000;
const key = (keyId: string): NewRow => ({ kind: 'new', keyId, wrap: () => ({ createdBy: 'me' }) });
const keys = (count: number): NewRow[] => Array.from({ length: count }, (_, index) => key(`key-${index}`));

function bench(options?: { readonly maxDataKeysPerKeyring: number }) {
  const store = new FakeTables();
  for (const shard of [0, 1]) {
    const cells = shardCells(newShard({ writeVersion: 1, now: '2026-01-01T00:00:00.000Z' }), 'seed');
    store.tamper('datakeys', dataKeysPartition(placeOf(shard)), SHARD_ROW_KEY, cells);
  }
  const made = { store, sizes: [] as number[], reads: 0, away: 0, writer: undefined as unknown as ShardWriter };
  const tables = tablesBut(store, {
    read: (...place) => {
      made.reads += 1;
      return made.away-- > 0 ? Promise.reject(new StoreUnavailable('planted')) : store.read(...place);
    },
    write: (table, partition, writes) => (made.sizes.push(writes.length - 1), store.write(table, partition, writes)),
  });
  const companyKeys = { get: () => Promise.resolve(ok(createSecretKey(Buffer.alloc(32)))) };
  const deps = { tables, companyKeys, timers: new FakeTimers(), entropy: new FakeEntropy(), log: new FakeLog() };
  made.writer = new ShardWriter(deps, options);
  return made;
}

describe('the writer of a shard', () => {
  it('writes nothing where there is nothing to write', async () => {
    const { writer, reads, sizes } = bench();
    expect([await writer.write(PLACE, []), reads, sizes]).toEqual([[], 0, []]);
  });

  it('answers in the order of asking, in transactions of 99 rows at most', async () => {
    const { writer, sizes, store } = bench();
    const outcomes = await writer.write(PLACE, keys(250));
    expect(sizes).toEqual([99, 99, 52]);
    const etags = await Promise.all(
      keys(250).map(({ keyId }) => store.read('datakeys', dataKeysPartition(PLACE), keyId)),
    );
    expect(outcomes).toEqual(etags.map((row) => ({ outcome: 'written', etag: row?.etag })));
    expect((await loadShard(store, PLACE))?.value.live).toBe(250);
  });

  it('reads the shard once, as long as it alone writes it', async () => {
    const at = bench();
    await at.writer.write(PLACE, keys(150));
    await at.writer.write(PLACE, [key('later')]);
    expect([at.reads, at.sizes]).toEqual([1, [99, 51, 1]]);
  });

  it('keeps shards apart', async () => {
    const { writer, store, sizes } = bench();
    await Promise.all([writer.write(PLACE, keys(2)), writer.write(placeOf(1), keys(3))]);
    expect(sizes.toSorted()).toEqual([2, 3]);
    expect((await loadShard(store, placeOf(1)))?.value.live).toBe(3);
  });

  it('puts what comes together into one transaction, and one key only once', async () => {
    const { writer, sizes } = bench();
    const [one, two, again] = await Promise.all([
      writer.write(PLACE, [key('a')]),
      writer.write(PLACE, [key('b')]),
      writer.write(PLACE, [key('a'), key('c')]),
    ]);
    expect([one, two, again].flat().map(({ outcome }) => outcome)).toEqual(['written', 'written', 'exists', 'written']);
    expect(sizes[0]).toBe(3);
  });

  it('tells those for whom there is no room to come back, and nobody else', async () => {
    const { writer, sizes } = bench();
    const waiting = writer.write(PLACE, keys(MOST_WAITING));
    const busy = { outcome: 'refused', refusal: { type: 'busy', retryAfterSeconds: 1 } };
    expect(await writer.write(PLACE, [key('x'), key('y')])).toEqual([busy, busy]);
    expect((await waiting).every(({ outcome }) => outcome === 'written')).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(MOST_WAITING);
  });

  it('throws when the store is away, once all of the call is decided, and goes on', async () => {
    const at = bench();
    at.away = 1;
    const first = at.writer.write(PLACE, keys(150));
    const other = at.writer.write(PLACE, [key('other')]);
    await expect(first).rejects.toThrow(StoreUnavailable);
    expect(await other).toMatchObject([{ outcome: 'written' }]);
    expect((await loadShard(at.store, PLACE))?.value.live).toBe(52);
    expect(await at.writer.write(PLACE, [key('key-0')])).toMatchObject([{ outcome: 'written' }]);
  });

  it('keeps the limit of the keyring that it was given', async () => {
    const { writer } = bench({ maxDataKeysPerKeyring: 4 });
    const outcomes = await writer.write(PLACE, keys(3));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['written', 'written', 'refused']);
  });
});
