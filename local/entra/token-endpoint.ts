// POST /{tenant}/oauth2/v2.0/token: the checks of the client in Entra's order, then what the grant brings: a v1.0 token
// for client credentials, an ID token for the code of a person. Reading the request and writing the answer is the caller's.
import { randomUUID } from 'node:crypto';
import type { PlannedTokens } from '../oidc/planned-tokens.ts';
import type { ShortLived } from '../oidc/short-lived.ts';
import * as aadsts from './aadsts.ts';
import { applicationClaims } from './claims.ts';
import { refuseAssertion } from './client-assertion.ts';
import { redeemCode } from './code-grant.ts';
import type { Directory } from './directory.ts';
import type { AppRegistration, ServicePrincipal, Tenant } from './model.ts';
import type { CodeGrant } from './people-steps.ts';
import type { TokenSigner } from './token-signer.ts';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const DEFAULT_SCOPE_SUFFIX = '/.default';

interface TokenRequest {
  readonly tenant: string;
  readonly form: URLSearchParams;
  readonly directory: Directory;
  readonly signer: TokenSigner;
  readonly codes: ShortLived<CodeGrant>;
  readonly idTokens: PlannedTokens;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

type TokenOutcome = { readonly body: object } | Refused;
interface Refused {
  readonly refused: aadsts.EntraError;
}

interface Client {
  readonly tenant: Tenant;
  readonly app: AppRegistration;
  readonly principal: ServicePrincipal;
}

export function issueToken(request: TokenRequest): TokenOutcome {
  const { directory, form } = request;
  const tenant = directory.findTenant(request.tenant);
  if (!tenant) return refused(aadsts.unknownTenant(request.tenant, 'invalid_request'));
  const grant = form.get('grant_type');
  if (grant === null) return refused(aadsts.parameterMissing('grant_type'));
  if (grant !== 'client_credentials' && grant !== 'authorization_code') return refused(aadsts.grantUnsupported(grant));
  const client = admit(tenant, request);
  if ('refused' in client) return client;
  return grant === 'authorization_code' ? redeemCode({ ...request, ...client }) : accessToken(client, request);
}

function admit(tenant: Tenant, request: TokenRequest): Client | Refused {
  const { directory, form } = request;
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
  return { tenant, app, principal };
}

function accessToken({ tenant, app, principal }: Client, request: TokenRequest): TokenOutcome {
  const { form, nowMs, lifetimeSeconds } = request;
  const audience = readAudience(form.get('scope'), tenant);
  if (typeof audience !== 'string') return refused(audience);
  const claims = applicationClaims({
    tenantId: tenant.tenantId,
    audience,
    appId: app.appId,
    objectId: principal.objectId,
    proof: form.has('client_secret') ? '1' : '2',
    tokenId: randomUUID(),
    lifetime: { nowMs, seconds: lifetimeSeconds },
  });
  const expiry = { expires_in: lifetimeSeconds, ext_expires_in: lifetimeSeconds };
  return { body: { token_type: 'Bearer', ...expiry, access_token: request.signer.sign(claims) } };
}

const refused = (error: aadsts.EntraError): Refused => ({ refused: error });

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

/** MSAL for Go adds these to every request, also for an app's own token, where they mean nothing. */
const OF_PEOPLE: readonly string[] = ['openid', 'offline_access', 'profile'];

function readAudience(scopes: string | null, tenant: Tenant): string | aadsts.EntraError {
  if (scopes === null) return aadsts.parameterMissing('scope');
  const [scope = '', ...more] = scopes.split(' ').filter((one) => !OF_PEOPLE.includes(one));
  if (!scope.endsWith(DEFAULT_SCOPE_SUFFIX) || more.length > 0) return aadsts.scopeInvalid(scopes);
  const audience = scope.slice(0, -DEFAULT_SCOPE_SUFFIX.length);
  if (tenant.disabledResources.has(audience)) return aadsts.resourceDisabled(audience);
  const missing = tenant.missingResources.has(audience);
  return missing ? aadsts.resourceNotFound(audience, tenant.displayName) : audience;
}
