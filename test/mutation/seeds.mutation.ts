// What a mutant sees of the simulation: few seeds, each a test of its own, so that the first that fails ends it. No part of `npm test`,
// which runs more of them.
import { expect, it } from 'vitest';
import { runSeed } from '../simulation/run-seed.ts';

const SEEDS = 30;

it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))('seed %i holds every invariant', async (seed) => {
  expect((await runSeed(seed)).failure).toBeUndefined();
});
