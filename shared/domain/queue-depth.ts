// How full a queue is, as far as its first messages show. Pure.

/** A message as a peek shows it. `active`: it waits for a worker, or a worker has it. */
export interface Peeked {
  readonly state: 'active' | 'deferred' | 'scheduled';
  readonly enqueuedAt?: Date;
}

export interface QueueDepth {
  /** Waiting for a worker, or with one. */
  readonly ready: number;
  /** Waiting for their time. */
  readonly scheduled: number;
  /** When the oldest ready one came. */
  readonly oldestAt?: string;
  /** Given up by the queue, and not yet taken by the app, which records them. */
  readonly deadLetters: number;
  /** False if there may be more than was looked at. */
  readonly isWhole: boolean;
}

export function depthOf(messages: readonly Peeked[], deadLetters: readonly Peeked[], most: number): QueueDepth {
  const ready = messages.filter(({ state }) => state === 'active');
  const [oldest] = ready.flatMap(({ enqueuedAt }) => enqueuedAt?.toISOString() ?? []).toSorted();
  return {
    ready: ready.length,
    scheduled: messages.filter(({ state }) => state === 'scheduled').length,
    ...(oldest === undefined ? {} : { oldestAt: oldest }),
    deadLetters: deadLetters.length,
    isWhole: messages.length < most && deadLetters.length < most,
  };
}
