// The vendor's side of the embedded run: its vault with the KEK of the `managed` provider and the seal key, the rights
// of its managed identity, and the tables that a deployment would create.
import { request } from 'node:https';
import type { RemoteControl } from '../control/remote-control.ts';
import {
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  SEAL_VAULT_HOST,
  STORAGE_AUDIENCE,
  TABLE_HOST,
  VENDOR_TENANT_ID,
  VENDOR_VAULT_HOST,
} from '../identities.ts';

export const VENDOR_KEY_NAME = 'keyswitch-kek';
export const SEAL_KEY_NAME = 'keyswitch-seal';
const TABLE_NAMES = ['companies', 'datakeys', 'vaultkeys', 'requests', 'agenda', 'events', 'health'] as const;

/** The KEK and the seal key, each in a vault of its own: neither can use up what the other's vault answers in a second. */
export async function createVendorVault(keyVault: RemoteControl): Promise<void> {
  await Promise.all([
    createVault(keyVault, VENDOR_VAULT_HOST, { name: VENDOR_KEY_NAME, keyOps: ['wrapKey', 'unwrapKey'] }),
    createVault(keyVault, SEAL_VAULT_HOST, { name: SEAL_KEY_NAME, kty: 'EC', keyOps: ['sign', 'verify'] }),
  ]);
}

async function createVault(
  keyVault: RemoteControl,
  host: string,
  key: { readonly name: string; readonly kty?: string; readonly keyOps: readonly string[] },
): Promise<void> {
  const resourceGroup = 'rg-keyswitch';
  await keyVault.call('POST', '/vaults', { host, tenantId: VENDOR_TENANT_ID, resourceGroup, purgeProtection: true });
  await Promise.all([
    keyVault.call('POST', `/vaults/${host}/keys`, key),
    keyVault.call('PUT', `/vaults/${host}/role-assignments/keyswitch`, {
      principalId: MANAGED_IDENTITY_PRINCIPAL_ID,
      role: 'Key Vault Crypto User',
    }),
  ]);
}

interface TableAccess {
  readonly port: number;
  readonly caPem: string;
  readonly identity: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
}

export async function createTables(access: TableAccess): Promise<void> {
  const token = await askForToken(access);
  await Promise.all(TABLE_NAMES.map((name) => createTable(name, token, access)));
}

async function askForToken({ identity }: TableAccess): Promise<string> {
  const query = new URLSearchParams({
    'api-version': '2019-08-01',
    resource: STORAGE_AUDIENCE,
    client_id: MANAGED_IDENTITY_CLIENT_ID,
  });
  const response = await fetch(`${identity.IDENTITY_ENDPOINT}?${query.toString()}`, {
    headers: { 'X-IDENTITY-HEADER': identity.IDENTITY_HEADER },
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`the managed identity got no token: ${response.status}`);
  return token;
}

/** This process has no redirect, so the request goes to loopback by itself, under the real name. */
function createTable(name: string, token: string, { port, caPem }: TableAccess): Promise<void> {
  const headers = {
    host: TABLE_HOST,
    authorization: `Bearer ${token}`,
    accept: 'application/json;odata=nometadata',
    'content-type': 'application/json',
    prefer: 'return-no-content',
  };
  const target = { host: '127.0.0.1', port, servername: TABLE_HOST, ca: caPem, path: '/Tables', method: 'POST' };
  return new Promise((resolve, reject) => {
    const creating = request({ ...target, headers, agent: false }, (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      // 409: the tables are kept on disk and were made by an earlier run.
      if (statusCode === 204 || statusCode === 409) response.on('end', resolve);
      else reject(new Error(`table ${name} could not be created: ${statusCode}`));
    });
    creating.on('error', reject);
    creating.end(JSON.stringify({ TableName: name }));
  });
}
