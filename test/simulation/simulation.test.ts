// A few hundred seeds of the simulation. `npm run simulate -- --seeds 10000` runs more; docs/simulation.md says how to replay one.
import { describe, expect, it } from 'vitest';
import { DEADLY_PLACES } from '../fixtures/places-to-die.ts';
import { runSeed } from './run-seed.ts';

const SEEDS = 200;
const SEEDS_AT_ONCE = 25;
const batches = Array.from({ length: SEEDS / SEEDS_AT_ONCE }, (_, index) => index * SEEDS_AT_ONCE + 1);
const places = new Set<string>();

describe('switches, callers and admins on a world that fails', () => {
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

describe('a seed', () => {
  it('goes the same way every time, whatever ran before it', async () => {
    const first = await runSeed(7);
    await runSeed(8);
    const second = await runSeed(7);
    expect(second).toEqual(first);
    expect((await runSeed(9)).traceHash).not.toBe(first.traceHash);
  });
});
