// One re-protection over the store that keeps nothing, by the product or bare. What the store itself takes is left out of the time.
import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import { barePasses } from './bare-passes.ts';
import { BenchCompany, type SwitchRun } from './company.ts';
import { KEYRING } from './seeded-company.ts';
import { NullStore } from './null-store.ts';
import { shardCells } from '../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../shared/store/rows/row-keys.ts';
import { newShard, SHARD_ROW_KEY } from '../shared/domain/shard.ts';

const COMPANY = 'acme';
const SHARDS = 16;

export interface NullRun extends SwitchRun {
  /** Without the store's own time. */
  readonly keysPerSecond: number;
}

function newStore(dataKeyCount: number, companyKey: (version: number) => Promise<KeyObject>): NullStore {
  return new NullStore({ companyId: COMPANY, keyringId: KEYRING, shardCount: SHARDS, dataKeyCount, companyKey });
}

/** The product: a switch from the order to its end. */
export async function reprotectNull(dataKeyCount: number): Promise<NullRun> {
  const store = newStore(dataKeyCount, (version) => company.companyKey(version));
  const rowCount = (shard: number): number => store.rowCount(shard);
  const company: BenchCompany = await BenchCompany.create(store, { companyId: COMPANY, shardCount: SHARDS, rowCount });
  store.ownMs = 0;
  const run = await company.switchProvider();
  return { ...run, keysPerSecond: rate(store, dataKeyCount, run.seconds) };
}

/** The same reads, AES and transactions, and nothing else. Keys per second. */
export async function bareNull(dataKeyCount: number): Promise<number> {
  const from = createSecretKey(Buffer.alloc(32, 1));
  const to = createSecretKey(Buffer.alloc(32, 2));
  const store = newStore(dataKeyCount, (version) => Promise.resolve(version === 1 ? from : to));
  for (let shard = 0; shard < SHARDS; shard += 1) {
    const cells = shardCells(newShard({ writeVersion: 1, now: '' }), 'seed');
    const partition = dataKeysPartition({ companyId: COMPANY, keyringId: KEYRING, shard });
    await store.write('datakeys', partition, [{ kind: 'insert', rowKey: SHARD_ROW_KEY, cells }]);
  }
  store.ownMs = 0;
  const begun = performance.now();
  await barePasses({ tables: store, companyId: COMPANY, shardCount: SHARDS, from, to });
  return rate(store, dataKeyCount, (performance.now() - begun) / 1000);
}

function rate(store: NullStore, dataKeyCount: number, seconds: number): number {
  if (store.checkedRows() !== dataKeyCount) throw new Error('not every row went through both passes');
  return dataKeyCount / (seconds - store.ownMs / 1000);
}
