// The documents by which clients find their way in Entra: openid-configuration of a tenant (v1.0 and v2.0) and instance
// discovery. Always the real names. Pure.
import { issuerV1, issuerV2 } from '../identities.ts';

const AUTHORITY = 'https://login.microsoftonline.com';

/** Tenants that stand for "any": their documents carry a placeholder where the tenant id would be. */
export const SHARED_AUTHORITIES: readonly string[] = ['common', 'organizations', 'consumers'];
const PLACEHOLDER = '{tenantid}';

export function openidConfiguration(tenantId: string, version: 'v1.0' | 'v2.0'): object {
  const shared = SHARED_AUTHORITIES.includes(tenantId);
  const issuedBy = shared ? PLACEHOLDER : tenantId;
  const oauth = version === 'v2.0' ? 'oauth2/v2.0' : 'oauth2';
  const keys = version === 'v2.0' ? 'discovery/v2.0/keys' : 'discovery/keys';
  return {
    token_endpoint: `${AUTHORITY}/${tenantId}/${oauth}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${AUTHORITY}/${tenantId}/${keys}`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: version === 'v2.0' ? issuerV2(issuedBy) : issuerV1(issuedBy),
    request_uri_parameter_supported: false,
    authorization_endpoint: `${AUTHORITY}/${tenantId}/${oauth}/authorize`,
    end_session_endpoint: `${AUTHORITY}/${tenantId}/${oauth}/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'oid'],
    tenant_region_scope: shared ? null : 'EU',
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
  };
}

export function instanceDiscovery(tenant: string): object {
  return {
    tenant_discovery_endpoint: `${AUTHORITY}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [
      {
        preferred_network: 'login.microsoftonline.com',
        preferred_cache: 'login.windows.net',
        aliases: ['login.microsoftonline.com', 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
      },
    ],
  };
}
