// What every benchmark is given.

export interface BenchOptions {
  /** Pairs that are kept; one more is run to warm up. */
  readonly pairs: number;
  /** In place of the benchmark's own number of data keys. */
  readonly keys?: number;
}
