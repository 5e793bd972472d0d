// What a message of the queue of vault checks does. It may come twice, late, and forged: it reads the tables first (invariant A23).
import type { CheckMessage } from '../../domain/check-message.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { checkAsked } from './asked.ts';
import type { PlacedDependencies } from './check-in-place.ts';
import { workRound } from './rounds.ts';

/** Where the store is away the message is over: the timer's next one does the same. */
export async function handleCheck(deps: PlacedDependencies, message: CheckMessage): Promise<void> {
  try {
    if (message.kind === 'round') await workRound(deps, message);
    else await checkAsked(deps, message);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.write({
      level: 'warning',
      event: 'store.unavailable',
      detail: { kind: message.kind, reason: error.message },
    });
  }
}
