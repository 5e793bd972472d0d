// A thousand seeds of the forger of words. In tens of tests, so that a slow machine runs into no time limit.
import { expect, it } from 'vitest';
import { runForger } from './forger.ts';

const SEEDS = 50;
const FIRST_SEEDS = Array.from({ length: 1000 / SEEDS }, (_, index) => index * SEEDS);

it.each(FIRST_SEEDS)(
  'in fifty seeds of row writes between the steps of sign-ins, from %i, no word is forged',
  async (first) => {
    for (let seed = first; seed < first + SEEDS; seed += 1) {
      expect((await runForger(seed)).forged, `seed ${seed}`).toEqual([]);
    }
  },
);
