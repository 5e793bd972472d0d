// Entra's refusals: number, OAuth error, HTTP status and the exact text, and the body they are sent in. Pure.
// Texts: Microsoft's reference of error codes and public issue threads; `Trace ID` and what follows is added when the answer is made.

export interface EntraError {
  readonly code: number;
  readonly error: string;
  readonly status: 400 | 401;
  readonly text: string;
}

const FEDERATION_HELP =
  'Check your federated identity credential Subject, Audience and Issuer against the presented assertion.';
const FEDERATION_DOCS = 'https://learn.microsoft.com/entra/workload-id/workload-identity-federation';

const badRequest = (code: number, error: string, text: string): EntraError => ({ code, error, status: 400, text });
const badClient = (code: number, text: string): EntraError => ({ code, error: 'invalid_client', status: 401, text });

const tenantNotFound = (tenant: string, error: 'invalid_tenant' | 'invalid_request'): EntraError =>
  badRequest(
    90002,
    error,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the ` +
      'correct cloud. Check with your subscription administrator, this may happen if there are no active ' +
      'subscriptions for the tenant.',
  );

const tenantMalformed = (tenant: string): EntraError =>
  badRequest(
    900023,
    'invalid_request',
    `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  );

/** A tenant is named by a GUID or by a domain; anything else is refused as malformed, before it is looked for. */
export function unknownTenant(tenant: string, error: 'invalid_tenant' | 'invalid_request'): EntraError {
  const wellFormed = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(tenant) || tenant.includes('.');
  return wellFormed ? tenantNotFound(tenant, error) : tenantMalformed(tenant);
}

export const parameterMissing = (name: string): EntraError =>
  badRequest(900144, 'invalid_request', `The request body must contain the following parameter: '${name}'.`);

export const grantUnsupported = (grant: string): EntraError =>
  badRequest(70003, 'unsupported_grant_type', `The app requested an unsupported grant type '${grant}'.`);

export const scopeInvalid = (scope: string): EntraError =>
  badRequest(
    1002012,
    'invalid_scope',
    `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with ` +
      '/.default suffixed to the resource identifier (application ID URI).',
  );

export const resourceNotFound = (resource: string, tenant: string): EntraError =>
  badRequest(
    500011,
    'invalid_resource',
    `The resource principal named ${resource} was not found in the tenant named ${tenant}. This can happen if the ` +
      'application has not been installed by the administrator of the tenant or consented to by any user in the ' +
      'tenant. You might have sent your authentication request to the wrong tenant.',
  );

export const resourceDisabled = (resource: string): EntraError =>
  badRequest(
    500014,
    'invalid_resource',
    `The service principal for resource '${resource}' is disabled. This indicate that a subscription within the ` +
      'tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens ' +
      'from being issued for it.',
  );

export const appNotFound = (appId: string, tenant: string): EntraError =>
  badRequest(
    700016,
    'unauthorized_client',
    `Application with identifier '${appId}' was not found in the directory '${tenant}'. This can happen if the ` +
      'application has not been installed by the administrator of the tenant or consented to by any user in the ' +
      'tenant. You may have sent your authentication request to the wrong tenant.',
  );

export const servicePrincipalMissing = (appId: string, tenantId: string): EntraError =>
  badClient(
    7000229,
    `The client application ${appId} is missing service principal in the tenant ${tenantId}. See instructions ` +
      'here: https://go.microsoft.com/fwlink/?linkid=2225119',
  );

export const servicePrincipalDisabled = (appId: string, name: string): EntraError =>
  badRequest(7000112, 'unauthorized_client', `Application '${appId}'(${name}) is disabled.`);

export const credentialMissing = (): EntraError =>
  badClient(7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");

export const secretWrong = (appId: string): EntraError =>
  badClient(
    7000215,
    'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not ' +
      `the client secret ID, for a secret added to app '${appId}'.`,
  );

export const secretExpired = (appId: string): EntraError =>
  badClient(
    7000222,
    `The provided client secret keys for app '${appId}' are expired. Visit the Azure portal to create new keys for ` +
      'your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: ' +
      'https://aka.ms/certCreds.',
  );

export const blockedByConditionalAccess = (): EntraError =>
  badRequest(
    53003,
    'invalid_grant',
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
  );

export const federationNone = (appId: string, name: string): EntraError =>
  badClient(70025, `The client '${appId}'(${name}) has no configured federated identity credentials.`);

export const federationNotSpread = (issuer: string, subject: string, audience: string): EntraError =>
  badClient(
    70021,
    `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion ` +
      `Subject: '${subject}'. Assertion Audience: '${audience}'. ${FEDERATION_DOCS}`,
  );

type FederationPart = 'issuer' | 'audience' | 'subject';

const FEDERATION_CODES: Readonly<Record<FederationPart, number>> = {
  issuer: 700211,
  audience: 700212,
  subject: 700213,
};

export const federationMismatch = (part: FederationPart, value: string): EntraError =>
  badClient(
    FEDERATION_CODES[part],
    `No matching federated identity record found for presented assertion ${part} '${value}'. ${FEDERATION_HELP} ` +
      FEDERATION_DOCS,
  );

export const federationSubjectCase = (subject: string): EntraError =>
  badClient(
    7002138,
    `No matching federated identity record found for presented assertion subject '${subject}'. The subject matches ` +
      `with case-insensitive comparison, but not with case-sensitive comparison. ${FEDERATION_HELP} See ` +
      `documentation at: ${FEDERATION_DOCS}.`,
  );

export const assertionMalformed = (): EntraError =>
  badRequest(50027, 'invalid_request', 'JWT token is invalid or malformed.');

export const assertionSignature = (reason: string, keyId: string): EntraError =>
  badClient(
    50013,
    `Assertion failed signature validation. [Reason - ${reason}, Thumbprint of key used by client: '${keyId}']`,
  );

export const assertionLifetime = (nowMs: number, from: number, until: number): EntraError =>
  badClient(
    700024,
    `Client assertion is not within its valid time range. Current time: ${new Date(nowMs).toISOString()}, assertion ` +
      `valid from ${new Date(from * 1000).toISOString()}, expiry time of assertion ` +
      `${new Date(until * 1000).toISOString()}. Review the documentation at ` +
      'https://learn.microsoft.com/entra/identity-platform/certificate-credentials .',
  );

interface ErrorIds {
  readonly traceId: string;
  readonly correlationId: string;
  readonly nowMs: number;
}

/** What an application is told when a person comes back without success: lines, not one line as from the token endpoint. */
export function errorParameters(error: EntraError, ids: ErrorIds): Record<string, string> {
  return {
    error: error.error,
    error_description: describe(error, ids, '\r\n'),
    error_uri: errorUri(error.code),
  };
}

export function describe({ code, text }: EntraError, ids: ErrorIds, separator: string): string {
  const parts = [`AADSTS${code}: ${text}`, `Trace ID: ${ids.traceId}`, `Correlation ID: ${ids.correlationId}`];
  return [...parts, `Timestamp: ${timestampOf(ids.nowMs)}`].join(separator);
}

export function errorBody(error: EntraError, ids: ErrorIds): object {
  return {
    error: error.error,
    error_description: describe(error, ids, ' '),
    error_codes: [error.code],
    timestamp: timestampOf(ids.nowMs),
    trace_id: ids.traceId,
    correlation_id: ids.correlationId,
    error_uri: errorUri(error.code),
  };
}

function errorUri(code: number): string {
  return `https://login.microsoftonline.com/error?code=${code}`;
}

function timestampOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
