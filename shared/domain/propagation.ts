// "Not arrived yet" told apart from "denied". Pure: `now` is passed in. We cannot see when a role was granted, so the time counts
// from consent, or from when an admin said that it was done.
import { asPropagating, failure } from './failure-catalogue.ts';
import type { Failure, FailureCode } from './failure.ts';
import { APP_DISABLED, JUST_ACCEPTED } from './failures/entra-failures.ts';

/** What a grant that has not arrived looks like. */
const MAY_PROPAGATE: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'access-denied-rbac',
  'access-denied-policy',
  'federation-mismatch',
]);

/**
 * Right after an administrator accepted, "not installed" is Microsoft passing the new service principal on: seconds, sometimes minutes
 * (MSAL.NET #3706, vault-plugin-secrets-azure #26). An app that was switched off is another thing.
 */
export function excuseFreshConsent(found: Failure): Failure {
  if (found.code !== 'consent-required' || found.facts.detail === APP_DISABLED) return found;
  const arriving = failure(found.code, { ...found.facts, detail: JUST_ACCEPTED }, found.service);
  return { ...arriving, kind: 'propagating' };
}

/** When a denial stops being excused; undefined if no grant was ever reported. */
export function propagationEnd(grant: { readonly grantedAt?: string }, propagationMs: number): Date | undefined {
  const grantedMs = Date.parse(grant.grantedAt ?? '');
  return Number.isNaN(grantedMs) ? undefined : new Date(grantedMs + propagationMs);
}

/** The failure as it is, or `propagating` while a grant may still be on its way. */
export function excuseRecentGrant(
  found: Failure,
  facts: { readonly grant: { readonly grantedAt?: string }; readonly now: Date; readonly propagationMs: number },
): Failure {
  // A deny assignment takes precedence over any role, however fresh.
  if (!MAY_PROPAGATE.has(found.code) || found.facts.denyAssignmentId !== undefined) return found;
  const end = propagationEnd(facts.grant, facts.propagationMs);
  return end && facts.now < end ? asPropagating(found, end.toISOString()) : found;
}
