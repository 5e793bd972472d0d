// Deleted keys are destroyed at a date, and a host whose clock is days ahead would destroy them days too early. So a process does nothing
// irreversible, and sets no such date, while its clock is far from the store's, which all hosts share and which comes with each answer.
import { type StoreClock } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Clock, Log } from '../domain/ports.ts';

/** Keys are destroyed at most twice this early: deleted by a host that is behind, purged by one that is ahead. */
export const MAX_CLOCK_DIFFERENCE_MS = 5 * 60_000;
const SAID_EVERY_MS = 60_000;

export class ClockGuard {
  readonly #deps: { readonly storeClock: StoreClock; readonly clock: Clock; readonly log: Log };
  #saidAtMs = -Infinity;

  constructor(deps: { readonly storeClock: StoreClock; readonly clock: Clock; readonly log: Log }) {
    this.#deps = deps;
  }

  /**
   * `readAt`: our clock before the store was read for the act that follows. Throws StoreUnavailable if the clocks differ, if the store's clock is not
   * known yet, or if our clock was set or the process stood still meanwhile: another host may do the act, or this one later.
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
