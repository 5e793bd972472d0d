// What must be proved before a switch leaves `pending-verification`: consent to the target's key, not too old, and that the key is this
// company's. Read by the worker and not only when the switch is ordered: both may have been lost since.
import { lackOfRecentConsent } from '../../domain/consent.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Switch } from '../../domain/switch.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';
import type { SealCheck } from '../keys/seals.ts';
import { lackOfClaim } from '../connections/vault-claims.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface Proving extends SealCheck {
  readonly tables: Pick<Tables, 'read'>;
  readonly clock: Clock;
  /** How long a consent serves for a set-up that is not finished. */
  readonly consentMs: number;
}

/** Undefined if nothing is lacking. The vendor's own key takes no proof, and a re-key stays under the key that it is under. */
export async function lackOfProof(
  deps: Proving,
  companyId: string,
  { kind, target }: Pick<Switch, 'kind' | 'target'>,
): Promise<Failure | undefined> {
  if (kind === 'rekey' || target.provider === 'managed') return undefined;
  const connection = await loadConnection(deps, { companyId, connectionId: target.connectionId });
  if (!connection.ok) return connection.error;
  // Gone: prepare finds that too, and says so.
  if (!connection.value) return undefined;
  const held = connection.value.value;
  const lack = lackOfRecentConsent(held, { now: deps.clock.now(), consentMs: deps.consentMs });
  return lack ?? lackOfClaim(deps, { companyId, host: held.host, keyName: held.keyName });
}
