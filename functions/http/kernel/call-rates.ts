// Limits how many data keys a company may ask this process for: so many a second, and what it has saved up while it asked for less. A token bucket,
// kept as the time at which it is full again (GCRA). In memory: each instance counts for itself.
import { MAX_KEYS_PER_CALL } from '../../../shared/operations/data-keys/unwrap.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Clock, Log } from '../../../shared/domain/ports.ts';
import { err, ok, type Result } from '../../../shared/domain/result.ts';

/** A bucket holds so many seconds' worth, and always the largest batch. */
const BURST_SECONDS = 10;
/** The log is told at most so often. */
const TELL_EVERY_MS = 10_000;
/** Full buckets are forgotten when there are so many in all. */
const SWEEP_AT = 10_000;

export class CallRates {
  readonly #deps: { readonly clock: Clock; readonly log: Log };
  readonly #keysPerSecond: number | undefined;
  readonly #fullAtMs = new Map<string, number>();
  #refused = 0;
  #toldAtMs = -Infinity;

  /** Without a rate nothing is limited. */
  constructor(
    deps: { readonly clock: Clock; readonly log: Log },
    options: { readonly keysPerSecond?: number | undefined },
  ) {
    this.#deps = deps;
    this.#keysPerSecond = options.keysPerSecond;
  }

  /** Takes so many keys out of the company's bucket; `over-rate`, and takes none, if there are not so many in it. */
  take(companyId: string, keys: number): Result<undefined, Refusal> {
    const perSecond = this.#keysPerSecond;
    if (perSecond === undefined) return ok(undefined);
    const nowMs = this.#deps.clock.now().getTime();
    const emptyMs = Math.max(BURST_SECONDS, MAX_KEYS_PER_CALL / perSecond) * 1000;
    const fullInMs = (this.#fullAtMs.get(companyId) ?? nowMs) - nowMs;
    // An empty bucket takes `emptyMs` to fill: more is left only if the clock was set back.
    const spentMs = fullInMs > emptyMs ? 0 : Math.max(0, fullInMs);
    const nextMs = spentMs + (keys / perSecond) * 1000;
    if (nextMs > emptyMs) {
      this.#tell(companyId, nowMs);
      return err({ type: 'over-rate', retryAfterSeconds: (nextMs - emptyMs) / 1000 });
    }
    this.#fullAtMs.set(companyId, nowMs + nextMs);
    if (this.#fullAtMs.size > SWEEP_AT) this.#forgetFull(nowMs);
    return ok(undefined);
  }

  #forgetFull(nowMs: number): void {
    for (const [companyId, atMs] of this.#fullAtMs) if (atMs <= nowMs) this.#fullAtMs.delete(companyId);
  }

  /** In sum: a line for each call would be more work than the call. */
  #tell(companyId: string, nowMs: number): void {
    this.#refused += 1;
    if (Math.abs(nowMs - this.#toldAtMs) < TELL_EVERY_MS) return;
    this.#deps.log.write({ level: 'warning', event: 'calls.limited', detail: { calls: this.#refused, companyId } });
    this.#refused = 0;
    this.#toldAtMs = nowMs;
  }
}
