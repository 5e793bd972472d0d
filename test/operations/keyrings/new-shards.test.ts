// The shards of a new keyring: all of them, and never over one that holds data keys.
import { describe, expect, it } from 'vitest';
import { readShard, shardCells } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { newShard, SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import { insertShards } from '../../../shared/operations/keyrings/new-shards.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { FakeClock, FakeEntropy } from '../../fakes/fake-system.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../../fakes/tables-but.ts';

const KEYRING = { companyId: 'acme', keyringId: 'default', shardCount: 3, writeVersion: 5 };
const NEW = newShard({ writeVersion: 5, now: '2026-01-01T00:00:00.000Z' });
const IN_USE: Shard = { ...NEW, live: 7, at: { 5: 7 } };

const partition = (shard: number): string => dataKeysPartition({ ...KEYRING, shard });
const put = (store: FakeTables, shard: number, value: Shard): void =>
  store.tamper('datakeys', partition(shard), SHARD_ROW_KEY, shardCells(value, 'somebody'));
const shardsIn = (store: FakeTables): (Shard | undefined)[] =>
  [0, 1, 2].map((shard) => {
    const row = store.peek('datakeys', partition(shard), SHARD_ROW_KEY);
    return row && readShard(row.cells);
  });
const insert = (tables: Tables): Promise<boolean> =>
  insertShards({ tables, clock: new FakeClock(), entropy: new FakeEntropy() }, KEYRING);

describe('the shards of a new keyring', () => {
  it('are all there, and empty', async () => {
    const store = new FakeTables();
    expect(await insert(store)).toBe(true);
    expect(shardsIn(store)).toEqual([NEW, NEW, NEW]);
  });

  it.each(MISHAPS)('are all there where the first write ends as %s', async (mishap) => {
    const store = new FakeTables();
    expect(await insert(tablesTripping(store, SHARD_ROW_KEY, { mishap }))).toBe(true);
    expect(shardsIn(store)).toEqual([NEW, NEW, NEW]);
  });

  it.each([5, 6])('are left as they are where they hold data keys of version %i', async (writeVersion) => {
    const store = new FakeTables();
    const inUse = { ...IN_USE, writeVersion };
    put(store, 1, inUse);
    const before = store.peek('datakeys', partition(1), SHARD_ROW_KEY);
    expect(await insert(store)).toBe(true);
    expect(shardsIn(store)).toEqual([NEW, inUse, NEW]);
    expect(store.peek('datakeys', partition(1), SHARD_ROW_KEY)).toEqual(before);
  });

  it('are not told of as there while it cannot be told of one of them', async () => {
    const store = new FakeTables();
    let lost = 0;
    const tables = tablesBut(store, {
      write: (table, partitionKey, writes) => {
        if (partitionKey !== partition(1)) return store.write(table, partitionKey, writes);
        lost += 1;
        return Promise.resolve({ outcome: 'unknown' });
      },
    });
    expect(await insert(tables)).toBe(false);
    expect(lost).toBe(3);
    expect(shardsIn(store)).toEqual([NEW, undefined, NEW]);
    expect(await insert(store)).toBe(true);
    expect(shardsIn(store)).toEqual([NEW, NEW, NEW]);
  });
});
