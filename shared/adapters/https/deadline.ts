// How long one call of ours may take as a whole, however many requests, tokens and attempts it is made of. Limits of single
// requests add up: a vault, the identity endpoint and Entra may each be slow without one of them being silent.

export class Deadline {
  readonly #endsAtMs: number;

  constructor(limitMs: number) {
    this.#endsAtMs = performance.now() + limitMs;
  }

  get leftMs(): number {
    return Math.max(0, this.#endsAtMs - performance.now());
  }

  /**
   * What `work` comes to, or what `late` answers or throws once the time is up. `work` may be shared and then goes on for others;
   * if it is this caller's alone, it should heed the signal.
   */
  async race<T>(work: (abortSignal: AbortSignal) => Promise<T>, late: () => T): Promise<T> {
    const { promise: timeUp, resolve } = Promise.withResolvers<undefined>();
    const aborting = new AbortController();
    const timer = setTimeout(() => {
      // Before the signal: what the work then throws comes too late.
      resolve(undefined);
      aborting.abort();
    }, this.leftMs);
    try {
      const done = work(aborting.signal).then((value) => ({ value }));
      const first = await Promise.race([done, timeUp]);
      return first ? first.value : late();
    } finally {
      clearTimeout(timer);
    }
  }
}
