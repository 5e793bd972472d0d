// `npm run simulate`: runs seeds, on every core, until one fails or all have passed.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { fromCommandLine, readCommandLine, UsageError, wholeNumber } from '../../scripts/command-line.ts';
import { simulateRounds, type Measured } from '../operations/watch/many-vaults.ts';
import { ALL_PLACES } from '../fixtures/places-to-die.ts';
import { runSeed, type SeedOutcome } from './run-seed.ts';

const SEEDS_AT_ONCE = 20;
/** With fewer seeds it is no wonder if a place is not among them. */
const SEEDS_FOR_EVERY_PLACE = 5_000;
const PROGRESS_EVERY = 1_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const SIMULATE = 'npm run simulate --';
const USAGE = `${SIMULATE} [options]

  --seeds N  how many seeds; 1000 unless told
  --from N   the first of them; 1 unless told
  --seed N   just this one
  --trace    prints each step of --seed
  --vaults N the rounds of vault checks over so many vaults, on four instances, instead
  --silent N of these do not answer for a while
  --help     this text
`;
const MAX_SEED = 999_999_999;

const asked = fromCommandLine({ name: SIMULATE, usage: USAGE }, (args) => {
  const seed = wholeNumber(1, MAX_SEED);
  const read = readCommandLine(args, {
    options: { seeds: seed, from: seed, seed, trace: {}, vaults: seed, silent: seed },
  });
  if (read === 'help') return read;
  if (read.has('trace') && !read.has('seed')) throw new UsageError('--trace goes with --seed N only');
  if (read.has('silent') && !read.has('vaults')) throw new UsageError('--silent goes with --vaults N only');
  return read;
});

const one = asked.value('seed');
const vaults = asked.value('vaults');
if (vaults !== undefined)
  print(JSON.stringify(await watched(Number(vaults), Number(asked.value('silent') ?? 0)), null, 2));
else if (one === undefined) await runMany(Number(asked.value('from') ?? 1), Number(asked.value('seeds') ?? 1_000));
else await runOne(Number(one));

/** Forty minutes; the vaults that fall silent do so in the sixth, all at once, and are back in the twentieth. */
function watched(count: number, silent: number): Promise<Measured> {
  const outage = { vaults: silent, from: 6, to: 20 };
  return simulateRounds({ vaults: count, instances: 4, minutes: 40, outage });
}

async function runOne(seed: number): Promise<void> {
  const outcome = await runSeed(seed, asked.has('trace') ? { trace: print } : {});
  print(describe(outcome));
  process.exitCode = outcome.failure === undefined ? 0 : 1;
}

function describe({ seed, steps, traceHash, failure }: SeedOutcome): string {
  return `seed ${seed}: ${failure ?? 'passed'} (${steps} steps, trace ${traceHash})`;
}

interface Sum {
  seeds: number;
  steps: number;
  completed: number;
  cancelled: number;
  readonly faultPoints: Set<string>;
  readonly places: Set<string>;
  failed: SeedOutcome | undefined;
}

async function runMany(from: number, seeds: number): Promise<void> {
  const startedMs = Date.now();
  const sum: Sum = {
    seeds: 0,
    steps: 0,
    completed: 0,
    cancelled: 0,
    faultPoints: new Set(),
    places: new Set(),
    failed: undefined,
  };
  const last = from + seeds - 1;
  let next = from;
  const take = (): { from: number; to: number } | undefined => {
    if (next > last || sum.failed) return undefined;
    const batch = { from: next, to: Math.min(last, next + SEEDS_AT_ONCE - 1) };
    next = batch.to + 1;
    return batch;
  };
  await Promise.all(Array.from({ length: availableParallelism() }, () => runWorker(take, sum)));
  const seconds = (Date.now() - startedMs) / 1000;
  print(
    `${sum.seeds} seeds, ${sum.steps} steps, ${sum.completed} switches completed, ${sum.cancelled} cancelled, ${seconds.toFixed(1)} s`,
  );
  print(`${sum.faultPoints.size} distinct fault points (actor, point of a port, kind of fault)`);
  const isWhole = seeds >= SEEDS_FOR_EVERY_PLACE;
  const missing = ALL_PLACES.filter((place) => !sum.places.has(place));
  print(`${ALL_PLACES.length - missing.length} of ${ALL_PLACES.length} places to die were reached`);
  for (const place of isWhole ? missing : []) print(`  not reached: ${place}`);
  if (sum.failed) {
    print(`FAILED ${describe(sum.failed)}`);
    print(`replay: npm run simulate -- --seed ${sum.failed.seed} --trace`);
  }
  const isIncomplete = isWhole && missing.length > 0;
  process.exitCode = sum.failed || isIncomplete ? 1 : 0;
}

/** One thread, which asks for seeds as long as there are any. */
function runWorker(take: () => { from: number; to: number } | undefined, sum: Sum): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('seed-worker.ts', import.meta.url));
    const goOn = (): void => {
      const batch = take();
      if (batch) worker.postMessage(batch);
      else void worker.terminate().then(() => resolve(), reject);
    };
    worker.on('error', reject);
    worker.on('message', (outcomes: readonly SeedOutcome[]) => {
      for (const outcome of outcomes) add(sum, outcome);
      goOn();
    });
    goOn();
  });
}

function add(sum: Sum, outcome: SeedOutcome): void {
  sum.seeds += 1;
  sum.steps += outcome.steps;
  sum.completed += outcome.ends.completed;
  sum.cancelled += outcome.ends.cancelled;
  for (const point of outcome.reached.faultPoints) sum.faultPoints.add(point);
  for (const place of outcome.reached.places) sum.places.add(place);
  if (outcome.failure !== undefined && (!sum.failed || outcome.seed < sum.failed.seed)) sum.failed = outcome;
  if (sum.seeds % PROGRESS_EVERY === 0) print(`${sum.seeds} seeds`);
}
