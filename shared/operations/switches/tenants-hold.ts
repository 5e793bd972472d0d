// What tenants hold: the beginning of a switch, and its commit, until the administrators of every tenant of its company agreed.
import { destinationDigest } from '../../domain/approval.ts';
import type { Failure } from '../../domain/failure.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { needsTenants } from '../../domain/switch-machine.ts';
import type { Switch } from '../../domain/switch.ts';
import { targetOf } from '../keys/open-wrap.ts';
import type { DestinationReading } from '../tenants/destination.ts';
import { listTenants, unverifiedAmong, type VerificationReading } from '../tenants/verifications.ts';

export type TenantReading = VerificationReading & Pick<DestinationReading, 'managedTarget'>;

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
