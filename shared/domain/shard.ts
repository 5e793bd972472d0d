// The `!shard` row: the part of a keyring's state that every write to its partition carries, If-Match. Pure. Each function
// answers the shard's next state; whoever writes it beside its data rows in one transaction keeps counts, cursor and rows
// together, and whatever froze with an older ETag cannot write.
import { createHash } from 'node:crypto';

/** Towards the higher company-key version, or back to the lower one. */
export type Direction = 'forward' | 'back';

/** `rewrap`: first pass. `verify`: second pass, opening every row anew. `done` never goes back within a generation. */
export type Phase = 'rewrap' | 'verify' | 'done';

export interface Shard {
  readonly generation: number;
  readonly direction: Direction;
  readonly phase: Phase;
  /** The company-key version that rows are moved away from; 0 if there never was one. */
  readonly fromVersion: number;
  /** The company-key version under which new data keys are written, and the one that rows are moved to. */
  readonly writeVersion: number;
  /** Every row up to this key id has been handled in this phase; empty at its start. */
  readonly cursor: string;
  readonly live: number;
  readonly deleted: number;
  readonly quarantined: number;
  readonly lost: number;
  /** How many of live, deleted and quarantined are at `writeVersion`. */
  readonly done: number;
  /** How many rows the second pass has opened anew; 0 before it. */
  readonly checked: number;
  /** Closed to every new data key while the company is being deleted. */
  readonly closed: boolean;
  readonly touchedAt: string;
}

export const SHARD_ROW_KEY = '!shard';

/** Which shard a data key lives in. Fixed for ever: the number of shards of a keyring never changes. */
export function shardOf(keyId: string, shardCount: number): number {
  return createHash('sha256').update(keyId, 'utf8').digest().readUInt32BE(0) % shardCount;
}

export function newShard(input: { readonly writeVersion: number; readonly now: string }): Shard {
  return {
    generation: 0,
    direction: 'forward',
    phase: 'done',
    fromVersion: 0,
    writeVersion: input.writeVersion,
    cursor: '',
    live: 0,
    deleted: 0,
    quarantined: 0,
    lost: 0,
    done: 0,
    checked: 0,
    closed: false,
    touchedAt: input.now,
  };
}

/** Everything that still has a blob which a pass must move: lost rows and tombstones are skipped. */
export const movable = (shard: Shard): number => shard.live + shard.deleted + shard.quarantined;

export const total = (shard: Shard): number => movable(shard) + shard.lost;

export interface Turn {
  readonly generation: number;
  readonly direction: Direction;
  readonly fromVersion: number;
  readonly writeVersion: number;
}

/**
 * Turns the shard to a newer generation. Undefined if the shard is already at that generation or a newer one:
 * generations only go up.
 */
export function turned(shard: Shard, turn: Turn): Shard | undefined {
  if (turn.generation <= shard.generation) return undefined;
  return { ...shard, ...turn, phase: 'rewrap', cursor: '', checked: 0, done: rowsAt(shard, turn.writeVersion) };
}

/** How many movable rows are at `version`, which is one of the shard's two, or new to it. */
function rowsAt(shard: Shard, version: number): number {
  if (version === shard.writeVersion) return shard.done;
  if (version === shard.fromVersion) return atLeastNone(movable(shard) - shard.done);
  return 0;
}

/** A change in what the shard counts, as a data row moves between states and versions. */
export interface CountChange {
  readonly live?: number;
  readonly deleted?: number;
  readonly quarantined?: number;
  readonly lost?: number;
  readonly done?: number;
}

/**
 * Exact, as long as nobody but Keyswitch writes data rows. Whoever relabels one behind its back must not make the shard itself
 * unreadable by a count below none.
 */
export function counted(shard: Shard, change: CountChange): Shard {
  return {
    ...shard,
    live: atLeastNone(shard.live + (change.live ?? 0)),
    deleted: atLeastNone(shard.deleted + (change.deleted ?? 0)),
    quarantined: atLeastNone(shard.quarantined + (change.quarantined ?? 0)),
    lost: atLeastNone(shard.lost + (change.lost ?? 0)),
    done: atLeastNone(shard.done + (change.done ?? 0)),
  };
}

const atLeastNone = (count: number): number => Math.max(0, count);

export const sumOfChanges = (a: CountChange, b: CountChange): CountChange => ({
  live: (a.live ?? 0) + (b.live ?? 0),
  deleted: (a.deleted ?? 0) + (b.deleted ?? 0),
  quarantined: (a.quarantined ?? 0) + (b.quarantined ?? 0),
  lost: (a.lost ?? 0) + (b.lost ?? 0),
  done: (a.done ?? 0) + (b.done ?? 0),
});
