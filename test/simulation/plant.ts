// Plants a bug in a copy of the product and has the simulation look for it in a thread of its own. The copy is one in memory: its modules
// are those of the product but for the text of the few in which the bug is.
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Patch, PlantedBug } from './planted/bug.ts';
import { SEEDS_TO_FIND } from './planted-bugs.ts';
import type { SeedOutcome } from './run-seed.ts';

const ROOT = new URL('../../', import.meta.url);
const SEEDS_AT_ONCE = 10;

export interface Found {
  readonly seed: number;
  readonly failure: string;
}

/** The first seed that finds it; undefined if none of them does. */
export async function findPlanted(bug: PlantedBug): Promise<Found | undefined> {
  const workerData = patchedTexts(bug.patches);
  const worker = new Worker(new URL('planted-worker.ts', import.meta.url), { execArgv: [], workerData });
  try {
    for (let from = bug.from; from < bug.from + SEEDS_TO_FIND; from += SEEDS_AT_ONCE) {
      const outcomes = await ask(worker, { from, to: from + SEEDS_AT_ONCE - 1 });
      const failed = outcomes.find(({ failure }) => failure !== undefined);
      if (failed?.failure !== undefined) return { seed: failed.seed, failure: failed.failure };
    }
    return undefined;
  } finally {
    await worker.terminate();
  }
}

/** By the module's path from the root. */
export type PatchedTexts = ReadonlyMap<string, string>;

function patchedTexts(patches: readonly Patch[]): PatchedTexts {
  const texts = new Map<string, string>();
  for (const { file, find, replace } of patches) {
    const text = texts.get(file) ?? readFileSync(new URL(file, ROOT), 'utf8');
    const matches = text.split(find).length - 1;
    if (matches !== 1) throw new Error(`${file}: ${matches} matches of ${find}`);
    texts.set(
      file,
      text.replace(find, () => replace),
    );
  }
  return texts;
}

function ask(worker: Worker, seeds: { readonly from: number; readonly to: number }): Promise<readonly SeedOutcome[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly SeedOutcome[]>();
  worker.removeAllListeners('error').once('error', reject);
  worker.removeAllListeners('message').once('message', resolve);
  worker.postMessage(seeds);
  return promise;
}
