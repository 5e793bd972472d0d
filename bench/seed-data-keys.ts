// Data keys of a company written to real tables, under company key 1, spread over its shards by their ids.
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES, wrapDataKey } from '../shared/domain/data-key-blob.ts';
import { dataKeyCells } from '../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../shared/store/rows/row-keys.ts';
import { shardOf } from '../shared/domain/shard.ts';
import { MAX_WRITES_PER_TRANSACTION, type RowWrite, type Tables } from '../shared/store/tables.ts';
import { KEYRING } from './seeded-company.ts';
import { SeededEntropy } from './seeded-entropy.ts';

const KEY_ID_DIGITS = 8;

/** The ids of so many data keys, by shard. */
export function dataKeyIds(count: number, shardCount: number): readonly (readonly string[])[] {
  const shards = Array.from({ length: shardCount }, (): string[] => []);
  for (let index = 0; index < count; index += 1) {
    const keyId = `key-${String(index).padStart(KEY_ID_DIGITS, '0')}`;
    shards[shardOf(keyId, shardCount)]?.push(keyId);
  }
  return shards;
}

export async function seedDataKeys(
  tables: Tables,
  options: { readonly companyId: string; readonly companyKey: KeyObject; readonly ids: readonly (readonly string[])[] },
): Promise<void> {
  const { companyId, companyKey, ids } = options;
  const entropy = new SeededEntropy(`data keys of ${companyId}`);
  const write = (keyId: string): RowWrite => {
    const context = { companyId, keyringId: KEYRING, keyId, companyKeyVersion: 1 };
    const nonce = entropy.bytes(DATA_KEY_NONCE_BYTES);
    const cells = dataKeyCells({
      keyId,
      state: 'live',
      origin: 'generated',
      blob: wrapDataKey({ companyKey, context, nonce, plaintext: entropy.bytes(32) }),
      companyKeyVersion: 1,
      previous: new Uint8Array(0),
      previousVersion: 0,
      createdBy: 'seed',
      writtenBy: 'seed',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    return { kind: 'insert', rowKey: keyId, cells };
  };
  for (const [shard, keyIds] of ids.entries()) {
    const partition = dataKeysPartition({ companyId, keyringId: KEYRING, shard });
    for (let start = 0; start < keyIds.length; start += MAX_WRITES_PER_TRANSACTION) {
      const writes = keyIds.slice(start, start + MAX_WRITES_PER_TRANSACTION).map(write);
      const written = await tables.write('datakeys', partition, writes);
      if (written.outcome !== 'committed') throw new Error(`seeding failed: ${written.outcome}`);
    }
  }
}
