// Keys that can be restored until a date are destroyed after it, and a host whose clock is days ahead would do so days too early. So what cannot be
// taken back is not done, nor is such a date set, where this process's clock is far from the store's own: the store, which all hosts share, tells the
// time with each of its answers.
import { type StoreClock } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Clock, Log } from '../domain/ports.ts';

/** No key goes earlier than by twice so much: it may be deleted by a host that is behind, and purged by one that is ahead. */
export const MAX_CLOCK_DIFFERENCE_MS = 5 * 60_000;
const SAID_EVERY_MS = 60_000;

export class ClockGuard {
  readonly #deps: { readonly storeClock: StoreClock; readonly clock: Clock; readonly log: Log };
  #saidAtMs = -Infinity;

  constructor(deps: { readonly storeClock: StoreClock; readonly clock: Clock; readonly log: Log }) {
    this.#deps = deps;
  }

  /**
   * `readAt`: what the clock said when it was read for what is to be done, before the store was read, whose answer has told the time. Throws
   * StoreUnavailable if the clocks differ, if the store has not told, or if the clock was set or the process stood still meanwhile: another host may
   * do it, or this one later.
   */
  assertAgrees(readAt: Date): void {
    const { storeClock, clock, log } = this.#deps;
    const aheadMs = storeClock.aheadMs();
    const nowMs = clock.now().getTime();
    if (Math.abs(nowMs - readAt.getTime()) > MAX_CLOCK_DIFFERENCE_MS) {
      throw new StoreUnavailable('the clock of this host was set, or stood still, while it was at work');
    }
    if (aheadMs !== undefined && Math.abs(aheadMs) <= MAX_CLOCK_DIFFERENCE_MS) return;
    if (!(Math.abs(nowMs - this.#saidAtMs) < SAID_EVERY_MS)) {
      this.#saidAtMs = nowMs;
      const seconds = aheadMs === undefined ? undefined : Math.round(aheadMs / 1000);
      log.write({ level: 'error', event: 'clock.differs-from-store', detail: { storeIsAheadBySeconds: seconds } });
    }
    throw new StoreUnavailable('the clock of this host is not that of the store');
  }
}
