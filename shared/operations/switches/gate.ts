// The gate before the work of a switch: it stays in `pending-verification` until nothing is missing. An act that supplies something missing sends a
// message that looks here again; if that is lost, the timer sends one.
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
  // Read first: the transaction that leaves the gate is made under its ETag.
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

/** Reserves the next company-key version, a number that is never used again, even if the switch is cancelled. `store` checks whether rows name it. */
async function enterPreparing(
  { tables }: { readonly tables: Tables },
  place: SwitchPlace,
  { company, sw }: { readonly company: Found<Company>; readonly sw: Found<Switch> },
): Promise<StepOutcome> {
  const keyring = await loadKeyring(tables, place);
  if (keyring?.value.switchId !== place.switchId) return LOST_RACE;
  // invariant A6: reserved before the key is made, and used up even if the switch is cancelled
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
  /** How long a consent is valid for a set-up that is not finished. */
  readonly consentMs: number;
}

/** Undefined if nothing is missing. The vendor's own key needs no proof, and a re-key stays with its key. */
export async function lackOfProof(
  deps: Proving,
  companyId: string,
  { kind, target }: Pick<Switch, 'kind' | 'target'>,
): Promise<Failure | undefined> {
  const { connectionId } = target;
  if (kind === 'rekey' || connectionId === undefined) return undefined;
  const connection = await loadConnection(deps, { companyId, connectionId });
  if (!connection.ok) return connection.error;
  // The connection is gone: prepare finds that too, and reports it.
  if (!connection.value) return undefined;
  const held = connection.value.value;
  const lack = lackOfRecentConsent(held, { now: deps.clock.now(), consentMs: deps.consentMs });
  return lack ?? lackOfClaim(deps, { companyId, host: held.host, keyName: held.keyName, credential: held.credential });
}

export type TenantReading = VerificationReading & Pick<DestinationReading, 'providers'>;

/** The company's tenants, and those that were removed since the switch was ordered. */
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
 * The tenants that the switch waits for in its present state. A verification must be recent only at the beginning; later it is enough that there is
 * one. To write because the answer is empty, read the company's row before it and write under that ETag.
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
