// Re-protection over a store that answers in memory: how much the product adds to the AES, the reads and the transactions
// themselves, and what it takes of memory, vault calls and messages as the number of keys grows.
import { inFreshProcess } from './harness/fresh-process.ts';
import { runPairs } from './harness/pairs.ts';
import { number, Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import { sized, type BenchOptions } from './benchmark.ts';
import { bareNull, reprotectNull, type NullRun } from './null-runs.ts';

const FEW = 10_000;
const MANY = 100_000;
const MOST = 1_000_000;
const MEMORY_RUNS = 3;
const CHILD = new URL('reprotect-null-child.ts', import.meta.url);

/** How many keys. */
interface Sizes {
  readonly few: number;
  readonly many: number;
  readonly most: number;
}

type ChildRun = NullRun & { readonly peakMb: number };

export async function reprotectNullBenchmark(options: BenchOptions): Promise<boolean> {
  const sizes: Sizes = {
    few: sized(FEW, options),
    many: sized(MANY, options),
    most: options.keys ?? sized(MOST, options),
  };
  const { few, many, most } = sizes;
  const report = new Report('reprotect-null', options, { ...sizes });
  for (const keys of [few, many]) {
    const measured = await runPairs({
      pairs: options.pairs,
      a: async () => (await reprotectNull(keys)).keysPerSecond,
      b: () => bareNull(keys),
    });
    report.pairs({ what: `${number(keys)} keys`, unit: 'keys/s', measured, goal: { atLeast: 0.7 } });
  }
  const growth = await runPairs({
    pairs: options.pairs,
    a: async () => (await reprotectNull(most)).keysPerSecond,
    b: async () => (await reprotectNull(few)).keysPerSecond,
  });
  report.pairs({
    what: 'growth',
    names: [`${number(most)} keys`, `${number(few)} keys`],
    unit: 'keys/s',
    measured: growth,
    goal: { atLeast: 0.9 },
  });
  await costs(report, sizes);
  await memory(report, sizes, sized(MEMORY_RUNS, options));
  return report.save();
}

/** Of one switch each: the numbers do not vary. */
async function costs(report: Report, { few, most }: Sizes): Promise<void> {
  const ofFew = await reprotectNull(few);
  const ofMost = await reprotectNull(most);
  report.value({ what: `vault calls of ${number(few)} keys`, value: ofFew.vaultCalls, unit: '' });
  report.value({
    what: `vault calls of ${number(most)} keys`,
    value: ofMost.vaultCalls,
    unit: '',
    goal: { atMost: ofFew.vaultCalls },
  });
  const goal = { atMost: ofFew.messages + (most - few) / 100 };
  report.value({ what: `messages of ${number(few)} keys`, value: ofFew.messages, unit: '' });
  report.value({ what: `messages of ${number(most)} keys`, value: ofMost.messages, unit: '', goal });
}

async function memory(report: Report, { few, many, most }: Sizes, runs: number): Promise<void> {
  const least = await peak(report, few, runs);
  for (const keys of [many, most]) {
    const value = (await peak(report, keys, runs)) - least;
    report.value({
      what: `${number(keys)} keys: peak more than ${number(few)} by`,
      value,
      unit: 'MB',
      goal: { atMost: 32 },
    });
  }
}

async function peak(report: Report, keys: number, runs: number): Promise<number> {
  const peaks: number[] = [];
  for (let times = 0; times < runs; times += 1) {
    const child = (await inFreshProcess(CHILD, { flags: [], args: [String(keys)] })) as ChildRun;
    peaks.push(child.peakMb);
  }
  const { median } = summarize(peaks);
  report.value({ what: `${number(keys)} keys: peak`, value: median, unit: 'MB', raw: peaks });
  return median;
}
