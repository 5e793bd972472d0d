// The adapters of vaults against the emulators, under real names: a vendor, and as many customers as a test wants, each with
// a tenant that has consented, a vault, a key and the role.
import { constants, createPublicKey, publicEncrypt, randomBytes, randomUUID } from 'node:crypto';
import {
  CONNECTOR_APP_ID,
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_TENANT_ID,
} from '../../local/identities.ts';
import type { RequestRecord } from '../../local/control/control.ts';
import type { Failure } from '../../shared/domain/failure.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import type { Result } from '../../shared/domain/result.ts';
import { AzureConnectionProbe } from '../../shared/providers/azure-key-vault/client/connection-probe.ts';
import { Credentials } from '../../shared/identity/entra/credentials/credentials.ts';
import { AzureKeyVaults } from '../../shared/providers/azure-key-vault/client/key-vaults.ts';
import { VaultPool } from '../../shared/providers/azure-key-vault/client/vault-pool.ts';
import type { OpenSecret } from '../../shared/identity/entra/credentials/credential.ts';
import { noSecrets } from '../fakes/no-secrets.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { control, startLocalAzure, type LocalAzure } from '../local/real-names.ts';

const ROLE = 'Key Vault Crypto Service Encryption User';
export const KEY_NAME = 'customer-key';

export const TOKEN_MAX_AGE_MS = 300_000;

export interface Customer {
  readonly tenantId: string;
  readonly host: string;
  readonly principalId: string;
  readonly target: VaultTarget;
  /** Versioned. */
  readonly keyId: string;
}

export interface VaultClients {
  readonly credentials: Credentials;
  readonly pool: VaultPool;
  readonly vaults: AzureKeyVaults;
  readonly probe: AzureConnectionProbe;
}

export class VaultWorld {
  readonly azure: LocalAzure;
  /** What the adapters take for now, beyond the true time. */
  laterMs = 0;
  #count = 0;

  constructor(azure: LocalAzure) {
    this.azure = azure;
  }

  static async start(): Promise<VaultWorld> {
    return new VaultWorld(await startLocalAzure());
  }

  readonly vaultCall = <T = unknown>(method: string, path: string, body?: unknown): Promise<T> =>
    control<T>(this.azure.keyVault.controlUrl, method, path, body);

  readonly entraCall = <T = unknown>(method: string, path: string, body?: unknown): Promise<T> =>
    control<T>(this.azure.entra.controlUrl, method, path, body);

  /** Adapters as a fresh process has them, but for MSAL's cache of identity tokens, which is the process's. */
  clients(
    options: {
      readonly timeoutMs?: number;
      readonly identityClientId?: string;
      readonly authorityHost?: string;
      readonly openSecret?: OpenSecret;
    } = {},
  ): VaultClients {
    const { timeoutMs = 30_000, identityClientId = MANAGED_IDENTITY_CLIENT_ID } = options;
    const credentials = new Credentials({
      identityClientId,
      connectorClientId: CONNECTOR_APP_ID,
      vendorTenantId: VENDOR_TENANT_ID,
      authorityHost: options.authorityHost ?? 'https://login.microsoftonline.com',
      timeoutMs,
      tenantTokenMaxAgeMs: TOKEN_MAX_AGE_MS,
      openSecret: options.openSecret ?? noSecrets,
      clock: { now: () => new Date(Date.now() + this.laterMs), steadyMs: () => Date.now() + this.laterMs },
    });
    const vaultSuffixes = ['vault.azure.net'];
    const pool = new VaultPool({ credentials, connectorClientId: CONNECTOR_APP_ID, vaultSuffixes, timeoutMs });
    return { credentials, pool, vaults: new AzureKeyVaults(pool), probe: new AzureConnectionProbe(pool) };
  }

  async customer(options: { readonly consented?: boolean; readonly assigned?: boolean } = {}): Promise<Customer> {
    this.#count += 1;
    const tenantId = randomUUID();
    const host = `customer-${this.#count}.vault.azure.net`;
    await this.entraCall('POST', '/tenants', { tenantId, displayName: `Customer ${this.#count}` });
    const principalId = options.consented === false ? randomUUID() : await this.consent(tenantId);
    await this.vaultCall('POST', '/vaults', { host, tenantId });
    const { kid } = await this.addKey(host, KEY_NAME, 'rsa-2048-1');
    const target: VaultTarget = {
      ref: { provider: 'azure-key-vault', connectionId: 'c' },
      host,
      keyName: KEY_NAME,
      tenantId,
      credential: { kind: 'federated', clientId: CONNECTOR_APP_ID },
    };
    const customer = { tenantId, host, principalId, target, keyId: kid };
    if (options.assigned !== false) await this.assign(customer);
    return customer;
  }

