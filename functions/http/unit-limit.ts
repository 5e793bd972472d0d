// How much one process works on at once: as much as it gets done in a part of the time that calls may wait. A slow processor or store makes calls
// take longer, and then fewer are begun.

/** Of single keys' worth; each is about a millisecond of an ordinary processor. */
const MAX_UNITS = 256;
/** A batch of 1,000 keys, 26 units, always finds room beside others. */
const MIN_UNITS = 36;
/** Whatever one company asks, there is room for another. */
const SHARE_OF_A_COMPANY = 0.75;
/** Calls in a measurement, and of one company in it. */
const MEASURED = 32;
const MEASURED_OF_A_COMPANY = 4;
/** Of the time that calls may wait. */
const TOO_LONG = 1 / 4;
const SHORT = 1 / 8;

export class UnitLimit {
  readonly #maxWaitMs: number;
  readonly #times = new Map<string, { calls: number; sumMs: number }>();
  #calls = 0;
  #units = MAX_UNITS;

  constructor(options: { readonly maxWaitMs: number }) {
    this.#maxWaitMs = options.maxWaitMs;
  }

  get units(): number {
    return this.#units;
  }

  get ofCompany(): number {
    return Math.floor(this.#units * SHARE_OF_A_COMPANY);
  }

  /** How long a call was worked on. Judged by the company whose calls were quickest: one whose store is slow slows down nobody else. */
  measure(companyId: string, tookMs: number): void {
    const times = this.#times.get(companyId) ?? { calls: 0, sumMs: 0 };
    this.#times.set(companyId, times);
    times.calls += 1;
    times.sumMs += Math.max(0, tookMs);
    this.#calls += 1;
    if (this.#calls < MEASURED) return;
    const all = [...this.#times.values()];
    const judged = all.filter(({ calls }) => calls >= MEASURED_OF_A_COMPANY);
    const meanMs = Math.min(...(judged.length > 0 ? judged : all).map(({ calls, sumMs }) => sumMs / calls));
    this.#times.clear();
    this.#calls = 0;
    if (meanMs > this.#maxWaitMs * TOO_LONG) this.#units = Math.max(MIN_UNITS, Math.floor(this.#units * 0.75));
    else if (meanMs < this.#maxWaitMs * SHORT) this.#units = Math.min(MAX_UNITS, Math.ceil(this.#units * 1.25));
  }
}
