// A check that was asked for between the turns of the timer, by a message. Messages of rounds wait for it in the same queue: where a region falls silent
// and all its callers ask at once, it must be over soon.
import { isKnown } from '../../domain/asked-check.ts';
import type { OneCheckMessage } from '../../domain/check-message.ts';
import { find } from '../../store/found.ts';
import { healthRow } from '../../store/rows/health-rows.ts';
import { checkInPlace, type PlacedDependencies } from './check-in-place.ts';
import { checkIfUsed } from './vault-checks.ts';

/** After an outage it is left to the next round where a process has several of them in hand. A denial is always looked at. */
export async function checkAsked(
  deps: PlacedDependencies,
  { companyId, connectionId, because }: OneCheckMessage,
): Promise<void> {
  const place = { companyId, connectionId };
  const health = await find(deps.tables, healthRow, place);
  if (isKnown(health?.value, because)) return;
  const { checkPlaces } = deps;
  const held = await (because === 'outage' ? checkPlaces.takeIfFew() : checkPlaces.take('quick'));
  if (held) await checkInPlace(deps, held, { place }, checkIfUsed);
}
