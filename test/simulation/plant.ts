// Plants a bug in a copy of the product and has the simulation, copied beside it, look for it in a thread of its own. The copy lies where
// nothing is committed, inside the project, so that it finds the same packages.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { SEEDS_TO_FIND, type PlantedBug } from './planted-bugs.ts';
import type { SeedOutcome } from './run-seed.ts';

const ROOT = new URL('../../', import.meta.url);
const COPIES = new URL('.local/planted-bugs/', ROOT);
const COPIED = [
  'shared',
  'functions/service-bus',
  'test/simulation',
  'test/fakes',
  'test/fixtures',
  'test/operations/switches/rig.ts',
];
const SEEDS_AT_ONCE = 10;

export interface Found {
  readonly seed: number;
  readonly failure: string;
}

/** The first seed that finds it; undefined if none of them does. `index` keeps the copies of bugs apart. */
export async function findPlanted(bug: PlantedBug, index: number): Promise<Found | undefined> {
  const copy = new URL(`${index}/`, COPIES);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  for (const path of COPIED) cpSync(new URL(path, ROOT), new URL(path, copy), { recursive: true });
  for (const { file, find, replace } of bug.patches) patch(new URL(file, copy), find, replace);
  const worker = new Worker(new URL('test/simulation/seed-worker.ts', copy), { execArgv: [] });
  try {
    for (let from = bug.from; from < bug.from + SEEDS_TO_FIND; from += SEEDS_AT_ONCE) {
      const outcomes = await ask(worker, { from, to: from + SEEDS_AT_ONCE - 1 });
      const failed = outcomes.find(({ failure }) => failure !== undefined);
      if (failed?.failure !== undefined) return { seed: failed.seed, failure: failed.failure };
    }
    return undefined;
  } finally {
    await worker.terminate();
    rmSync(copy, { recursive: true, force: true });
  }
}

function patch(file: URL, find: string, replace: string): void {
  const text = readFileSync(file, 'utf8');
  const matches = text.split(find).length - 1;
  if (matches !== 1) throw new Error(`${file.pathname.split('/').slice(-2).join('/')}: ${matches} matches of ${find}`);
  writeFileSync(
    file,
    text.replace(find, () => replace),
  );
}

function ask(worker: Worker, seeds: { readonly from: number; readonly to: number }): Promise<readonly SeedOutcome[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly SeedOutcome[]>();
  worker.removeAllListeners('error').once('error', reject);
  worker.removeAllListeners('message').once('message', resolve);
  worker.postMessage(seeds);
  return promise;
}
