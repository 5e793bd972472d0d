// Limits how many refusals of one action, and how many detections of one action on one target, a process records for a company in a minute. The counts
// are in memory, so that a caller who floods the app causes no writes; each instance has its own. Events beyond the limit are counted and only logged.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ports.ts';

export const MAX_EVENTS_PER_MINUTE = 30;
const MAX_BUDGETS = 10_000;
const MINUTE_MS = 60_000;

interface Minute {
  readonly minute: number;
  readonly events: number;
  readonly suppressed: number;
}

export class EventLimits {
  readonly #clock: Clock;
  readonly #minutes: LRUCache<string, Minute>;

  constructor(clock: Clock, options: { readonly maxBudgets?: number } = {}) {
    this.#clock = clock;
    this.#minutes = new LRUCache({ max: options.maxBudgets ?? MAX_BUDGETS });
  }

  /** Undefined if the minute is full; else how many were not recorded since the last that was. */
  admit(budget: string): number | undefined {
    const minute = Math.floor(this.#clock.now().getTime() / MINUTE_MS);
    const before = this.#minutes.get(budget) ?? { minute, events: 0, suppressed: 0 };
    const events = before.minute === minute ? before.events : 0;
    const isFull = events >= MAX_EVENTS_PER_MINUTE;
    const suppressed = isFull ? before.suppressed + 1 : 0;
    this.#minutes.set(budget, { minute, events: isFull ? events : events + 1, suppressed });
    return isFull ? undefined : before.suppressed;
  }
}
