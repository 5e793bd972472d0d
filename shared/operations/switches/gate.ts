// The gate before the work of a switch: it stays in `pending-verification` until nothing is missing. The act that supplies what was
// missing sends the message that looks here again, and the timer sends one if that is lost.
import { changeOnce } from '../../store/act.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Company } from '../../domain/keyring.ts';
import { withoutTrouble, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadCompany, loadKeyring, type Found } from '../../store/control-state.ts';
import { decide, seen } from './decide.ts';
import { lackOfRecentConsent } from '../../identity/registry/tenant-kinds.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock } from '../../domain/ports.ts';
import type { SealCheck } from '../keys/seals.ts';
import { lackOfClaim } from '../connections/vault-claims.ts';
import { loadConnection } from '../keys/verified-connection.ts';
import { destinationDigest } from '../../domain/approval.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { failed, LOST_RACE, MOVED, needsTenants, outcomeOf, type StepOutcome } from '../../domain/switch-machine.ts';
import { targetOf } from '../keys/open-wrap.ts';
import type { DestinationReading } from '../tenants/destination.ts';
import { listTenants, unverifiedAmong, type VerificationReading } from '../tenants/verifications.ts';

export async function leaveVerification(
  deps: TenantReading & Proving & { readonly tables: Tables },
  place: SwitchPlace,
  sw: Found<Switch>,
): Promise<StepOutcome> {
  const { companyId } = place;
  // Before anything is looked at: the transaction that leaves is made under its ETag.
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return LOST_RACE;
  let held = 0;
  const decided = await decide(
    sw.value,
    { seal: 'good', rows: 'read' },
    {
      tenants: async () =>
        seen('target', await tenantsThatHold(deps, { companyId, sw: sw.value }), ({ length }) => (held = length)),
      proof: async () => {
        const lack = await lackOfProof(deps, companyId, sw.value);
        return lack ? err(failed(lack, { side: 'target' })) : ok('good');
      },
    },
  );
  if (!decided.ok) return decided.error;
  if (decided.value.type === 'step') return enterPreparing(deps, place, { company, sw });
  deps.log.write({ level: 'info', event: 'switch.waits-for-tenants', detail: { ...place, tenants: held } });
  return outcomeOf(decided.value);
}

/** Reserves the next company-key version: its number is never used again, also if the switch is cancelled. `store` looks whether rows name it. */
async function enterPreparing(
  { tables }: { readonly tables: Tables },
  place: SwitchPlace,
  { company, sw }: { readonly company: Found<Company>; readonly sw: Found<Switch> },
): Promise<StepOutcome> {
  const keyring = await loadKeyring(tables, place);
  if (keyring?.value.switchId !== place.switchId) return LOST_RACE;
  // invariant A6: reserved before anything is made, and spent even if this is cancelled
  const toVersion = keyring.value.highVersion + 1;
  const entered = await changeOnce({ tables }, (tx) => {
    tx.replace(sw, { ...withoutTrouble(sw.value), state: 'preparing', toVersion });
    tx.replace(keyring, { ...keyring.value, highVersion: toVersion });
    return tx.guard(company);
  });
  return entered.ok ? MOVED : LOST_RACE;
}

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
  const { connectionId } = target;
  if (kind === 'rekey' || connectionId === undefined) return undefined;
  const connection = await loadConnection(deps, { companyId, connectionId });
  if (!connection.ok) return connection.error;
  // Gone: prepare finds that too, and says so.
  if (!connection.value) return undefined;
  const held = connection.value.value;
  const lack = lackOfRecentConsent(held, { now: deps.clock.now(), consentMs: deps.consentMs });
  return lack ?? lackOfClaim(deps, { companyId, host: held.host, keyName: held.keyName });
}

export type TenantReading = VerificationReading & Pick<DestinationReading, 'providers'>;

/** Those that the company has, and those that were removed since the switch was ordered. */
export async function tenantsOf(
  tables: VerificationReading['tables'],
  { companyId, sw }: { readonly companyId: string; readonly sw: Pick<Switch, 'removedTenants'> },
): Promise<readonly TenantRef[]> {
  const tenants = await listTenants(tables, companyId);
  const isThere = (one: TenantRef): boolean =>
    tenants.some(({ kind, tenantId }) => kind === one.kind && tenantId === one.tenantId);
  return [...tenants, ...(sw.removedTenants ?? []).filter((one) => !isThere(one))];
}

/**
 * The tenants that hold a switch in its present state.
 * Only at the beginning has a verification to be recent: afterwards it is enough that there is one. To write on the strength of an empty
 * answer, read the company's row first and write under its ETag.
 */
export async function tenantsThatHold(
  deps: TenantReading,
  { companyId, sw }: { readonly companyId: string; readonly sw: Switch },
): Promise<Result<readonly TenantRef[], Failure>> {
  if (!needsTenants(sw)) return ok([]);
  const tenants = await tenantsOf(deps.tables, { companyId, sw });
  if (tenants.length === 0) return ok([]);
  const target = await targetOf(deps, { companyId, ref: sw.target });
  if (!target.ok) return target;
  const { keyringId, switchId } = sw;
  return unverifiedAmong(deps, tenants, {
    companyId,
    approval: { for: 'switch', keyringId, switchId },
    destination: destinationDigest(target.value),
    ...(sw.state === 'pending-verification' ? { now: deps.clock.now() } : {}),
  });
}
