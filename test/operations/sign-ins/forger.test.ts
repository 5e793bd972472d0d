// The first seeds of the forger of words; forger.deep.test.ts runs a thousand.
import { expect, it } from 'vitest';
import { runForger } from './forger.ts';

it('nobody who writes the tables, with an Entra tenant of their own, makes another tenant’s word', async () => {
  let taken = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const run = await runForger(seed);
    expect(run.forged, `seed ${seed}`).toEqual([]);
    taken += run.taken;
  }
  // Honest words go through in between, or nothing was tried.
  expect(taken).toBeGreaterThan(10);
});
