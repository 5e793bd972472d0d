// POST /{tenant}/oauth2/v2.0/token with the client_credentials grant: the checks in Entra's order, then a v1.0 token.
// Decides and signs; reading the request and writing the answer is the caller's business.
import { randomUUID } from 'node:crypto';
import * as aadsts from './aadsts.ts';
import { applicationClaims } from './claims.ts';
import { refuseAssertion } from './client-assertion.ts';
import type { AppRegistration, Directory, Tenant } from './directory.ts';
import type { TokenSigner } from './token-signer.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const DEFAULT_SCOPE_SUFFIX = '/.default';

interface TokenRequest {
  readonly tenant: string;
  readonly form: URLSearchParams;
  readonly directory: Directory;
  readonly signer: TokenSigner;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

type TokenOutcome = { readonly token: string } | { readonly refused: aadsts.EntraError };

export function issueToken(request: TokenRequest): TokenOutcome {
  const { directory, form, signer, nowMs } = request;
  const tenant = directory.findTenant(request.tenant);
  if (!tenant) return refused(unknownTenant(request.tenant, 'invalid_request'));
  const grant = form.get('grant_type');
  if (grant === null) return refused(aadsts.parameterMissing('grant_type'));
  if (grant !== 'client_credentials') return refused(aadsts.grantUnsupported(grant));
  const clientId = form.get('client_id');
  if (clientId === null) return refused(aadsts.parameterMissing('client_id'));

  const app = directory.findApp(clientId);
  if (!app || !(app.multiTenant || app.homeTenantId === tenant.tenantId)) {
    return refused(aadsts.appNotFound(clientId, tenant.displayName));
  }
  const principal = tenant.servicePrincipals.get(app.appId);
  if (!principal) return refused(aadsts.servicePrincipalMissing(app.appId, tenant.tenantId));
  const unproven = refuseCredential(app, request);
  if (unproven) return refused(unproven);
  if (!principal.enabled) return refused(aadsts.servicePrincipalDisabled(app.appId, app.displayName));
  if (tenant.blockedApps.has(app.appId)) return refused(aadsts.blockedByConditionalAccess());

  const audience = readAudience(form.get('scope'), tenant);
  if (typeof audience !== 'string') return refused(audience);
  const claims = applicationClaims({
    tenantId: tenant.tenantId,
    audience,
    appId: app.appId,
    objectId: principal.objectId,
    proof: form.has('client_secret') ? '1' : '2',
    tokenId: randomUUID(),
    lifetime: { nowMs, seconds: request.lifetimeSeconds },
  });
  return { token: signer.sign(claims) };
}

const refused = (error: aadsts.EntraError): TokenOutcome => ({ refused: error });

/** A tenant is named by a GUID or by a domain; anything else is refused as malformed, before it is looked for. */
export function unknownTenant(tenant: string, error: 'invalid_tenant' | 'invalid_request'): aadsts.EntraError {
  const wellFormed = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant) || tenant.includes('.');
  return wellFormed ? aadsts.tenantNotFound(tenant, error) : aadsts.tenantMalformed(tenant);
}

function refuseCredential(app: AppRegistration, request: TokenRequest): aadsts.EntraError | undefined {
  const { form, nowMs } = request;
  const secret = form.get('client_secret');
  if (secret !== null) {
    const known = [...app.secrets.values()].find(({ value }) => value === secret);
    if (!known) return aadsts.secretWrong(app.appId);
    return known.expiresAtMs > nowMs ? undefined : aadsts.secretExpired(app.appId);
  }
  const assertion = form.get('client_assertion');
  if (assertion === null || form.get('client_assertion_type') !== JWT_BEARER) return aadsts.credentialMissing();
  return refuseAssertion({ ...request, text: assertion, app });
}

function readAudience(scope: string | null, tenant: Tenant): string | aadsts.EntraError {
  if (scope === null) return aadsts.parameterMissing('scope');
  if (!scope.endsWith(DEFAULT_SCOPE_SUFFIX) || scope.includes(' ')) return aadsts.scopeInvalid(scope);
  const audience = scope.slice(0, -DEFAULT_SCOPE_SUFFIX.length);
  const missing = tenant.missingResources.has(audience);
  return missing ? aadsts.resourceNotFound(audience, tenant.displayName) : audience;
}
