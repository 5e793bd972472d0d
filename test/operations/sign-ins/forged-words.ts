// What the product takes for somebody's word, and what it takes for granted, after whatever was written into the tables.
import type { Approval } from '../../../shared/domain/approval.ts';
import { type SignInSubject, textsOfSubject } from '../../../shared/domain/sign-in-subject.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { loadExportState } from '../../../shared/operations/exports/export-state.ts';
import type { Cells } from '../../../shared/store/tables.ts';
import type { SignInDependencies } from '../../../shared/operations/sign-ins/step.ts';
import { digestOfConnection } from '../../../shared/operations/sign-ins/subject-now.ts';
import { checkSwitch } from '../../../shared/operations/keys/switch-seal.ts';
import type { SwitchPlace } from '../../../shared/domain/switch.ts';
import { destinationOf } from '../../../shared/operations/tenants/destination.ts';
import { listTenants, unverifiedAmong } from '../../../shared/operations/tenants/verifications.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import { COMPANY } from '../switches/rig.ts';

export const wordOf = (tenantId: string, subject: SignInSubject, about: string): string =>
  [tenantId, ...textsOfSubject(subject), about].join(' ');

interface Looked {
  readonly tenants: readonly TenantRef[];
  readonly approvals: readonly Approval[];
  readonly connections: readonly string[];
  /** Cells of consents that stood in the tables at first. */
  readonly given: ReadonlySet<Cells[string]>;
}

export const wordsTaken = async (deps: SignInDependencies, looked: Looked): Promise<readonly string[]> => [
  ...(await approvalsTaken(deps, looked)),
  ...(await consentsTaken(deps, looked)),
];

async function approvalsTaken(deps: SignInDependencies, { tenants, approvals }: Looked): Promise<readonly string[]> {
  const taken: string[] = [];
  const isLooked = (one: TenantRef): boolean => tenants.some(({ tenantId }) => tenantId === one.tenantId);
  const registered = (await listTenants(deps.tables, COMPANY)).filter(isLooked);
  for (const approval of approvals) {
    const found = await destinationOf(deps, { companyId: COMPANY, approval });
    if (!found.ok) continue;
    const { digest: destination } = found.value;
    for (const tenant of registered) {
      const left = await unverifiedAmong(deps, [tenant], { companyId: COMPANY, approval, destination });
      const { kind, tenantId } = tenant;
      const subject = { purpose: 'verification', kind, tenantId, approval } as const;
      if (left.ok && left.value.length === 0) taken.push(wordOf(tenantId, subject, destination));
    }
  }
  return taken;
}

async function consentsTaken(deps: SignInDependencies, { connections, given }: Looked): Promise<readonly string[]> {
  const taken: string[] = [];
  for (const connectionId of connections) {
    const loaded = await loadConnection(deps, { companyId: COMPANY, connectionId });
    const held = loaded.ok ? loaded.value?.value : undefined;
    if (!held) continue;
    const { consent, move, tenantId = '' } = held;
    const about = digestOfConnection(held);
    if (consent && !given.has(JSON.stringify(consent)))
      taken.push(wordOf(tenantId, { purpose: 'consent', connectionId }, about));
    if (move) taken.push(wordOf(move.tenantId, { purpose: 'consent', connectionId, movedTo: move.tenantId }, about));
  }
  return taken;
}

/** Of a switch that waits for an admin of its company, in a keyring of which nothing was ever exported. */
export async function grantsTaken(deps: SignInDependencies, place: SwitchPlace): Promise<readonly string[]> {
  const taken: string[] = [];
  const sw = (await loadSwitch(deps.tables, place))?.value;
  if (sw && (await checkSwitch(deps, place, sw)).ok) {
    if (sw.awaitsConfirmation !== true) taken.push('a switch is confirmed');
    if (sw.denialAccepted) taken.push('a denial is accepted');
    if (sw.endsWithoutKeeping) taken.push('a company key is given up');
  }
  const exports = await loadExportState(deps, place);
  if (exports.ok && (exports.value.value.round !== 0 || exports.value.value.allowanceUntil !== undefined))
    taken.push('an export is allowed');
  return taken;
}
