// Two things measured side by side: A, B, A, B … in one run, so that whatever else the machine does meets both. The first pair
// warms up and is dropped. A sample is a rate or a duration; the ratio is taken within each pair.
import { summarize, type Summary } from './summary.ts';

export interface PairSamples {
  readonly a: readonly number[];
  readonly b: readonly number[];
  /** a / b, pair by pair. */
  readonly ratios: readonly number[];
}

export interface PairSummary extends PairSamples {
  readonly summaryA: Summary;
  readonly summaryB: Summary;
  readonly ratio: Summary;
}

/** Fewer say little. */
export const MIN_PAIRS = 5;

/** `pairs` counts those that are kept: one more is run. */
export async function runPairs(options: {
  readonly pairs: number;
  readonly a: () => Promise<number>;
  readonly b: () => Promise<number>;
}): Promise<PairSummary> {
  const a: number[] = [];
  const b: number[] = [];
  for (let pair = 0; pair <= options.pairs; pair += 1) {
    const sampleA = await options.a();
    const sampleB = await options.b();
    if (pair === 0) continue;
    a.push(sampleA);
    b.push(sampleB);
  }
  return summarizePairs(a, b);
}

export function summarizePairs(a: readonly number[], b: readonly number[]): PairSummary {
  const ratios = a.map((sample, index) => sample / (b[index] ?? Number.NaN));
  return { a, b, ratios, summaryA: summarize(a), summaryB: summarize(b), ratio: summarize(ratios) };
}