  /** The vendor's vault with a KEK, which the app's own identity may use. */
  async vendor(): Promise<Customer> {
    this.#count += 1;
    const host = `vendor-${this.#count}.vault.azure.net`;
    await this.vaultCall('POST', '/vaults', { host, tenantId: VENDOR_TENANT_ID });
    const { kid } = await this.addKey(host, KEY_NAME, 'rsa-2048-2');
    const principalId = MANAGED_IDENTITY_PRINCIPAL_ID;
    await this.vaultCall('PUT', `/vaults/${host}/role-assignments/app`, { principalId, role: 'Key Vault Crypto User' });
    const target: VaultTarget = { ref: { provider: 'managed' }, host, keyName: KEY_NAME, tenantId: VENDOR_TENANT_ID };
    return { tenantId: VENDOR_TENANT_ID, host, principalId, target, keyId: kid };
  }

  addKey(
    host: string,
    name: string,
    fixture: Parameters<typeof keyFixture>[0],
    more: object = {},
  ): Promise<{ kid: string; version: string }> {
    return this.vaultCall('POST', `/vaults/${host}/keys`, { name, ...specOf(fixture), ...more });
  }

  addVersion(
    host: string,
    name: string,
    fixture: Parameters<typeof keyFixture>[0],
  ): Promise<{ kid: string; version: string }> {
    return this.vaultCall('POST', `/vaults/${host}/keys/${name}/versions`, specOf(fixture));
  }

  async consent(tenantId: string): Promise<string> {
    const path = `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`;
    return (await this.entraCall<{ objectId: string }>('PUT', path)).objectId;
  }

  assign({ host, principalId }: Pick<Customer, 'host' | 'principalId'>): Promise<unknown> {
    return this.vaultCall('PUT', `/vaults/${host}/role-assignments/app`, { principalId, role: ROLE });
  }

  /** What the vaults were asked, as `operation status`. */
  asked(): string[] {
    return this.azure.keyVault.control.requests().map(({ operation, status }) => `${operation} ${status}`);
  }

  tokensAskedFor(tenantId: string): readonly RequestRecord[] {
    return this.azure.entra.control.requests().filter(({ target }) => target === tenantId);
  }

  forgetRequests(): void {
    for (const { control: log } of Object.values(this.emulators())) log.clearRequests();
  }

  reset(): void {
    for (const { control: log } of Object.values(this.emulators())) {
      log.clearRequests();
      log.clearFaults();
    }
    this.laterMs = 0;
  }

  emulators(): Pick<LocalAzure, 'entra' | 'keyVault' | 'managedIdentity'> {
    const { entra, keyVault, managedIdentity } = this.azure;
    return { entra, keyVault, managedIdentity };
  }
}

function specOf(fixture: Parameters<typeof keyFixture>[0]): object {
  const pem = keyFixture(fixture).privateKey.export({ type: 'pkcs8', format: 'pem' });
  return fixture.startsWith('ec') ? { kty: 'EC', pem } : { kty: 'RSA', size: Number(fixture.split('-')[1]), pem };
}

/** A secret and its wrap by the public key of a fixture. */
export function wrapped(fixture: Parameters<typeof keyFixture>[0] = 'rsa-2048-1'): {
  readonly plaintext: Buffer;
  readonly ciphertext: string;
} {
  const plaintext = randomBytes(64);
  const key = createPublicKey(keyFixture(fixture).privateKey);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const ciphertext = publicEncrypt({ key, padding, oaepHash: 'sha256' }, plaintext).toString('base64url');
  return { plaintext, ciphertext };
}

export function failureOf(result: Result<unknown, Failure>): Failure {
  if (result.ok) throw new Error('it succeeded');
  return result.error;
}

export function valueOf<T>(result: Result<T, Failure>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
