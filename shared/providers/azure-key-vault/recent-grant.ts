// "Not arrived yet" told apart from "denied", for a grant of Azure's or of Entra's (invariant A18). Pure: `now` is passed in.
import { asPropagating, type Failure, type FailureCode } from '../../domain/failure.ts';
import { propagationEnd, type ExcuseRecentGrant } from '../../domain/propagation.ts';
import { STILL_ARRIVING } from '../../identity/entra/words/consent-failures.ts';
import { failure } from './words/failures.ts';

/** What a grant that has not arrived looks like. */
const MAY_PROPAGATE: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'access-denied-rbac',
  'access-denied-policy',
  'federation-mismatch',
]);

export const excuseRecentGrant: ExcuseRecentGrant = (found, { grant, now, propagationMs }) => {
  if (isNotInstalled(found)) {
    const end = propagationEnd(grant.consentedAt, propagationMs);
    if (!end || now >= end) return found;
    const arriving = failure('consent-required', { ...found.facts, detail: STILL_ARRIVING }, found.service);
    return asPropagating(arriving, end.toISOString());
  }
  // A deny assignment takes precedence over any role, however fresh.
  if (!MAY_PROPAGATE.has(found.code) || found.facts.denyAssignmentId !== undefined) return found;
  const end = propagationEnd(grant.grantedAt, propagationMs);
  return end && now < end ? asPropagating(found, end.toISOString()) : found;
};

/** Entra's own word that our app is not in the tenant: one of its servers may say so for minutes after another has given us a token. */
const isNotInstalled = ({ code, facts }: Failure): boolean => code === 'consent-required' && facts.detail === undefined;
