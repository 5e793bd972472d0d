// Asking an administrator of a tenant to approve a pending switch, or an export.
import type { Approval } from '../../domain/approval.ts';
import type { Actor } from '../../domain/audit.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { Result } from '../../domain/result.ts';
import { tenantRowKey } from '../../domain/rows/row-keys.ts';
import type { TenantRef } from '../../domain/tenant.ts';
import { approvalKey } from '../../domain/approval.ts';
import { makeLink, type MadeLink } from './make-link.ts';
import type { SignInDependencies } from './sign-in-dependencies.ts';
import { subjectNow } from './subject-now.ts';

export async function requestVerification(
  deps: SignInDependencies,
  request: TenantRef & { readonly companyId: string; readonly approval: Approval },
  actor: Actor,
): Promise<Result<MadeLink, Refusal>> {
  const { companyId, kind, tenantId, approval } = request;
  const subject = { purpose: 'verification', kind, tenantId, approval } as const;
  const now = await subjectNow(deps, companyId, subject);
  if (!now.ok) return now;
  const detail = { approval: approvalKey(approval) };
  const act = { action: 'tenant.request-verification', companyId, target: tenantRowKey(request), detail };
  return makeLink(deps, { act, subject, about: now.value.digest }, actor);
}
