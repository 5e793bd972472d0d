// Limits how many refusals of one action, and how many detections of one action on one target, a process records for a company in a minute, and of refusals
// in a day. The counts
// are in memory, so that a caller who floods the app causes no writes; each instance has its own. Events beyond the limit are counted and only logged.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../domain/ports.ts';

export const MAX_EVENTS_PER_MINUTE = 30;
/** Of refusals: whoever is refused all day long adds no more than this to a chain that stays for ever. */
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

  /** Undefined if the minute, or the day (UTC), is full; else how many were not recorded since the last that was. */
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
