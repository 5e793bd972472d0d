// How much one process works on at once: as much as it gets done in a part of the time that calls may wait. A slow processor or store makes calls
// take longer, and then fewer are begun. More are begun only once as many as now were needed and took a short time: what is under way when a store
// turns slow has all to be waited for.

/** Of single keys' worth; each is about a millisecond of an ordinary processor. */
const MAX_UNITS = 256;
/** With so many it begins. */
const FIRST_UNITS = 72;
/** A batch of 1,000 keys, 26 units, always finds room beside others. */
const MIN_UNITS = 36;
/** Of all units, one company has at most this share: there is room for another. */
const SHARE_OF_A_COMPANY = 0.75;
/** However quickly calls are answered: more is no burst. */
const MAX_WAITING_UNITS = 4_096;
/** What was measured says nothing of now after so many times the time that calls may wait. */
const OUT_OF_DATE = 2;
/** Calls in a measurement, and of one company in it. */
const MEASURED = 32;
const MEASURED_OF_A_COMPANY = 4;
/** Of the time that calls may wait. */
const TOO_LONG = 1 / 4;
const SHORT = 1 / 8;
/** So large a part of the units was needed. */
const NEEDED = 1 / 2;
const GROWTH = 1.25;
/** By at least so much there are fewer, if calls take too long. */
const CUT = 0.75;

export class UnitLimit {
  readonly #maxWaitMs: number;
  readonly #times = new Map<string, { calls: number; sumMs: number }>();
  #calls = 0;
  #units = FIRST_UNITS;
  #wasNeeded = false;
  #last: { readonly meanMs: number; readonly atMs: number } | undefined;

  constructor(options: { readonly maxWaitMs: number }) {
    this.#maxWaitMs = options.maxWaitMs;
  }

  get units(): number {
    return this.#units;
  }

  get ofCompany(): number {
    return Math.floor(this.#units * SHARE_OF_A_COMPANY);
  }

  /** One that waits for its vault keeps nothing busy until that answers: on a process that is not slow, room for as many as there may ever be. */
  get ofWaitingCompany(): number {
    return this.#units < FIRST_UNITS ? this.ofCompany : Math.floor(MAX_UNITS * SHARE_OF_A_COMPANY);
  }

  /** How many units may wait: no more than get done in the time that they may, as far as that is known; the last of them would wait in vain. */
  mostWaiting(nowMs: number): number {
    const { meanMs, atMs } = this.#last ?? { meanMs: 0, atMs: nowMs };
    if (Math.abs(nowMs - atMs) > this.#maxWaitMs * OUT_OF_DATE) return MAX_WAITING_UNITS;
    return Math.min(MAX_WAITING_UNITS, Math.max(this.#units, Math.floor((this.#units * this.#maxWaitMs) / meanMs)));
  }

  /** A call has begun; `units`: all that are worked on now. */
  begin(units: number): void {
    if (units >= this.#units * NEEDED) this.#wasNeeded = true;
  }

  /** How long the process worked on a call. The limit follows the company whose calls were quickest, so that one company's slow store takes no places from others. */
  measure({ companyId, tookMs, nowMs }: { companyId: string; tookMs: number; nowMs: number }): void {
    const times = this.#times.get(companyId) ?? { calls: 0, sumMs: 0 };
    this.#times.set(companyId, times);
    times.calls += 1;
    times.sumMs += Math.max(0, tookMs);
    this.#calls += 1;
    if (this.#calls < MEASURED) return;
    const all = [...this.#times.values()];
    const judged = all.filter(({ calls }) => calls >= MEASURED_OF_A_COMPANY);
    const meanMs = Math.min(...(judged.length > 0 ? judged : all).map(({ calls, sumMs }) => sumMs / calls));
    this.#last = { meanMs, atMs: nowMs };
    this.#units = this.#next(meanMs);
    this.#times.clear();
    this.#calls = 0;
    this.#wasNeeded = false;
  }

  /** What is worked on at once is the rate times the time that a call takes (Little's law), and the rate stays what it is. */
  #next(meanMs: number): number {
    const longMs = this.#maxWaitMs * TOO_LONG;
    if (meanMs > longMs) return Math.max(MIN_UNITS, Math.floor(this.#units * Math.min(CUT, longMs / meanMs)));
    if (meanMs >= this.#maxWaitMs * SHORT) return this.#units;
    const most = this.#wasNeeded ? MAX_UNITS : Math.max(FIRST_UNITS, this.#units);
    return Math.min(most, Math.ceil(this.#units * GROWTH));
  }
}
