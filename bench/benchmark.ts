// What every benchmark is given.

export interface BenchOptions {
  /** Pairs that are kept; one more is run to warm up. */
  readonly pairs: number;
  /** In place of the benchmark's own number of data keys. */
  readonly keys?: number;
  /** As small as it goes, to show that it works: what it finds says nothing, and is not kept. */
  readonly trial: boolean;
}

const OF_A_TRIAL = 100;

/** How many of something: in a trial a hundredth. */
export const sized = (count: number, { trial }: Pick<BenchOptions, 'trial'>): number =>
  trial ? Math.ceil(count / OF_A_TRIAL) : count;
