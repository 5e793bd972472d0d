// What tests of tenants do with the rig of switches: register and verify tenants, and look at what a switch waits for.
import { approvalKey, type Approval } from '../../../shared/domain/approval.ts';
import { verificationRowKey } from '../../../shared/store/rows/row-keys.ts';
import { verificationCells } from '../../../shared/store/rows/tenant-rows.ts';
import { sealedBytesOfVerification } from '../../../shared/domain/seal.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import type { Verification } from '../../../shared/domain/verification.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { getSwitch, type SwitchView } from '../../../shared/operations/switches/view.ts';
import { destinationOf } from '../../../shared/operations/tenants/destination.ts';
import { deleteTenant, putTenant } from '../../../shared/operations/tenants/tenants.ts';
import { type Verified } from '../../../shared/operations/tenants/verifications.ts';
import { verifyTenant } from '../../../shared/operations/switches/verify-tenant.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';
import { COMPANY, KEYRING, place, type Rig } from '../switches/rig.ts';

export const ENTRA: TenantRef = { kind: 'microsoft-365', tenantId: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' };
export const OTHER_ENTRA: TenantRef = { kind: 'microsoft-365', tenantId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' };
export const GOOGLE: TenantRef = { kind: 'google-workspace', tenantId: 'contoso.com' };
export const HOUR_MS = 3_600_000;

export const switchApproval = (switchId: string): Approval => ({ for: 'switch', keyringId: KEYRING, switchId });

export async function register(rig: Rig, ...tenants: readonly TenantRef[]): Promise<void> {
  for (const tenant of tenants) {
    const put = await putTenant(rig.deps, { companyId: COMPANY, ...tenant, condition: {} }, ADMIN);
    if (!put.ok) throw new Error(JSON.stringify(put.error));
  }
}

export const remove = (rig: Rig, tenant: TenantRef): ReturnType<typeof deleteTenant> =>
  deleteTenant(rig.deps, { companyId: COMPANY, ...tenant, condition: {} }, ADMIN);

/** Where a switch leads, by its digest. */
export async function destination(rig: Rig, switchId: string): Promise<string> {
  const found = await destinationOf(rig.deps, { companyId: COMPANY, approval: switchApproval(switchId) });
  if (!found.ok) throw new Error(JSON.stringify(found.error));
  return found.value.digest;
}

/** Of a Workspace its customer id too. */
export const speakerOf = ({ kind, tenantId }: TenantRef): { readonly customerId?: string } =>
  kind === 'google-workspace' ? { customerId: `C0 of ${tenantId}` } : {};

/** As after a sign-in of the tenant's own administrator. */
export async function verify(
  rig: Rig,
  switchId: string,
  tenant: TenantRef,
  change: Partial<Verified> = {},
): ReturnType<typeof verifyTenant> {
  const verified = {
    companyId: COMPANY,
    approval: switchApproval(switchId),
    ...tenant,
    destination: change.destination ?? (await destination(rig, switchId)),
    admin: { id: `${tenant.tenantId}/admin`, name: 'Ann', ...speakerOf(tenant) },
    ...change,
  };
  return verifyTenant(rig.deps, verified, actorNamed('browser'));
}

export async function verifyAll(rig: Rig, switchId: string, ...tenants: readonly TenantRef[]): Promise<void> {
  for (const tenant of tenants) {
    const done = await verify(rig, switchId, tenant);
    if (!done.ok) throw new Error(JSON.stringify(done.error));
  }
}

/** A verification that the vendor's seal key really signed, for whatever is asked, put behind everybody's back. */
export async function plant(
  rig: Rig,
  switchId: string,
  tenant: TenantRef,
  planted: {
    readonly signed?: Partial<Verification>;
    readonly of?: string;
    readonly changed?: Partial<Verification>;
  } = {},
): Promise<void> {
  const unsealed: Omit<Verification, 'seal'> = {
    ...tenant,
    approval: approvalKey(switchApproval(switchId)),
    destination: await destination(rig, switchId),
    verifiedAt: rig.clock.now().toISOString(),
    adminId: `${tenant.tenantId}/an-admin`,
    adminName: 'Ann',
    ...planted.signed,
  };
  const seal = await rig.vaults.sign(sealedBytesOfVerification(planted.of ?? COMPANY, unsealed));
  if (!seal.ok) throw new Error('no seal');
  const rowKey = verificationRowKey(approvalKey(switchApproval(switchId)), tenant);
  const cells = verificationCells({ ...unsealed, seal: seal.value, ...planted.changed });
  rig.store.tamper('companies', COMPANY, rowKey, cells);
}

export const stateOf = async (rig: Rig, switchId: string): Promise<string | undefined> =>
  (await loadSwitch(rig.store, place(switchId)))?.value.state;

export async function viewOf(rig: Rig, switchId: string): Promise<SwitchView> {
  const view = await getSwitch(rig.deps, place(switchId));
  if (!view.ok) throw new Error(JSON.stringify(view.error));
  return view.value;
}

/** Messages that are waiting, taken out. */
export function taken(rig: Rig): readonly string[] {
  const kinds: string[] = [];
  for (let message = rig.queue.take(); message; message = rig.queue.take()) kinds.push(message.kind);
  return kinds;
}
