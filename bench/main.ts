// `npm run bench -- NAME [--pairs N] [--keys N]`: runs one benchmark, prints what it found and keeps it in bench/results/, from
// where `results` puts it into docs/performance.md. Run by hand, on a machine that does nothing else. Ends with status 1 if a goal
// was missed or a ratio had to be withheld. `--trial` only shows that it works.
import { fromCommandLine, readCommandLine, UsageError, wholeNumber } from '../scripts/command-line.ts';
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
  mixed: async () => (await import('./mixed.ts')).mixed,
  'many-customers': async () => (await import('./many-customers.ts')).manyCustomers,
  'vault-rounds': async () => (await import('./vault-rounds.ts')).vaultRounds,
  'cold-start': async () => (await import('./cold-start.ts')).coldStart,
  results: async () => (await import('./results-table.ts')).updateResultsTable,
};

const BENCH = 'npm run bench --';
const NAMES = Object.keys(BENCHMARKS).join(', ');
const MAX_PAIRS = 1_000;
const MAX_KEYS = 10_000_000;
const USAGE = `${BENCH} NAME [options]

  NAME       one of ${NAMES}
  --pairs N  runs of ours and of what it is compared with, in turns; ${MIN_PAIRS} unless told
  --keys N   data keys, in place of the benchmark's own number
  --trial    as small as it goes, to show that it works: nothing is kept
  --help     this text
`;

const line = fromCommandLine({ name: BENCH, usage: USAGE }, (args) => {
  const read = readCommandLine(args, {
    options: { pairs: wholeNumber(MIN_PAIRS, MAX_PAIRS), keys: wholeNumber(1, MAX_KEYS), trial: {} },
    words: { takes: `one benchmark: ${NAMES}`, min: 1, max: 1 },
  });
  if (read === 'help') return read;
  const [name = ''] = read.words;
  const load = BENCHMARKS[name];
  if (!load) throw new UsageError(`'${name}' is no benchmark, only ${NAMES}`);
  return { load, trial: read.has('trial'), keys: read.value('keys'), pairs: Number(read.value('pairs') ?? MIN_PAIRS) };
});
const run = await line.load();
const { keys, trial } = line;
const pairs = trial ? 1 : line.pairs;
process.exitCode = (await run({ pairs, trial, ...(keys === undefined ? {} : { keys: Number(keys) }) })) ? 0 : 1;
