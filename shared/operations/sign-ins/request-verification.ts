// Asking an administrator of a tenant to approve a pending switch, or the next export of a keyring's company key.
import { approvalKey, type Approval } from '../../domain/approval.ts';
import type { Actor } from '../../domain/audit.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { tenantRow } from '../../store/rows/tenant-rows.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { loadExportState } from '../exports/export-state.ts';
import { makeLink, type MadeLink } from './make-link.ts';
import type { SignInDependencies } from './step.ts';
import { subjectNow } from './subject-now.ts';

/** An export is always the next one: callers name no round. */
export type AskedApproval =
  Extract<Approval, { readonly for: 'switch' }> | Omit<Extract<Approval, { readonly for: 'export' }>, 'round'>;

export async function requestVerification(
  deps: SignInDependencies,
  request: TenantRef & { readonly companyId: string; readonly approval: AskedApproval },
  actor: Actor,
): Promise<Result<MadeLink, Refusal>> {
  const { companyId, kind, tenantId } = request;
  const named = await namedApproval(deps, companyId, request.approval);
  if (!named.ok) return named;
  const approval = named.value;
  const subject = { purpose: 'verification', kind, tenantId, approval } as const;
  const now = await subjectNow(deps, companyId, subject);
  if (!now.ok) return now;
  const detail = { approval: approvalKey(approval) };
  const act = { action: 'tenant.request-verification', companyId, target: tenantRow.key(request), detail };
  return makeLink(deps, { act, subject, about: now.value.digest }, actor);
}

async function namedApproval(
  deps: SignInDependencies,
  companyId: string,
  asked: AskedApproval,
): Promise<Result<Approval, Refusal>> {
  if (asked.for === 'switch') return ok(asked);
  const exports = await loadExportState(deps, { companyId, keyringId: asked.keyringId });
  return exports.ok ? ok({ ...asked, round: exports.value.value.round }) : err(refusedBy(exports.error));
}
