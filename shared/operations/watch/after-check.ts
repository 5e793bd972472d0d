// What follows from a check once it is stored: other processes learn of a denial or of its end, a denial that may be an accident is looked at again, and
// operators read of a change.
import type { CheckMessage } from '../../domain/check-message.ts';
import type { ConnectionPlace } from '../../domain/connection.ts';
import { CONFIRM_AFTER_MS, isWell, type VaultHealth } from '../../domain/health.ts';
import type { CheckQueue, Log } from '../../domain/ports.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Found } from '../../store/found.ts';
import type { Denial } from '../../store/rows/denial-rows.ts';
import type { Denials } from '../keys/denials.ts';

/** A denial that counts only now is listed, and one is taken off that is over. Each check does so: one that died before is made good by the next. */
export async function tellOthers(
  { denials }: { readonly denials: Pick<Denials, 'add' | 'lift'> },
  place: ConnectionPlace,
  { health, denied }: { readonly health: VaultHealth; readonly denied: Found<Denial> | undefined },
): Promise<void> {
  if (health.state === 'revoked') await denials.add(place, health.code ?? '', { again: false });
  if (isWell(health.state) && denied) await denials.lift(denied);
}

/** A denial that may be an accident is seen again before it counts. Where the queue is away, the next turn of the timer sees it. */
export async function lookAgain(
  deps: { readonly checkQueue: CheckQueue; readonly log: Log },
  place: ConnectionPlace,
): Promise<void> {
  const { companyId, connectionId } = place;
  const message: CheckMessage = { format: 1, kind: 'check', companyId, connectionId, because: 'change' };
  try {
    await deps.checkQueue.send([message], { delayMs: CONFIRM_AFTER_MS });
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const detail = { companyId, connectionId, reason: error.message };
    deps.log.write({ level: 'warning', event: 'queue.unavailable', detail });
  }
}

export function logChange(log: Log, place: ConnectionPlace, { state, code }: VaultHealth): void {
  const level = state === 'healthy' ? 'info' : 'warning';
  log.write({ level, event: 'vault.state-changed', detail: { ...place, state, code } });
}
