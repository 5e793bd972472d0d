// The `!shard` row: the part of a keyring's state that every write to its partition carries, If-Match. Pure. Each function answers the shard's
// next state. Written with its data rows in one transaction, it keeps counts, cursor and rows together; a worker that was frozen holds
// an older ETag and cannot write.
import { hash } from 'node:crypto';
import { allAreAt, areDoneAt, countsAfter, NO_ROWS, type RowMove, type ShardCounts } from './shard-counts.ts';

/** Towards the higher company-key version, or back to the lower one. */
export type Direction = 'forward' | 'back';

/** `rewrap`: first pass. `verify`: second pass, opening every row again. `done` never goes back within a generation. */
export type Phase = 'rewrap' | 'verify' | 'done';

export interface ShardPlace {
  readonly companyId: string;
  readonly keyringId: string;
  readonly shard: number;
}

export interface Shard extends ShardCounts {
  readonly generation: number;
  readonly direction: Direction;
  readonly phase: Phase;
  /** The company-key version that rows are moved away from; 0 in a new keyring. */
  readonly fromVersion: number;
  /** The company-key version for new data keys, which rows are moved to. */
  readonly writeVersion: number;
  /** Every row up to this key id has been handled in this phase; empty at its start. */
  readonly cursor: string;
  /** How many rows the second pass has been through; 0 before it. For progress only. */
  readonly checked: number;
  /** How often in this generation a pass reached its end and the counts showed that it had missed rows. */
  readonly vain: number;
  /** Closed to every new data key while the company is being deleted. */
  readonly closed: boolean;
  readonly touchedAt: string;
}

export const SHARD_ROW_KEY = '!shard';

/** Which shard a data key lives in. Fixed for ever: the number of shards of a keyring never changes. */
export function shardOf(keyId: string, shardCount: number): number {
  return hash('sha256', keyId, 'buffer').readUInt32BE(0) % shardCount;
}

export function newShard(input: { readonly writeVersion: number; readonly now: string }): Shard {
  return {
    generation: 0,
    direction: 'forward',
    phase: 'done',
    fromVersion: 0,
    writeVersion: input.writeVersion,
    cursor: '',
    ...NO_ROWS,
    checked: 0,
    vain: 0,
    closed: false,
    touchedAt: input.now,
  };
}

export interface Turn {
  readonly generation: number;
  readonly direction: Direction;
  readonly fromVersion: number;
  readonly writeVersion: number;
}

/** Compares generation, direction and both versions: after a restore, a shard may share only the generation. */
export const isTurnedTo = (shard: Shard, turn: Turn): boolean =>
  shard.generation === turn.generation &&
  shard.direction === turn.direction &&
  shard.fromVersion === turn.fromVersion &&
  shard.writeVersion === turn.writeVersion;

/** Whether it has nothing left to do in this turn: a `done` of another turn with the same generation does not count. */
export const isDoneIn = (shard: Shard | undefined, turn: Turn): boolean =>
  // invariant A25
  shard !== undefined && isTurnedTo(shard, turn) && shard.phase === 'done';

/**
 * Turns the shard to a newer generation. The counts stay, because they are per version. Undefined if the shard is already at that generation or a
 * newer one: generations only go up.
 */
export function turned(shard: Shard, turn: Turn): Shard | undefined {
  // invariants 3 and A6
  if (turn.generation <= shard.generation) return undefined;
  const { generation, direction, fromVersion, writeVersion } = turn;
  const begun = { phase: 'rewrap', cursor: '', checked: 0, vain: 0 } as const;
  return { ...shard, generation, direction, fromVersion, writeVersion, ...begun };
}

/** The shard after rows have moved: the only way in which its counts change (countsAfter; invariants 4 and A3). */
export const counted = (shard: Shard, moves: Iterable<RowMove>): Shard => ({
  ...shard,
  ...countsAfter(shard, moves, versionsOfTurn(shard)),
});

/** They always have their own entries in the counts. */
export const versionsOfTurn = ({ fromVersion, writeVersion }: Shard): readonly number[] => [fromVersion, writeVersion];

/** After so many passes that missed rows an admin has to look: lists that fall short twice are no accident. */
export const MAX_VAIN_PASSES = 2;

/**
 * The shard after a pass has reached its last row. It goes on, to the second pass or to `done`, only if the counts show that the pass saw every row;
 * otherwise the pass starts again. So rows that a list left out are never taken for done.
 */
export function afterLastRow(shard: Shard, cursor: string): Shard {
  // invariant A4: the counts decide, and not that a list was over
  const { phase, writeVersion } = shard;
  if (phase === 'verify' && areDoneAt(shard, writeVersion)) return { ...shard, phase: 'done', cursor };
  if (phase === 'rewrap' && allAreAt(shard, writeVersion)) return { ...shard, phase: 'verify', cursor: '' };
  const again = allAreAt(shard, writeVersion) ? 'verify' : 'rewrap';
  return { ...shard, phase: again, cursor: '', checked: 0, vain: shard.vain + 1 };
}
