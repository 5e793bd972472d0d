// The `!shard` rows of a keyring: reading them, and the first write of every transaction on a `datakeys` partition.
import { dataKeysPartition } from './rows/row-keys.ts';
import { readShard, shardCells, shardWrittenBy } from './rows/data-rows.ts';
import { SHARD_ROW_KEY, type Shard } from '../domain/shard.ts';
import { describeCounts, hasCountBelowNone } from '../domain/shard-counts.ts';
import type { RowWrite, Tables } from './tables.ts';
import type { Log } from '../domain/ports.ts';

export interface ShardPlace {
  readonly companyId: string;
  readonly keyringId: string;
  readonly shard: number;
}

export interface LoadedShard {
  readonly value: Shard;
  readonly etag: string;
  readonly writtenBy: string;
}

interface Sharded {
  readonly companyId: string;
  readonly keyringId: string;
  readonly shardCount: number;
}

/** Every shard of a keyring, in order. */
export const shardPlaces = ({ companyId, keyringId, shardCount }: Sharded): ShardPlace[] =>
  Array.from({ length: shardCount }, (_, shard) => ({ companyId, keyringId, shard }));

/** Undefined only before the keyring is ready or after its company is gone. */
export async function loadShard(tables: Pick<Tables, 'read'>, place: ShardPlace): Promise<LoadedShard | undefined> {
  const row = await tables.read('datakeys', dataKeysPartition(place), SHARD_ROW_KEY);
  return row && { value: readShard(row.cells), etag: row.etag, writtenBy: shardWrittenBy(row.cells) };
}

/** Every shard of a keyring, read side by side; undefined where one is missing. */
export function loadShards(tables: Pick<Tables, 'read'>, keyring: Sharded): Promise<(LoadedShard | undefined)[]> {
  return Promise.all(shardPlaces(keyring).map((place) => loadShard(tables, place)));
}

/**
 * The write that must open every transaction on a `datakeys` partition (invariant A1). Merge, since every cell is written: Azure and Azurite
 * do it faster than a replace.
 */
export const shardWrite = (next: Shard, guard: { readonly etag: string; readonly writtenBy: string }): RowWrite => ({
  kind: 'merge',
  rowKey: SHARD_ROW_KEY,
  cells: shardCells(next, guard.writtenBy),
  etag: guard.etag,
});

/** Whoever writes a shard by which a count falls below none says so: rows were written past Keyswitch. The switch of it will not end. */
export function logCountsBelowNone(
  log: Log,
  { companyId, keyringId, shard }: ShardPlace,
  { before, after }: { readonly before: Shard; readonly after: Shard },
): void {
  if (!hasCountBelowNone(after) || hasCountBelowNone(before)) return;
  const detail = { companyId, keyringId, shard, counts: describeCounts(after) };
  log.write({ level: 'error', event: 'security.count-below-none', detail });
}
