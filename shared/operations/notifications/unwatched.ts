// Saves the timer a list for each company that has no webhook of its own.
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Clock } from '../../domain/ports.ts';

/** Companies without a webhook of their own, as this process remembers for a minute: those that have one wait no longer for it. */
export class Unwatched extends ExpiringCache<true> {
  constructor(clock: Clock) {
    super(clock, { ttlMs: 60_000, maxEntries: 100_000 });
  }
}
