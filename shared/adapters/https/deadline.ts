// A time limit for one call as a whole, with all its requests, tokens and attempts. Limits of single requests add up: vault, identity endpoint and
// Entra may each be slow without failing.

export class Deadline {
  readonly #endsAtMs: number;
  readonly #endsEarly: AbortSignal | undefined;

  /** `endsEarly`: once it is aborted, the time is up. */
  constructor(limitMs: number, endsEarly?: AbortSignal) {
    this.#endsAtMs = performance.now() + limitMs;
    this.#endsEarly = endsEarly;
  }

  get leftMs(): number {
    return this.#endsEarly?.aborted ? 0 : Math.max(0, this.#endsAtMs - performance.now());
  }

  /**
   * The result of `work`, or what `late` answers or throws once the time is up. Shared work goes on for others; work of this caller alone should heed
   * the signal.
   */
  async race<T>(work: (abortSignal: AbortSignal) => Promise<T>, late: () => T): Promise<T> {
    const { promise: timeUp, resolve } = Promise.withResolvers<undefined>();
    const aborting = new AbortController();
    const end = (): void => {
      // Resolved before the abort, so that what the work then throws is ignored.
      resolve(undefined);
      aborting.abort();
    };
    const timer = setTimeout(end, this.leftMs);
    this.#endsEarly?.addEventListener('abort', end, { once: true });
    try {
      const done = work(aborting.signal).then((value) => ({ value }));
      const first = await Promise.race([done, timeUp]);
      return first ? first.value : late();
    } finally {
      clearTimeout(timer);
      this.#endsEarly?.removeEventListener('abort', end);
    }
  }
}
