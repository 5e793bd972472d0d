// A thread of `npm run simulate`, and of the test of planted bugs: runs the seeds that it is sent and answers what came of them.
import { parentPort } from 'node:worker_threads';
import { runSeed, type SeedOutcome } from './run-seed.ts';

parentPort?.on('message', ({ from, to }: { readonly from: number; readonly to: number }) => {
  void runAll(from, to);
});

/** Ends with the first that fails. */
async function runAll(from: number, to: number): Promise<void> {
  const outcomes: SeedOutcome[] = [];
  for (let seed = from; seed <= to && outcomes.at(-1)?.failure === undefined; seed += 1) {
    outcomes.push(await runSeed(seed));
  }
  parentPort?.postMessage(outcomes);
}
