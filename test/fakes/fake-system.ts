// Clock, timers, entropy and log for tests: time stands still until it is moved, and entropy repeats from a seed.
import { createHash } from 'node:crypto';
import { ClockGuard } from '../../shared/store/clock-guard.ts';
import type { Clock, Entropy, Log, LogEntry, Timers } from '../../shared/domain/ports.ts';

export class FakeClock implements Clock {
  #nowMs: number;
  #setBackMs = 0;

  constructor(at = '2026-01-01T00:00:00.000Z') {
    this.#nowMs = Date.parse(at);
  }

  steadyMs(): number {
    return this.#nowMs + this.#setBackMs;
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  advanceTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  /** As an operator or a time server sets a clock right that was ahead. */
  setBack(ms: number): void {
    this.#nowMs -= ms;
    this.#setBackMs += ms;
  }
}

/** One that is so far ahead of another, or behind it. */
export const aheadOf = (clock: Clock, aheadMs: number): Clock => ({
  now: () => new Date(clock.now().getTime() + aheadMs),
  steadyMs: () => clock.steadyMs() + aheadMs,
});

/** Of a host whose clock is the store's, unless it is said to be ahead. */
export const clockGuardOf = (deps: { readonly clock: Clock; readonly log: Log }, hostIsAheadMs = 0): ClockGuard =>
  new ClockGuard({ ...deps, storeClock: { aheadMs: () => -hostIsAheadMs } });

/** A sleep takes no time, but lets others go first. */
export class FakeTimers implements Timers {
  sleep(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  yield(): Promise<void> {
    return this.sleep();
  }
}

/** SHA-256 in counter mode over a seed. */
export class FakeEntropy implements Entropy {
  readonly #seed: string;
  #counter = 0;
  #ids = 0;

  constructor(seed = 'entropy') {
    this.#seed = seed;
  }

  bytes(count: number): Uint8Array {
    const out = Buffer.alloc(count);
    for (let at = 0; at < count; at += 32) {
      this.#counter += 1;
      createHash('sha256').update(`${this.#seed}|${this.#counter}`).digest().copy(out, at);
    }
    return out;
  }

  id(): string {
    this.#ids += 1;
    return `00000000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

export class FakeLog implements Log {
  readonly entries: LogEntry[] = [];

  write(entry: LogEntry): void {
    this.entries.push(entry);
  }

  events(): string[] {
    return this.entries.map((entry) => entry.event);
  }
}
