// Many vaults, and a region of them that says nothing: who waits for whom, and what is written.
import { expect, it } from 'vitest';
import { simulateRounds } from './many-vaults.ts';

const MINUTE_MS = 60_000;

it('of 2,000 vaults each is checked in the first minute and every five, and only a change of its state is written', async () => {
  const measured = await simulateRounds({ vaults: 2_000, instances: 1, minutes: 8 });
  expect(measured.longestGapMs).toBeLessThanOrEqual(5 * MINUTE_MS + 1_000);
  expect(measured.stateChanges).toBe(2_000);
  expect(measured.writesOfStates).toBe(2_000);
  expect(measured.notesOfRounds).toBeLessThanOrEqual(8 * 16 * 2);
});

it('600 of them that fall silent at once are told apart, keep none of the others waiting, and are seen to be back', async () => {
  const outage = { vaults: 600, from: 6, to: 26 };
  const measured = await simulateRounds({ vaults: 2_000, instances: 1, minutes: 46, outage });
  expect(measured.longestGapMs).toBeLessThanOrEqual(5 * MINUTE_MS + 10_000);
  expect(measured.mostKnownSilent).toBeLessThanOrEqual(128);
  expect(measured.mostInFlight).toBeLessThanOrEqual(256);
  expect(measured.stateChanges).toBe(2_000 + 2 * 600);
  expect(measured.undecided).toBeLessThan(100);
  expect(measured.writesOfStates).toBe(measured.stateChanges + measured.undecided);
  expect(measured.allSeenAwayMs).toBeLessThanOrEqual(6 * MINUTE_MS);
  expect(measured.allSeenBackMs).toBeLessThanOrEqual(17 * MINUTE_MS);
});
