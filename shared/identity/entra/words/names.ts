// Naming a tenant, and our principal in it, by what is known of them. Pure.
import type { FailureFacts } from '../../../domain/failure.ts';

export const theTenant = (facts: FailureFacts): string =>
  facts.tenantId === undefined ? "the company's Entra tenant" : `the Entra tenant ${facts.tenantId}`;

/** How to recognise our principal: display names can be copied, ids cannot. */
export const thePrincipal = (facts: FailureFacts): string => {
  const ids = [
    ...(facts.appId === undefined ? [] : [`application id ${facts.appId}`]),
    ...(facts.principalId === undefined ? [] : [`object id ${facts.principalId}`]),
  ];
  return ids.length === 0 ? 'our service principal' : `the service principal with ${ids.join(' and ')}`;
};
