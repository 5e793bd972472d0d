// Keys of a vault at the word of its administrator: the real SDK at the stand-in, with a token of somebody who may do it.
import { randomUUID } from 'node:crypto';
import { KeyClient, type KeyVaultKey } from '@azure/keyvault-keys';
import type { Environment } from '../../local/environment.ts';
import { issuerV1, VAULT_AUDIENCE } from '../../local/identities.ts';

interface KeyPlace {
  readonly host: string;
  readonly name: string;
  /** The newest if there is none. */
  readonly version?: string;
}

interface Change {
  readonly enabled?: boolean;
  readonly notBefore?: Date;
  readonly operations?: readonly string[];
}

interface NewKey {
  readonly kty: string;
  readonly size: number;
  readonly operations: readonly string[];
}

export interface KeyVaultAdmin {
  list(host: string): Promise<unknown>;
  show(key: KeyPlace): Promise<unknown>;
  recover(key: KeyPlace): Promise<unknown>;
  rotate(key: KeyPlace): Promise<unknown>;
  create(key: KeyPlace, as: NewKey): Promise<unknown>;
  update(key: KeyPlace, change: Change): Promise<unknown>;
}

const OFFICER_APP = '7e5d0000-0000-4000-8000-0000000000aa';

export function createKeyVaultAdmin({ entra, keyVault }: Pick<Environment, 'entra' | 'keyVault'>): KeyVaultAdmin {
  const objectId = randomUUID();

  /** Lets the administrator in, by role or policy, whichever the vault uses: who may repair a key has both. */
  async function clientOf(host: string): Promise<KeyClient> {
    const vault = (await keyVault.call('GET', `/management/vaults/${host}`)) as { properties: { tenantId: string } };
    const { tenantId } = vault.properties;
    const role = { principalId: objectId, role: 'Key Vault Crypto Officer' };
    await keyVault.call('PUT', `/vaults/${host}/role-assignments/officer`, role);
    await keyVault.call('PUT', `/vaults/${host}/access-policies/${objectId}`, { keys: ['all'] });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuerV1(tenantId),
      aud: VAULT_AUDIENCE,
      tid: tenantId,
      oid: objectId,
      appid: OFFICER_APP,
      nbf: now,
      exp: now + 3600,
    };
    const { token } = (await entra.call('POST', '/tokens', { claims })) as { token: string };
    const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: (now + 3600) * 1000 }) };
    return new KeyClient(`https://${host}`, credential, { retryOptions: { maxRetries: 0 } });
  }

  const shown = ({ id, key, keyType }: KeyVaultKey): unknown => ({
    key: { kid: id, kty: keyType, keyOps: key?.keyOps },
  });

  return {
    async list(host) {
      const names: unknown[] = [];
      for await (const { name } of (await clientOf(host)).listPropertiesOfKeys()) names.push({ name });
      return names;
    },
    async show({ host, name, version }) {
      const client = await clientOf(host);
      return shown(await client.getKey(name, version === undefined ? {} : { version }));
    },
    async recover({ host, name }) {
      const poller = await (await clientOf(host)).beginRecoverDeletedKey(name, { intervalInMs: 10 });
      return shown(await poller.pollUntilDone());
    },
    async rotate({ host, name }) {
      return shown(await (await clientOf(host)).rotateKey(name));
    },
    async create({ host, name }, { kty, size, operations }) {
      const client = await clientOf(host);
      return shown(await client.createKey(name, kty, { keySize: size, keyOps: [...operations] }));
    },
    async update({ host, name, version }, { operations, ...attributes }) {
      const client = await clientOf(host);
      const which = version ?? (await client.getKey(name)).properties.version ?? '';
      const change = { ...attributes, ...(operations ? { keyOps: [...operations] } : {}) };
      const { id } = await client.updateKeyProperties(name, which, change);
      return { key: { kid: id } };
    },
  };
}
