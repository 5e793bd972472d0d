// The `!shard` rows of a keyring: reading them, and the first write of every transaction on a `datakeys` partition.
import { at, find, type At } from './found.ts';
import { shardCells, shardRow } from './rows/data-rows.ts';
import { SHARD_ROW_KEY, type Shard, type ShardPlace } from '../domain/shard.ts';
import { describeCounts, hasCountBelowNone } from '../domain/shard-counts.ts';
import { MAX_WRITES_PER_TRANSACTION, type RowWrite, type Tables, type WriteOutcome } from './tables.ts';
import type { Log } from '../domain/ports.ts';

export type { ShardPlace } from '../domain/shard.ts';

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
  const row = await find(tables, shardRow, place);
  return row && { value: row.value.shard, etag: row.etag, writtenBy: row.value.writtenBy };
}

/** Every shard of a keyring, read side by side; undefined where one is missing. */
export function loadShards(tables: Pick<Tables, 'read'>, keyring: Sharded): Promise<(LoadedShard | undefined)[]> {
  return Promise.all(shardPlaces(keyring).map((place) => loadShard(tables, place)));
}

export interface ShardChange {
  /** The shard as it was read. */
  readonly from: Pick<LoadedShard, 'etag'>;
  readonly next: Shard;
  /** The request or worker turn that writes it: after a lost answer this shows whose write it was. */
  readonly writtenBy: string;
  /** At most MAX_ROWS_BEHIND_SHARD. */
  readonly rows?: readonly RowWrite[];
}

export const MAX_ROWS_BEHIND_SHARD = MAX_WRITES_PER_TRANSACTION - 1;

/**
 * The write that must open every transaction on a `datakeys` partition (invariant A1). Merge, since every cell is written: Azure and Azurite
 * do it faster than a replace.
 */
const shardWrite = (next: Shard, guard: { readonly etag: string; readonly writtenBy: string }): RowWrite => ({
  kind: 'merge',
  rowKey: SHARD_ROW_KEY,
  cells: shardCells(next, guard.writtenBy),
  etag: guard.etag,
});

/** The writes of a transaction on a shard, its own row first. */
export function behindShard(
  place: ShardPlace,
  { from, next, writtenBy, rows = [] }: ShardChange,
): { readonly at: At<Shard>; readonly writes: readonly [RowWrite, ...RowWrite[]] } {
  if (rows.length > MAX_ROWS_BEHIND_SHARD) throw new Error('too many rows for one transaction');
  const there = at(shardRow, place);
  const row = { cells: (shard: Shard) => shardCells(shard, writtenBy) };
  return { at: { ...there, row }, writes: [shardWrite(next, { etag: from.etag, writtenBy }), ...rows] };
}

/** Writes a shard and rows behind it in one transaction. */
export function writeBehindShard(
  tables: Pick<Tables, 'write'>,
  place: ShardPlace,
  change: ShardChange,
): Promise<WriteOutcome> {
  const { at: there, writes } = behindShard(place, change);
  return tables.write(there.table, there.partitionKey, writes);
}

/** Logs a write that takes a count below zero: rows were written past Keyswitch, and the shard's switch cannot end. */
export function logCountsBelowNone(
  log: Log,
  { companyId, keyringId, shard }: ShardPlace,
  { before, after }: { readonly before: Shard; readonly after: Shard },
): void {
  if (!hasCountBelowNone(after) || hasCountBelowNone(before)) return;
  const detail = { companyId, keyringId, shard, counts: describeCounts(after) };
  log.write({ level: 'error', event: 'security.count-below-none', detail });
}
