// A few hundred seeds of the simulation, behind those that simulation.test.ts has run; between them they meet every place to die.
import { describe, expect, it } from 'vitest';
import { DEADLY_PLACES } from '../fixtures/places-to-die.ts';
import { runSeed } from './run-seed.ts';

const FIRST_SEED = 41;
const SEEDS = 400;
const SEEDS_AT_ONCE = 25;
const batches = Array.from({ length: SEEDS / SEEDS_AT_ONCE }, (_, index) => FIRST_SEED + index * SEEDS_AT_ONCE);
const places = new Set<string>();

describe('switches, callers and admins on a world that fails, at length', () => {
  it.each(batches)('hold every invariant at every step, from seed %i on', async (from) => {
    for (let seed = from; seed < from + SEEDS_AT_ONCE; seed += 1) {
      const outcome = await runSeed(seed);
      expect(outcome.failure, `npm run simulate -- --seed ${seed} --trace`).toBeUndefined();
      for (const reached of outcome.reached.places) places.add(reached.split(' · ').slice(0, 2).join(' · '));
    }
  });

  it.each(['kill', 'freeze'])('have met a %s at every place to die', (death) => {
    expect(DEADLY_PLACES.filter((place) => !places.has(`${place} · ${death}`))).toEqual([]);
  });
});
