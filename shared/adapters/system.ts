// The process's own clock, timers, randomness and log. No SDK, no decisions.
import { setFlagsFromString } from 'node:v8';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { Clock, Entropy, Log, LogEntry, Timers } from '../domain/ports.ts';

/** As the faster of two clocks: one that may be set back, and one that stands still while the machine sleeps. */
export function steadily(wallMs: () => number, runningMs: () => number): () => number {
  let mostAheadMs = -Infinity;
  return () => {
    const atMs = runningMs();
    mostAheadMs = Math.max(mostAheadMs, wallMs() - atMs);
    return atMs + mostAheadMs;
  };
}

export const systemClock: Clock = {
  now: () => new Date(),
  steadyMs: steadily(
    () => Date.now(),
    () => performance.now(),
  ),
};

/** Lets one caller go on in each round of the event loop, so that other work is handled in between. */
class Turns {
  readonly #waiting: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(this.#letOneGo);
    });
  }

  readonly #letOneGo = (): void => {
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#letOneGo);
  };
}

const turns = new Turns();

export const systemTimers: Timers = { sleep: (delayMs) => sleep(delayMs), yield: () => turns.next() };

const RANDOM_BYTES = 16;
const IDS_AT_ONCE = 256;

/**
 * Draws random bytes for many ids at once: drawing sixteen costs more than the rest of an id, and each call needs one. Ids are no secrets. Ids of one
 * millisecond count up, as `v7` without options makes them (RFC 9562, 6.2, method 1).
 */
class Ids {
  #random = Buffer.alloc(0);
  #msecs = 0;
  #seq = 0;

  next(): string {
    if (this.#random.length === 0) this.#random = randomBytes(IDS_AT_ONCE * RANDOM_BYTES);
    const random = this.#random.subarray(0, RANDOM_BYTES);
    this.#random = this.#random.subarray(RANDOM_BYTES);
    const now = Date.now();
    this.#seq = now > this.#msecs ? random.readUInt32BE() >>> 1 : this.#seq + 1;
    this.#msecs = Math.max(now, this.#msecs);
    return v7({ random, msecs: this.#msecs, seq: this.#seq });
  }
}

const ids = new Ids();

export const systemEntropy: Entropy = { bytes: (count) => randomBytes(count), id: () => ids.next() };

/** Writes each entry as one line of JSON to `sink`: the Functions context's logger, or the console. */
export function jsonLog(sink: (level: LogEntry['level'], line: string) => void): Log {
  return {
    write: ({ level, event, detail }) => sink(level, JSON.stringify({ ...detail, level, event })),
  };
}

/**
 * Makes V8 collect garbage rather than grow. A switch makes much short-lived memory, and on a large machine V8 would let the heap grow by more than a
 * hundred megabytes, of which some ten are in use. The young generation keeps its first size, and the old one is collected when it has grown by
 * half. `--optimize-for-size` saves as much but doubles what a request costs. Call it once, before anything else.
 */
export const keepHeapSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1 --heap-growing-percent=50');
