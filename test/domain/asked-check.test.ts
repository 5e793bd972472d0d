// What a caller has met is looked at, unless it is known.
import { expect, it } from 'vitest';
import { isKnown, type Because } from '../../shared/domain/asked-check.ts';
import type { VaultState } from '../../shared/domain/health.ts';

it.each<[VaultState | undefined, number, Because, boolean]>([
  [undefined, 0, 'outage', false],
  [undefined, 0, 'denial', false],
  ['healthy', 0, 'outage', false],
  ['healthy', 0, 'denial', false],
  ['warning', 0, 'denial', false],
  ['waiting-for-azure', 0, 'denial', false],
  ['unreachable', 0, 'outage', true],
  ['unreachable', 0, 'denial', false],
  ['unreachable', 0, 'change', false],
  // A denial that has to be seen three times.
  ['unreachable', 1, 'outage', false],
  ['unreachable', 2, 'denial', false],
  ['revoked', 0, 'denial', true],
  ['revoked', 3, 'denial', true],
  ['revoked', 0, 'outage', false],
  ['revoked', 3, 'change', false],
])('of a vault that is %s (seen %i times), %s: known is %s', (state, sightings, because, known) => {
  expect(isKnown(state && { state, sightings }, because)).toBe(known);
});
