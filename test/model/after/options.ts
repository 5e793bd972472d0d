// How a torn copy comes to be the live store, what is done about it before service, and how much may happen in a history.
import type { Budget, State } from './state.ts';

export interface AfterOptions extends Budget {
  /** `region`: any two instants that the waits allow, ETags as they were. `restore`: data first, control after it, new ETags. */
  readonly kind: 'region' | 'restore';
  readonly waits: readonly ('prepare' | 'turn' | 'commit' | 'end')[];
  /** Before service a generation above all is begun, and every shard is pointed at its version, under a new ETag. */
  readonly isRepaired: boolean;
  /** `highVersion` is raised far beyond that of the copy. */
  readonly hasMargin: boolean;
  /** Hosts forget what they hold before service. */
  readonly isRestarted: boolean;
  /** A kept company key goes by date alone, or only when no shard has a row there. */
  readonly deletion: 'by-date' | 'on-proof';
  /** A pass moves rows at kept versions; else they are quarantined. */
  readonly passMovesKept: boolean;
  /** What is no fault: a stuck switch and a new key under a kept version; or everything but a lost key. */
  readonly tolerated: 'nothing' | 'standing-still' | 'all-but-loss';
  readonly hasReaders: boolean;
  readonly hasFreezingWorker: boolean;
  readonly hasFreezingCommitter: boolean;
}

export const AFTER: AfterOptions = {
  kind: 'region',
  waits: ['prepare'],
  isRepaired: true,
  hasMargin: true,
  isRestarted: false,
  deletion: 'on-proof',
  passMovesKept: true,
  tolerated: 'nothing',
  switches: 2,
  cancels: 1,
  forwards: 1,
  writes: 0,
  hasReaders: false,
  hasFreezingWorker: true,
  hasFreezingCommitter: true,
};

export function initialState({ switches, cancels, forwards, writes }: AfterOptions): State {
  const first = { version: 1, made: 1 };
  return {
    control: { state: 'idle', lower: 0, higher: 0, active: 1, high: 1, generation: 0, keys: [first], kept: [] },
    shard: { etag: 1, generation: 0, to: 1, phase: 'done', rows: [first] },
    left: { switches, cancels, forwards, writes },
    controlCopy: undefined,
    shardCopy: undefined,
    preparedLate: false,
    doneLate: false,
    turnedLate: false,
    isOver: false,
    made: 1,
    etag: 1,
    cache: [],
    writer: undefined,
    worker: undefined,
    committer: undefined,
    wrong: '',
  };
}
