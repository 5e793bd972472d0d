// The ids that every part of the embedded run agrees on: who the vendor is, what its apps and its identity are
// called. Plain constants with fixed values, so that logs of two runs can be compared. Knows nothing of any emulator.

/** The vendor's Entra tenant: the apps, the managed identity and the vendor's own vault live here. */
export const VENDOR_TENANT_ID = '7e5d0000-0000-4000-8000-000000000001';

/** What people know the vendor by: on Keyswitch's pages, and where Microsoft and Google name the app. No customer is called so. */
export const VENDOR_NAME = 'Tailspin Backup';

/** App registration that Keyswitch's own API is called with (single-tenant): the audience of API tokens. */
export const API_APP_ID = '7e5d0000-0000-4000-8000-0000000000a1';

/** Multitenant app registration that reaches customers' vaults; it has a federated credential and no secret. */
export const CONNECTOR_APP_ID = '7e5d0000-0000-4000-8000-0000000000c1';

/** The user-assigned managed identity of the Functions app. */
export const MANAGED_IDENTITY_CLIENT_ID = '7e5d0000-0000-4000-8000-0000000000d1';
/** Its principal: the `oid` of its tokens, and the `sub` of the assertion that the federated credential expects. */
export const MANAGED_IDENTITY_PRINCIPAL_ID = '7e5d0000-0000-4000-8000-0000000000d2';
/** What App Service puts into IDENTITY_HEADER. No secret: it only works against a loopback stand-in. */
export const MANAGED_IDENTITY_HEADER = '7e5d0000-0000-4000-8000-0000000000d3';

export const SUBSCRIPTION_ID = '7e5d0000-0000-4000-8000-0000000000f1';

export const STORAGE_ACCOUNT = 'keyswitchlocal';
export const TABLE_HOST = `${STORAGE_ACCOUNT}.table.core.windows.net`;
export const SERVICE_BUS_NAMESPACE = 'keyswitch-local';
export const SERVICE_BUS_HOST = `${SERVICE_BUS_NAMESPACE}.servicebus.windows.net`;
export const VENDOR_VAULT = 'keyswitch-vendor';
export const VENDOR_VAULT_HOST = `${VENDOR_VAULT}.vault.azure.net`;
/** The seal key has a vault of its own. */
export const SEAL_VAULT_HOST = 'keyswitch-seal.vault.azure.net';

export const ENTRA_HOSTS = ['login.microsoftonline.com', 'login.windows.net'] as const;

export const GOOGLE_HOSTS = [
  'accounts.google.com',
  'oauth2.googleapis.com',
  'www.googleapis.com',
  'admin.googleapis.com',
] as const;

/** The vendor's OAuth client at Google. */
export const GOOGLE_CLIENT_ID = '704500000001-keyswitch.apps.googleusercontent.com';
/** Its secret; it only works against a loopback stand-in. */
export const GOOGLE_CLIENT_SECRET = 'GOCSPX-keyswitch-embedded-run';
/** The app's settings with which it signs people in at Google. */
export const GOOGLE_SETTINGS = {
  KEYSWITCH_GOOGLE_CLIENT_ID: GOOGLE_CLIENT_ID,
  KEYSWITCH_GOOGLE_CLIENT_SECRET: GOOGLE_CLIENT_SECRET,
};

/** Audiences of v1.0 access tokens, as Azure writes them: without a trailing slash. */
export const VAULT_AUDIENCE = 'https://vault.azure.net';
export const STORAGE_AUDIENCE = 'https://storage.azure.com';
export const SERVICE_BUS_AUDIENCE = 'https://servicebus.azure.net';
/** Audience of the token that a managed identity shows to Entra in place of a secret. */
export const FEDERATION_AUDIENCE = 'api://AzureADTokenExchange';

/** Issuer of v1.0 tokens, the trailing slash is part of it. */
export function issuerV1(tenantId: string): string {
  return `https://sts.windows.net/${tenantId}/`;
}

/** Issuer of v2.0 tokens. */
export function issuerV2(tenantId: string): string {
  return `https://login.microsoftonline.com/${tenantId}/v2.0`;
}
