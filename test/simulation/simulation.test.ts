// The first seeds of the simulation. at-length.deep.test.ts runs some hundreds, `npm run simulate -- --seeds 10000` more; docs/simulation.md
// says how to replay one.
import { describe, expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';

const SEEDS = 40;
const SEEDS_AT_ONCE = 10;
const batches = Array.from({ length: SEEDS / SEEDS_AT_ONCE }, (_, index) => index * SEEDS_AT_ONCE + 1);

describe('switches, callers and admins on a world that fails', () => {
  it.each(batches)('hold every invariant at every step, from seed %i on', async (from) => {
    for (let seed = from; seed < from + SEEDS_AT_ONCE; seed += 1) {
      const { failure } = await runSeed(seed);
      expect(failure, `npm run simulate -- --seed ${seed} --trace`).toBeUndefined();
    }
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
