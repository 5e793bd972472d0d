// "Not arrived yet" told apart from "denied". Pure: `now` is passed in. We cannot see when a role was granted, so the time counts
// from consent, or from when an admin said that it was done.
import { asPropagating, failure } from './failure-catalogue.ts';
import type { Failure, FailureCode } from './failure.ts';
import { APP_DISABLED, JUST_ACCEPTED, STILL_ARRIVING } from '../identity/entra/entra-failures.ts';

export interface Grant {
  /** When access was last granted, as far as we were told. */
  readonly grantedAt?: string;
  /** When an administrator last consented. */
  readonly consentedAt?: string;
}

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
export function propagationEnd(grantedAt: string | undefined, propagationMs: number): Date | undefined {
  const grantedMs = Date.parse(grantedAt ?? '');
  return Number.isNaN(grantedMs) ? undefined : new Date(grantedMs + propagationMs);
}

/** The failure as it is, or `propagating` while a grant may still be on its way. */
export function excuseRecentGrant(
  found: Failure,
  facts: { readonly grant: Grant; readonly now: Date; readonly propagationMs: number },
): Failure {
  if (isNotInstalled(found)) {
    const end = propagationEnd(facts.grant.consentedAt, facts.propagationMs);
    if (!end || facts.now >= end) return found;
    return asPropagating(
      failure(found.code, { ...found.facts, detail: STILL_ARRIVING }, found.service),
      end.toISOString(),
    );
  }
  // A deny assignment takes precedence over any role, however fresh.
  if (!MAY_PROPAGATE.has(found.code) || found.facts.denyAssignmentId !== undefined) return found;
  const end = propagationEnd(facts.grant.grantedAt, facts.propagationMs);
  return end && facts.now < end ? asPropagating(found, end.toISOString()) : found;
}

/** Entra's own word that our app is not in the tenant: one of its servers may say so for minutes after another has given us a token. */
const isNotInstalled = ({ code, facts }: Failure): boolean => code === 'consent-required' && facts.detail === undefined;
