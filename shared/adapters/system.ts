// The process's own clock, timers, randomness and log. No SDK, no decisions.
import { setFlagsFromString } from 'node:v8';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { Clock, Entropy, Log, LogEntry, Timers } from '../operations/ports.ts';

export const systemClock: Clock = { now: () => new Date() };

/** One goes on in each round of the event loop, so that what came in meanwhile is handled between two of them. */
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

export const systemTimers: Timers = { sleep: (delayMs) => sleep(delayMs), turn: () => turns.next() };

export const systemEntropy: Entropy = { bytes: (count) => randomBytes(count), id: () => v7() };

/** One line of JSON for each entry, through `sink`: the Functions context's logger, or the console. */
export function jsonLog(sink: (level: LogEntry['level'], line: string) => void): Log {
  return {
    write: ({ level, event, detail }) => sink(level, JSON.stringify({ ...detail, level, event })),
  };
}

/**
 * Has V8 collect rather than grow. A switch makes much short-lived memory; left alone, V8 lets the heap of a large machine grow by
 * more than a hundred megabytes for it, although some ten are in use. The young generation stays as small as it begins, and the old
 * one is collected when it has grown by half. `--optimize-for-size` saves as much, but doubles what a request costs. Called once,
 * before anything else.
 */
export const keepHeapSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1 --heap-growing-percent=50');
