// Re-protection over a store that answers in memory: how much the product adds to the AES, the reads and the transactions
// themselves, and what it takes of memory, vault calls and messages as the number of keys grows.
import { inFreshProcess } from './harness/fresh-process.ts';
import { runPairs } from './harness/pairs.ts';
import { number, Report } from './harness/report.ts';
import { summarize } from './harness/summary.ts';
import type { BenchOptions } from './benchmark.ts';
import { bareNull, reprotectNull, type NullRun } from './null-runs.ts';

const FEW = 10_000;
const MANY = 100_000;
const MOST = 1_000_000;
const MEMORY_RUNS = 3;
const CHILD = new URL('reprotect-null-child.ts', import.meta.url);

type ChildRun = NullRun & { readonly peakMb: number };

export async function reprotectNullBenchmark(options: BenchOptions): Promise<boolean> {
  const most = options.keys ?? MOST;
  const report = new Report('reprotect-null', { few: FEW, many: MANY, most, pairs: options.pairs });
  for (const keys of [FEW, MANY]) {
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
    b: async () => (await reprotectNull(FEW)).keysPerSecond,
  });
  report.pairs({
    what: 'growth',
    names: [`${number(most)} keys`, `${number(FEW)} keys`],
    unit: 'keys/s',
    measured: growth,
    goal: { atLeast: 0.9 },
  });
  await costs(report, most);
  await memory(report, most);
  return report.save();
}

/** Of one switch each: the numbers do not vary. */
async function costs(report: Report, most: number): Promise<void> {
  const few = await reprotectNull(FEW);
  const many = await reprotectNull(most);
  report.value({ what: `vault calls of ${number(FEW)} keys`, value: few.vaultCalls, unit: '' });
  report.value({
    what: `vault calls of ${number(most)} keys`,
    value: many.vaultCalls,
    unit: '',
    goal: { atMost: few.vaultCalls },
  });
  const goal = { atMost: few.messages + (most - FEW) / 100 };
  report.value({ what: `messages of ${number(FEW)} keys`, value: few.messages, unit: '' });
  report.value({ what: `messages of ${number(most)} keys`, value: many.messages, unit: '', goal });
}

async function memory(report: Report, most: number): Promise<void> {
  const few = await peak(report, FEW);
  for (const keys of [MANY, most]) {
    const value = (await peak(report, keys)) - few;
    report.value({
      what: `${number(keys)} keys: peak more than ${number(FEW)} by`,
      value,
      unit: 'MB',
      goal: { atMost: 32 },
    });
  }
}

async function peak(report: Report, keys: number): Promise<number> {
  const peaks: number[] = [];
  for (let times = 0; times < MEMORY_RUNS; times += 1) {
    const child = (await inFreshProcess(CHILD, { flags: [], args: [String(keys)] })) as ChildRun;
    peaks.push(child.peakMb);
  }
  const { median } = summarize(peaks);
  report.value({ what: `${number(keys)} keys: peak`, value: median, unit: 'MB', raw: peaks });
  return median;
}
