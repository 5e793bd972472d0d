// The simulation itself under test: with a bug planted in a mechanism of the protocol it must fail. It runs outside of the test runner's
// own module loading, on copies of the product in which the bug is.
import { describe, expect, it } from 'vitest';
import { findPlanted } from './plant.ts';
import { PLANTED_BUGS, SEEDS_TO_FIND } from './planted-bugs.ts';

const LONGEST_MS = 600_000;

describe.concurrent(`within ${SEEDS_TO_FIND} seeds the simulation finds that`, () => {
  it.each(PLANTED_BUGS)(
    '$name',
    async (bug) => {
      const found = await findPlanted(bug);
      expect(found?.failure).toMatch(/^step \d+: invariant \d+: /);
    },
    LONGEST_MS,
  );
});

it('a failing seed fails again at the same step', async () => {
  const bug = PLANTED_BUGS.find(({ name }) => name.includes('version number'));
  if (!bug) throw new Error('no such bug');
  const found = await findPlanted(bug);
  expect(found).toBeDefined();
  expect(await findPlanted({ ...bug, from: found?.seed ?? 0 })).toEqual(found);
});
