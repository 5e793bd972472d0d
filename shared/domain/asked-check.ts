// Checks that are asked for between the turns of the timer. Pure. In an outage of many vaults every caller of each of them asks, so what is known already
// is not looked at again for that: the rounds do.
import type { VaultHealth } from './health.ts';

/** `outage`, `denial`: what a call has met. `change`: something has changed since the last look, or the look is to be confirmed. */
export type Because = 'outage' | 'denial' | 'change';
export const REASONS: readonly Because[] = ['outage', 'denial', 'change'];

/** Whether the state that is stored says it. A denial that is not confirmed yet is neither. */
export function isKnown(health: Pick<VaultHealth, 'state' | 'sightings'> | undefined, because: Because): boolean {
  if (because === 'change' || health === undefined) return false;
  return because === 'denial' ? health.state === 'revoked' : health.state === 'unreachable' && health.sightings === 0;
}
