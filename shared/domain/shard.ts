// The `!shard` row: the part of a keyring's state that every write to its partition carries, If-Match. Pure. Each function
// answers the shard's next state; whoever writes it beside its data rows in one transaction keeps counts, cursor and rows
// together, and whatever froze with an older ETag cannot write.
import { hash } from 'node:crypto';
import { allAreAt, areDoneAt, countsAfter, NO_ROWS, type RowMove, type ShardCounts } from './shard-counts.ts';

/** Towards the higher company-key version, or back to the lower one. */
export type Direction = 'forward' | 'back';

/** `rewrap`: first pass. `verify`: second pass, opening every row anew. `done` never goes back within a generation. */
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
  /** The company-key version that rows are moved away from; 0 if there never was one. */
  readonly fromVersion: number;
  /** The company-key version under which new data keys are written, and the one that rows are moved to. */
  readonly writeVersion: number;
  /** Every row up to this key id has been handled in this phase; empty at its start. */
  readonly cursor: string;
  /** How many rows the second pass has opened anew; 0 before it. For progress only: it also counts rows that need no opening. */
  readonly checked: number;
  /** How often in this generation a pass came to its end and the counts said that it had not seen all. */
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

/** Generation, direction and both versions: a shard that has only the generation in common was turned in some other life of it. */
export const isTurnedTo = (shard: Shard, turn: Turn): boolean =>
  shard.generation === turn.generation &&
  shard.direction === turn.direction &&
  shard.fromVersion === turn.fromVersion &&
  shard.writeVersion === turn.writeVersion;

/** Whether it has nothing left to do in this very turn: a `done` of another life of the same generation does not count. */
export const isDoneIn = (shard: Shard | undefined, turn: Turn): boolean =>
  // invariant A25
  shard !== undefined && isTurnedTo(shard, turn) && shard.phase === 'done';

/**
 * Turns the shard to a newer generation. The counts stay as they are: they are per version. Undefined if the shard is already at that
 * generation or a newer one: generations only go up.
 */
export function turned(shard: Shard, turn: Turn): Shard | undefined {
  // invariants 3 and A6
  if (turn.generation <= shard.generation) return undefined;
  const { generation, direction, fromVersion, writeVersion } = turn;
  const begun = { phase: 'rewrap', cursor: '', checked: 0, vain: 0 } as const;
  return { ...shard, generation, direction, fromVersion, writeVersion, ...begun };
}

/** The shard after rows have moved. See countsAfter: the only way in which counts change (invariants 4 and A3). */
export const counted = (shard: Shard, moves: Iterable<RowMove>): Shard => ({
  ...shard,
  ...countsAfter(shard, moves, versionsOfTurn(shard)),
});

/** Each has an entry in the counts of its own, whatever else is there. */
export const versionsOfTurn = ({ fromVersion, writeVersion }: Shard): readonly number[] => [fromVersion, writeVersion];

/** So many passes in vain, and somebody has to look: a list that is answered short twice is no accident. */
export const MAX_VAIN_PASSES = 2;

/**
 * The shard when a pass has come to its last row. It goes on, to the second pass or to `done`, only if the counts say that every row was
 * seen; else the pass begins anew. What a list left out, for whatever reason, is so never taken for done.
 */
export function afterLastRow(shard: Shard, cursor: string): Shard {
  // invariant A4: the counts decide, and not that a list was over
  const { phase, writeVersion } = shard;
  if (phase === 'verify' && areDoneAt(shard, writeVersion)) return { ...shard, phase: 'done', cursor };
  if (phase === 'rewrap' && allAreAt(shard, writeVersion)) return { ...shard, phase: 'verify', cursor: '' };
  const again = allAreAt(shard, writeVersion) ? 'verify' : 'rewrap';
  return { ...shard, phase: again, cursor: '', checked: 0, vain: shard.vain + 1 };
}
