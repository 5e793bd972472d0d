// Receivers that have just said nothing until their time was up, or whose name was not found, which may take as long: for some seconds this process sends them nothing, so that those of one webhook
// that gets the events of thousands of companies do not hold every lane. Nothing is lost or counted by it: events wait.
import { LRUCache } from 'lru-cache';
import type { Failure, FailureCode } from '../../domain/failure.ts';
import type { Clock } from '../../domain/ports.ts';

const SLOW: ReadonlySet<FailureCode> = new Set(['webhook-timed-out', 'webhook-no-public-address']);
const REST_MS = 30_000;
const MAX_RECEIVERS = 10_000;

export class ReceiverRests {
  readonly #clock: Clock;
  /** By address: until when, in milliseconds since 1970. */
  readonly #until = new LRUCache<string, number>({ max: MAX_RECEIVERS });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isResting(url: string): boolean {
    const until = this.#until.get(url) ?? 0;
    const nowMs = this.#clock.now().getTime();
    // More is left only if the clock was set back.
    return until > nowMs && until <= nowMs + REST_MS;
  }

  /** What came of a call there; undefined if it was taken. */
  note(url: string, failure: Failure | undefined): void {
    if (failure && SLOW.has(failure.code)) this.#until.set(url, this.#clock.now().getTime() + REST_MS);
    else this.#until.delete(url);
  }
}
