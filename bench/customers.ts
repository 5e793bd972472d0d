// Many companies, each under a vault key of its own in an Entra tenant of its own, with one data key: written into the stand-ins and the tables as
// they would be after consent and a switch. All vaults hold the same RSA key, since making so many takes minutes.
import { asRead, providersOver } from '../test/fakes/providers.ts';
import {
  CONNECTOR_APP_ID,
  MANAGED_IDENTITY_CLIENT_ID,
  SEAL_VAULT_HOST,
  VENDOR_TENANT_ID,
} from '../local/identities.ts';
import { SEAL_KEY_NAME } from '../local/environment/vendor.ts';
import { createSecretKey } from 'node:crypto';
import pLimit from 'p-limit';
import { AzureKeyVaults } from '../shared/providers/azure-key-vault/client/key-vaults.ts';
import { AzureTables } from '../shared/adapters/azure-tables.ts';
import { Credentials } from '../shared/identity/entra/credentials/credentials.ts';
import { AzureSealer } from '../shared/providers/azure-key-vault/client/sealer.ts';
import { systemClock, systemEntropy, systemTimers } from '../shared/adapters/system.ts';
import { VaultPool } from '../shared/providers/azure-key-vault/client/vault-pool.ts';
import type { ProviderRef, VaultTarget } from '../shared/domain/provider.ts';
import { keyringRowKey } from '../shared/store/rows/row-keys.ts';
import type { Tables } from '../shared/store/tables.ts';
import { sealFeatures, sealPolicy } from '../shared/operations/keys/company-terms.ts';
import { makeWrap } from '../shared/operations/keys/make-wrap.ts';
import type { Run } from '../test/end-to-end/run.ts';
import { consentedRows } from '../test/fixtures/consented-connection.ts';
import { keyFixture } from '../test/fixtures/key-fixtures.ts';
import { seedDataKeys } from './seed-data-keys.ts';
import { companyRows, KEYRING } from './seeded-company.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';
import { noSecrets } from '../test/fakes/no-secrets.ts';

export const SEEDED_KEY = 'key-00000000';

const AT_ONCE = 16;
const PROVIDER = { provider: 'azure-key-vault', connectionId: 'own' } as const satisfies ProviderRef;
const KEY_NAME = 'customer-key';
const ROLE = 'Key Vault Crypto Service Encryption User';
const TIMEOUT_MS = 10_000;
const TENANT_TOKEN_MS = 300_000;

export const customerName = (n: number): string => `customer-${n}`;
export const customerHost = (n: number): string => `c${n}-keys.vault.azure.net`;
const guid = (kind: string, n: number): string => `7e5d0000-0000-4000-8000-${kind}${String(n).padStart(8, '0')}`;

type Seeding = ReturnType<typeof accessOf> & { readonly run: Run };

export async function seedCustomers(run: Run, count: number): Promise<void> {
  const seeding = { ...accessOf(run), run };
  await pLimit(AT_ONCE).map(
    Array.from({ length: count }, (_, n) => n),
    (n) => seedCustomer(seeding, n),
  );
}

/** What a host has, in this process. */
function accessOf({ credential }: Run): {
  readonly tables: Tables;
  readonly vaults: AzureKeyVaults;
  readonly sealer: AzureSealer;
} {
  const credentials = new Credentials({
    identityClientId: MANAGED_IDENTITY_CLIENT_ID,
    connectorClientId: CONNECTOR_APP_ID,
    vendorTenantId: VENDOR_TENANT_ID,
    authorityHost: 'https://login.microsoftonline.com',
    tokenExchangeAudience: undefined,
    tenantTokenMaxAgeMs: TENANT_TOKEN_MS,
    openSecret: noSecrets,
    timeoutMs: TIMEOUT_MS,
    clock: systemClock,
  });
  const pool = new VaultPool({
    credentials,
    connectorClientId: CONNECTOR_APP_ID,
    vaultSuffixes: ['vault.azure.net'],
    timeoutMs: TIMEOUT_MS,
  });
  const seal: VaultTarget = {
    ref: { provider: 'managed' },
    host: SEAL_VAULT_HOST,
    keyName: SEAL_KEY_NAME,
    tenantId: VENDOR_TENANT_ID,
  };
  return {
    tables: new AzureTables({
      endpoint: TABLES_ENDPOINT,
      credential,
      timers: systemTimers,
      entropy: systemEntropy,
      clock: systemClock,
    }),
    vaults: new AzureKeyVaults(pool),
    sealer: new AzureSealer(pool, seal, systemClock),
  };
}

async function seedCustomer(seeding: Seeding, n: number): Promise<void> {
  const { tables, vaults, sealer } = seeding;
  const companyId = customerName(n);
  const target = {
    ref: PROVIDER,
    host: customerHost(n),
    keyName: KEY_NAME,
    tenantId: guid('c000', n),
    credential: { kind: 'federated', clientId: CONNECTOR_APP_ID },
  };
  await createVault(seeding, n, target);
  const createdAt = systemClock.now().toISOString();
  const { host, keyName, tenantId, credential } = target;
  const connection = {
    companyId,
    ...PROVIDER,
    host,
    keyName,
    tenantId,
    credential,
    usedBy: [keyringRowKey(KEYRING)],
    createdAt,
    keySeen: true,
  } as const;
  const context = { companyId, keyringId: KEYRING, version: 1 };
  const companyKey = systemEntropy.bytes(32);
  const vaultKey = await vaults.readKey(target);
  if (!vaultKey.ok) throw new Error(`no vault key: ${vaultKey.error.code}`);
  const providers = providersOver({ vaults, vendor: target, clock: systemClock });
  const wrap = await makeWrap({ sealer, providers }, { target, key: asRead(vaultKey.value), companyKey, context });
  if (!wrap.ok) throw new Error('no wrap');
  const features = await sealFeatures({ sealer }, companyId, undefined);
  const policy = await sealPolicy({ sealer }, companyId, undefined);
  if (!features.ok || !policy.ok) throw new Error('no seal');
  const seals = { ...features.value, ...policy.value };
  const company = {
    companyId,
    provider: PROVIDER,
    wrap: wrap.value,
    createdAt,
    shardCount: 1,
    rowCount: () => 1,
    seals,
  };
  for (const row of [...(await consentedRows(sealer, connection)), ...companyRows(company)]) {
    const insert = { kind: 'insert', rowKey: row.rowKey, cells: row.cells } as const;
    const { outcome } = await tables.write(row.table, row.partitionKey, [insert]);
    if (outcome !== 'committed') throw new Error(`seeding failed: ${outcome}`);
  }
  await seedDataKeys(tables, { companyId, companyKey: createSecretKey(companyKey), ids: [[SEEDED_KEY]] });
}

async function createVault({ run }: Seeding, n: number, { host, tenantId }: VaultTarget): Promise<void> {
  const { entra, keyVault } = run.environment;
  const principalId = guid('c001', n);
  const principalIds = { [CONNECTOR_APP_ID]: principalId };
  await entra.call('POST', '/tenants', { tenantId, displayName: customerName(n), domains: [], principalIds });
  await entra.call('PUT', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`, { objectId: principalId });
  await keyVault.call('POST', '/vaults', { host, tenantId, purgeProtection: true });
  const pem = keyFixture('rsa-2048-1').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await keyVault.call('POST', `/vaults/${host}/keys`, { name: KEY_NAME, pem });
  await keyVault.call('PUT', `/vaults/${host}/role-assignments/keyswitch`, {
    principalId,
    role: ROLE,
    keyName: KEY_NAME,
  });
}
