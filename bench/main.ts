// `npm run bench -- NAME [--pairs N] [--keys N]`: runs one benchmark, prints what it found and keeps it in bench/results/, from
// where `results` puts it into docs/performance.md. Run by hand, on a machine that does nothing else. Ends with status 1 if a goal
// was missed or a ratio had to be withheld. `--trial` only shows that it works.
import { parseArgs } from 'node:util';
import type { BenchOptions } from './benchmark.ts';
import { MIN_PAIRS } from './harness/pairs.ts';

/** Each is loaded only when it is run: some replace the name lookup of the whole process. */
const BENCHMARKS: Readonly<Record<string, () => Promise<(options: BenchOptions) => Promise<boolean>>>> = {
  'reprotect-null': async () => (await import('./reprotect-null.ts')).reprotectNullBenchmark,
  'reprotect-store': async () => (await import('./reprotect-store.ts')).reprotectStore,
  'reprotect-naive': async () => (await import('./reprotect-naive.ts')).reprotectNaive,
  'unwrap-http': async () => (await import('./unwrap-http.ts')).unwrapHttp,
  'unwrap-cold': async () => (await import('./unwrap-cold.ts')).unwrapCold,
  'unwrap-during-switch': async () => (await import('./unwrap-during-switch.ts')).unwrapDuringSwitch,
  'cold-start': async () => (await import('./cold-start.ts')).coldStart,
  results: async () => (await import('./results-table.ts')).updateResultsTable,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: String(MIN_PAIRS) },
    keys: { type: 'string' },
    trial: { type: 'boolean', default: false },
  },
});
const load = BENCHMARKS[positionals[0] ?? ''];
if (load) {
  const run = await load();
  const keys = values.keys === undefined ? {} : { keys: Number(values.keys) };
  const { trial } = values;
  const pairs = trial ? 1 : Math.max(Number(values.pairs), MIN_PAIRS);
  process.exitCode = (await run({ pairs, trial, ...keys })) ? 0 : 1;
} else {
  console.log(`npm run bench -- NAME, where NAME is one of: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exitCode = 2;
}
