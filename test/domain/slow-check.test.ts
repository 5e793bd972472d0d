// A check without an answer keeps no vault waiting that answers.
import { expect, it } from 'vitest';
import { fateOf, type Fate } from '../../shared/domain/slow-check.ts';

it.each<[number, boolean, number, Fate]>([
  [0, true, 0, 'stay'],
  [999, true, 0, 'stay'],
  [1_000, false, 0, 'stay'],
  [1_000, false, 5, 'stay'],
  [1_000, true, 5, 'move-over'],
  [1_000, true, 1, 'move-over'],
  [1_000, true, 0, 'give-up'],
  [1_999, false, 0, 'stay'],
  [2_000, false, 1, 'move-over'],
  [2_000, false, 0, 'give-up'],
  [2_000, true, 1, 'move-over'],
  [9_000, true, 0, 'give-up'],
])('after %i ms, others waiting: %s, places for the silent ones: %i: %s', (takenMs, othersWait, freeOfSilent, fate) => {
  expect(fateOf({ takenMs, othersWait, freeOfSilent })).toBe(fate);
});
