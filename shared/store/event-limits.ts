// Limits how many events a process records for a company: refusals of one action in a minute and in a day, detections of one action on one
// target in a minute. The counts are in memory, one set an instance, so a flood of calls causes no writes. Further events are counted and logged.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/ports.ts';

export const MAX_EVENTS_PER_MINUTE = 30;
/** Of refusals: one caller who is refused all day adds at most this many records, which stay for ever. */
export const MAX_REFUSALS_PER_DAY = 1_000;
const MAX_BUDGETS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

interface Counted {
  readonly minute: number;
  readonly events: number;
  readonly day: number;
  readonly eventsOfDay: number;
  readonly suppressed: number;
}

export class EventLimits {
  readonly #clock: Clock;
  readonly #counted: LRUCache<string, Counted>;

  constructor(clock: Clock, options: { readonly maxBudgets?: number } = {}) {
    this.#clock = clock;
    this.#counted = new LRUCache({ max: options.maxBudgets ?? MAX_BUDGETS });
  }

  /** Undefined if the minute, or the day (UTC), is full; otherwise how many events were left out since the last recorded one. */
  admit(budget: string, { perDay = Infinity }: { readonly perDay?: number } = {}): number | undefined {
    const nowMs = this.#clock.now().getTime();
    const minute = Math.floor(nowMs / MINUTE_MS);
    const day = Math.floor(nowMs / DAY_MS);
    const before = this.#counted.get(budget) ?? { minute, events: 0, day, eventsOfDay: 0, suppressed: 0 };
    const events = before.minute === minute ? before.events : 0;
    const eventsOfDay = before.day === day ? before.eventsOfDay : 0;
    const isFull = events >= MAX_EVENTS_PER_MINUTE || eventsOfDay >= perDay;
    const one = isFull ? 0 : 1;
    const suppressed = isFull ? before.suppressed + 1 : 0;
    this.#counted.set(budget, { minute, events: events + one, day, eventsOfDay: eventsOfDay + one, suppressed });
    return isFull ? undefined : before.suppressed;
  }
}
