// Who may vouch for a tenant: a Global Administrator or Privileged Role Administrator of the Entra tenant itself, a Super
// Admin of the Google Workspace itself. Pure. Judges what a verified ID token and Google's directory say; how they were
// verified is the adapter's business.
import { failure } from '../domain/failure-catalogue.ts';
import type { Failure } from '../domain/failure.ts';
import { DELEGATED_ADMIN, PERSONAL_GOOGLE_ACCOUNT } from './google/google-failures.ts';

/** Template ids, the same in every tenant. Microsoft's list of built-in roles names them. */
export const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
export const PRIVILEGED_ROLE_ADMINISTRATOR = 'e8611ab8-c189-46e8-94e1-60213ab1f814';
const VOUCHING_ROLES = [GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR];

/** How far the clocks of Microsoft, Google and this app may be apart, and the second that `auth_time` is cut to. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * Undefined if the person showed who they are since `since`, when the browser was sent there. Microsoft can be asked to have them do so, and
 * has to tell. Google can not, and tells only if the vendor has set that up: silence there counts as fresh.
 */
export function judgeFreshness(
  authenticatedAt: Date | undefined,
  { since, at }: { readonly since: Date; readonly at: 'microsoft' | 'google' },
): Failure | undefined {
  if (!authenticatedAt) return at === 'google' ? undefined : failure('auth-time-not-emitted');
  const isFresh = authenticatedAt.getTime() >= since.getTime() - CLOCK_TOLERANCE_MS;
  return isFresh ? undefined : failure('sign-in-not-fresh', at === 'google' ? { identityProvider: 'google' } : {});
}

/** Undefined if the person may vouch for `tenantId`. */
export function judgeMicrosoftAdmin(
  person: { readonly tenantId: string; readonly roleTemplateIds?: readonly string[] },
  tenantId: string,
): Failure | undefined {
  if (person.tenantId !== tenantId) {
    return failure('sign-in-wrong-tenant', { tenantId, detail: `the user's tenant is ${person.tenantId}` });
  }
  const { roleTemplateIds } = person;
  if (roleTemplateIds === undefined) return failure('wids-not-emitted', { tenantId });
  return roleTemplateIds.some((id) => VOUCHING_ROLES.includes(id))
    ? undefined
    : failure('admin-role-missing', { tenantId });
}

/** Undefined if the person may vouch for the Workspace of `domain`, which is in lower case. */
export function judgeGoogleAdmin(
  person: { readonly domain?: string; readonly isSuperAdmin: boolean; readonly isDelegatedAdmin: boolean },
  domain: string,
): Failure | undefined {
  if (person.domain === undefined) return failure('google-wrong-domain', { detail: PERSONAL_GOOGLE_ACCOUNT });
  if (person.domain !== domain) {
    return failure('google-wrong-domain', { detail: `the account belongs to ${person.domain}, not to ${domain}` });
  }
  if (person.isSuperAdmin) return undefined;
  return failure('google-not-super-admin', person.isDelegatedAdmin ? { detail: DELEGATED_ADMIN } : {});
}

/** Undefined if the Workspace is that of whoever has the domain. What Google does not tell of a Super Admin's Workspace is not so. */
export const judgeWorkspace = (workspace: { readonly isDomainProved: boolean } | undefined): Failure | undefined =>
  workspace?.isDomainProved === true ? undefined : failure('google-domain-unproved');
