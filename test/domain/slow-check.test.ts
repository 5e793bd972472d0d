// A check without an answer keeps no vault waiting that answers.
import { describe, expect, it } from 'vitest';
import { fateOf, usualAfter, type Fate } from '../../shared/domain/slow-check.ts';

const QUICK = 100;

describe('a check', () => {
  it.each<[number, number | undefined, boolean, number, Fate]>([
    [0, QUICK, true, 0, 'stay'],
    [999, QUICK, true, 0, 'stay'],
    [1_000, QUICK, false, 0, 'stay'],
    [1_000, QUICK, false, 5, 'stay'],
    [1_000, QUICK, true, 5, 'move-over'],
    [1_000, QUICK, true, 1, 'move-over'],
    [1_000, QUICK, true, 0, 'give-up'],
    [1_999, QUICK, false, 0, 'stay'],
    [2_000, QUICK, false, 1, 'move-over'],
    [2_000, QUICK, false, 0, 'give-up'],
    [9_000, QUICK, true, 0, 'give-up'],
    // All take long, or none has been answered yet: what it waits for may be this process.
    [2_000, 501, true, 0, 'stay'],
    [2_000, 501, true, 1, 'move-over'],
    [3_000, 501, true, 0, 'give-up'],
    [9_000, 3_000, true, 0, 'stay'],
    [9_000, undefined, true, 0, 'stay'],
    [2_000, undefined, true, 1, 'move-over'],
  ])(
    'after %i ms, where %s are usual, others waiting: %s, places for the silent ones: %i: %s',
    (takenMs, usualMs, othersWait, freeOfSilent, fate) => {
      expect(fateOf({ takenMs, usualMs, othersWait, freeOfSilent })).toBe(fate);
    },
  );
});

it('what is usual follows what vaults take that answer, and not those that do not', () => {
  expect(usualAfter(undefined, 100)).toBe(100);
  expect(usualAfter(undefined, 8_000)).toBeUndefined();
  expect(usualAfter(100, 10_000)).toBe(100);
  let usual: number | undefined = 0;
  for (let check = 0; check < 16; check += 1) usual = usualAfter(usual, 3_000);
  expect(usual).toBeGreaterThan(2_500);
  for (let check = 0; check < 32; check += 1) usual = usualAfter(usual, 0);
  expect(usual).toBeLessThan(100);
});
