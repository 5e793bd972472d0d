// How many vaults and tenants a process remembers. Each that is forgotten costs a request more when it is met again, and nothing else.
import { expect, it } from 'vitest';
import { VENDOR_TENANT_ID } from '../../local/identities.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import { VaultPool } from '../../shared/providers/azure-key-vault/client/vault-pool.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { CONNECTOR_APP_ID } from '../fakes/fake-vault-answers.ts';
import { noSecrets } from '../fakes/no-secrets.ts';

const MOST = 500;
const FEDERATED = { kind: 'federated', clientId: CONNECTOR_APP_ID };

const tenantOf = (n: number): string => `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`;
const targetOf = (n: number): VaultTarget => ({
  ref: { provider: 'azure-key-vault', connectionId: `connection-${n}` },
  host: `vault-${n}.vault.azure.net`,
  keyName: 'key',
  tenantId: tenantOf(n),
  credential: FEDERATED,
});

const credentials = new Credentials({
  identityClientId: CONNECTOR_APP_ID,
  connectorClientId: CONNECTOR_APP_ID,
  vendorTenantId: VENDOR_TENANT_ID,
  authorityHost: 'https://login.microsoftonline.com',
  timeoutMs: 1_000,
  tenantTokenMaxAgeMs: 300_000,
  openSecret: noSecrets,
  clock: new FakeClock(),
});
const pool = new VaultPool({
  credentials,
  connectorClientId: CONNECTOR_APP_ID,
  vaultSuffixes: ['vault.azure.net'],
  timeoutMs: 1_000,
});

function connectionOf(n: number): object {
  const connection = pool.connection(targetOf(n));
  if (!connection.ok) throw new Error(connection.error.code);
  return connection.value;
}

it.each([
  ['vaults', connectionOf],
  ['tenants', (n: number): object => credentials.tokens(FEDERATED, tenantOf(n))],
])('of %s the 500 that were met last', (_, meet) => {
  const met = Array.from({ length: MOST }, (_each, n) => meet(n));
  expect(new Set(met).size).toBe(MOST);
  expect(meet(0)).toBe(met[0]);
  meet(MOST);
  expect(meet(0)).toBe(met[0]);
  expect(meet(1)).not.toBe(met[1]);
});
