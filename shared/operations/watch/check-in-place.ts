// A check that holds one of the places of its process.
import type { ConnectionPlace } from '../../domain/connection.ts';
import { present } from '../../domain/plain-object.ts';
import type { ListedAgendaItem } from '../../store/agenda.ts';
import type { CheckPlace, CheckPlaces } from './check-places.ts';
import { noteSlow } from './pace.ts';
import type { CheckDependencies, checkIfUsed } from './vault-checks.ts';

export interface PlacedDependencies extends CheckDependencies {
  readonly checkPlaces: CheckPlaces;
}

/**
 * Whether the check was not given up. A vault whose check was is noted as slow: its state stays as it is, and it is checked with its whole time limit
 * among those that do not answer, before these.
 */
export async function checkInPlace(
  deps: PlacedDependencies,
  held: CheckPlace,
  { place, listed }: { readonly place: ConnectionPlace; readonly listed?: ListedAgendaItem },
  check: typeof checkIfUsed,
): Promise<boolean> {
  const checked = await held.run((signal) => check(deps, place, { signal, ...present({ listed }) }));
  if (checked !== 'undecided') return true;
  await noteSlow(deps, place, listed);
  return false;
}
