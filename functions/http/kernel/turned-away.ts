// What a caller is told whose call is turned away, and what the log is told of all of them in sum.
import type { Clock, Log } from '../../../shared/domain/ports.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import { err, type Result } from '../../../shared/domain/result.ts';

/** The log is told at most so often: a line for each call would be more work, just then. */
const TELL_EVERY_MS = 10_000;
/** Calls that are turned away at the same moment get different times, so that they do not all come back at once. */
const RETRY_AFTER_SECONDS = [1, 2, 3, 4] as const;

export class TurnedAway {
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  readonly #maxWaitMs: number;
  #calls = 0;
  #told = { calls: 0, atMs: -Infinity };

  constructor(deps: { readonly clock: Clock; readonly log: Log }, options: { readonly maxWaitMs: number }) {
    this.#deps = deps;
    this.#maxWaitMs = options.maxWaitMs;
  }

  /**
   * One more. Turning a call away costs nearly as much as answering it, so Retry-After adds the part of the wait that the call was spared.
   * `load` says how busy the process is, for the log.
   */
  refuse(waitedMs: number, load: () => Readonly<Record<string, number>>): Result<never, Refusal> {
    this.#calls += 1;
    this.#tell(load);
    const sparedMs = Math.min(this.#maxWaitMs, Math.max(0, this.#maxWaitMs - waitedMs));
    const seconds = RETRY_AFTER_SECONDS[this.#calls % RETRY_AFTER_SECONDS.length] ?? 1;
    return err({ type: 'overloaded', retryAfterSeconds: seconds + Math.round(sparedMs / 1000) });
  }

  #tell(load: () => Readonly<Record<string, number>>): void {
    const { clock, log } = this.#deps;
    const nowMs = clock.now().getTime();
    if (Math.abs(nowMs - this.#told.atMs) < TELL_EVERY_MS) return;
    const detail = { calls: this.#calls - this.#told.calls, ...load() };
    this.#told = { calls: this.#calls, atMs: nowMs };
    log.write({ level: 'warning', event: 'calls.turned-away', detail });
  }
}
