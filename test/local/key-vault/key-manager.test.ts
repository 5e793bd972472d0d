// What an outside key manager does to a company's key, through Microsoft's own client for keys, and what a check of the product says afterwards: in both places where such a
// vault can stand. The table of docs/key-managers.md is the script: its acts in its order, with what it promises of each.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient, type JsonWebKey, type UpdateKeyPropertiesOptions } from '@azure/keyvault-keys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_TENANT_ID,
} from '../../../local/identities.ts';
import { parseKeyId, type VaultTarget } from '../../../shared/domain/provider.ts';
import { putConnection } from '../../../shared/operations/connections/connections.ts';
import { testConnection } from '../../../shared/operations/connections/connection-test.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { checkConnection } from '../../../shared/operations/watch/vault-checks.ts';
import type { KeyVaults } from '../../../shared/providers/azure-key-vault/vaults.ts';
import { VaultWorld } from '../../adapters/vault-world.ts';
import { readPage, sections, tableRows } from '../../docs/markdown.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeClock } from '../../fakes/fake-system.ts';
import { providersOver } from '../../fakes/providers.ts';
import { DAY_MS, POLICY } from '../../fixtures/policy.ts';
import {
  COMPANY,
  CONTOSO,
  CONTOSO_HOST,
  CUSTOMER_TENANT,
  place,
  Rig,
  VENDOR as RIG_VENDOR,
} from '../../operations/switches/rig.ts';
import { NO_RETRIES } from './acme.ts';

const KEY = 'customer-key';
const MANAGER_APP = '22222222-2222-4222-8222-222222222222';
const ELSEWHERE = '33333333-3333-4333-8333-333333333333';
const HOSTED_HOST = 'hosted-acme.vault.azure.net';
const OPERATIONS = ['wrapKey', 'unwrapKey'];

const rows = tableRows(
  sections(readPage('docs/key-managers.md'), 2).find(({ title }) => title.startsWith('What each act'))?.body ?? '',
);

let world: VaultWorld;
let secret: string;
beforeAll(async () => {
  world = await VaultWorld.start();
  for (const tenantId of [CUSTOMER_TENANT, ELSEWHERE])
    await world.entraCall('POST', '/tenants', { tenantId, displayName: tenantId });
  // An application of the company's own, which the vendor lets into its tenant as its instructions say.
  const app = { homeTenantId: CUSTOMER_TENANT, displayName: 'key manager', multiTenant: true };
  await world.entraCall('PUT', `/apps/${MANAGER_APP}`, app);
  secret = (await world.entraCall<{ value: string }>('POST', `/apps/${MANAGER_APP}/secrets`)).value;
});
afterAll(() => world.azure.close());

/** A company whose data is under a key that its key manager has made in this vault. */
class Scene {
  readonly host: string;
  readonly #rig: Rig;
  readonly #deps: ReturnType<Rig['freshHost']>;
  readonly #tenantId: string;
  readonly #appPrincipal: string;
  #manager: KeyClient;
  inUse = '';
  backup: Uint8Array | undefined;

  private constructor(
    rig: Rig,
    deps: ReturnType<Rig['freshHost']>,
    at: { host: string; tenantId: string; app: string },
  ) {
    this.#rig = rig;
    this.#deps = deps;
    this.host = at.host;
    this.#tenantId = at.tenantId;
    this.#appPrincipal = at.app;
    const credential = new ClientSecretCredential(at.tenantId, MANAGER_APP, secret);
    this.#manager = new KeyClient(`https://${at.host}`, credential, NO_RETRIES);
  }

  get keys(): KeyClient {
    return this.#manager;
  }

  static async open(kind: 'federated' | 'vendor-hosted'): Promise<Scene> {
    const isHosted = kind === 'vendor-hosted';
    const [host, tenantId] = isHosted ? [HOSTED_HOST, VENDOR_TENANT_ID] : [CONTOSO_HOST, CUSTOMER_TENANT];
    const rig = await Rig.withDataKeys(1, { clock: new FakeClock(new Date().toISOString()) });
    const app = isHosted ? MANAGED_IDENTITY_PRINCIPAL_ID : await world.consent(tenantId);
    const deps = rig.startHost(
      { ...POLICY, consentMs: 365 * DAY_MS, shardCount: rig.shardCount },
      { beside: { providers: providersAt(rig) } },
    );
    const scene = new Scene(rig, deps, { host, tenantId, app });
    await scene.#setUp();
    await scene.#switchTo(kind);
    return scene;
  }

  async #setUp(): Promise<void> {
    await world.vaultCall('POST', '/vaults', { host: this.host, tenantId: this.#tenantId });
    await this.giveManagerRole();
    await this.keys.createRsaKey(KEY, { keySize: 2048, keyOps: OPERATIONS });
    await this.giveRole();
  }

  async #switchTo(kind: string): Promise<void> {
    const { connectionId } = CONTOSO;
    if (kind === 'vendor-hosted') {
      const input = { vaultUri: `https://${this.host}`, keyName: KEY, credential: { kind } };
      const request = { companyId: COMPANY, connectionId: 'hosted', input, condition: {}, byVendor: true };
      expect(await putConnection(this.#deps, request, ADMIN)).toMatchObject({ ok: true });
    }
    const id = kind === 'vendor-hosted' ? 'hosted' : connectionId!;
    const tested = await testConnection(
      { ...this.#deps, keyPolicy: { propagationMs: 0 } },
      { companyId: COMPANY, connectionId: id },
      ADMIN,
    );
    expect(tested).toMatchObject({ value: { status: 'green' } });
    this.#rig.deps = this.#deps;
    this.connectionId = id;
    const target = { ...CONTOSO, connectionId: id };
    expect(await startSwitch(this.#deps, { ...place('s1'), target }, ADMIN)).toMatchObject({ ok: true });
    await this.#rig.drain();
    this.inUse = (await this.keys.getKey(KEY)).properties.version ?? '';
  }

  connectionId = '';

  /** What a check says: state, code and owner, as the table writes them. */
  async says(): Promise<string> {
    this.#rig.clock.advance(60_000);
    const checked = await checkConnection(this.#deps, { companyId: COMPANY, connectionId: this.connectionId });
    if (!checked.ok) throw new Error(JSON.stringify(checked.error));
    const { state, code, owner, keyVersions } = checked.value;
    // A new version may have been followed.
    const [used] = keyVersions;
    if (used) this.inUse = parseKeyId(used.keyId)?.version ?? '';
    return [`\`${state}\``, ...(code === undefined ? [] : [`\`${code}\``, owner])].join(' ');
  }

  ofVault(method: string, path: string, body?: object): Promise<unknown> {
    return world.vaultCall(method, `/vaults/${this.host}${path}`, body);
  }

  async giveManagerRole(): Promise<void> {
    const path = `/tenants/${this.#tenantId}/service-principals/${MANAGER_APP}`;
    const { objectId } = await world.entraCall<{ objectId: string }>('PUT', path);
    await this.ofVault('PUT', '/role-assignments/manager', { principalId: objectId, role: 'Key Vault Crypto Officer' });
  }

  async giveRole(): Promise<void> {
    const role = 'Key Vault Crypto Service Encryption User';
    await this.ofVault('PUT', '/role-assignments/app', { principalId: this.#appPrincipal, role, keyName: KEY });
  }

  async change(properties: UpdateKeyPropertiesOptions): Promise<void> {
    await this.keys.updateKeyProperties(KEY, this.inUse, properties);
  }

  async remove(): Promise<void> {
    await (await this.keys.beginDeleteKey(KEY, { intervalInMs: 1 })).pollUntilDone();
  }
}

/** The vendor's own key and the seal stay in memory; every other vault is met by Azure's clients. */
function providersAt(rig: Rig): ReturnType<typeof providersOver> {
  const azure = world.clients();
  const of = ({ host }: Pick<VaultTarget, 'host'>): KeyVaults => (host === RIG_VENDOR.host ? rig.vaults : azure.vaults);
  const vaults: KeyVaults = {
    readKey: (target, version) => of(target).readKey(target, version),
    readDeleted: (target) => of(target).readDeleted(target),
    unwrap: (target, wrapped) => of(target).unwrap(target, wrapped),
  };
  const connectionPolicy = { vendorTenantId: VENDOR_TENANT_ID, identityClientId: MANAGED_IDENTITY_CLIENT_ID };
  return providersOver({ vaults, probe: azure.probe, vendor: RIG_VENDOR, clock: rig.clock, connectionPolicy });
}

const inAYear = (): Date => new Date(Date.now() + 365 * DAY_MS);
const anHourAgo = (): Date => new Date(Date.now() - 3_600_000);
const tomorrow = (): Date => new Date(Date.now() + DAY_MS);

function jwkOf(key: KeyObject): JsonWebKey {
  const { kty = '', ...members } = key.export({ format: 'jwk' });
  const bytes = Object.entries(members).map(([name, text]) => [name, Buffer.from(String(text), 'base64url')]);
  return { kty, keyOps: OPERATIONS, ...Object.fromEntries(bytes) } as JsonWebKey;
}

const conflict = (words: string): object => ({ statusCode: 409, message: expect.stringContaining(words) as unknown });

type Act = (scene: Scene) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  'makes a new version': ({ keys }) => keys.createRsaKey(KEY, { keySize: 2048, keyOps: OPERATIONS }),
  'rotates the key': ({ keys }) => keys.rotateKey(KEY),
  'imports a version': async ({ keys }) => {
    await keys.importKey(KEY, jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));
    await expect(keys.rotateKey(KEY)).rejects.toMatchObject({ statusCode: 400 });
  },
  'disables a version that is not in use': async ({ keys, inUse }) => {
    const others: string[] = [];
    for await (const { version } of keys.listPropertiesOfKeyVersions(KEY))
      if (version !== undefined && version !== inUse) others.push(version);
    expect(others).toHaveLength(3);
    await keys.updateKeyProperties(KEY, others[0]!, { enabled: false });
  },
  'disables the version in use': (scene) => scene.change({ enabled: false }),
  'enables it again': (scene) => scene.change({ enabled: true }),
  'takes Unwrap Key from the permitted operations': (scene) => scene.change({ keyOps: ['wrapKey'] }),
  'permits it again': (scene) => scene.change({ keyOps: OPERATIONS }),
  'lets the version in use expire': (scene) => scene.change({ expiresOn: anHourAgo() }),
  'sets a later expiry': (scene) => scene.change({ expiresOn: inAYear() }),
  'sets not-before to a later time': (scene) => scene.change({ notBefore: tomorrow() }),
  'sets not-before to an earlier time': (scene) => scene.change({ notBefore: anHourAgo() }),
  'makes a backup': async (scene) => {
    scene.backup = await scene.keys.backupKey(KEY);
    await expect(scene.keys.restoreKeyBackup(scene.backup!)).rejects.toMatchObject(
      conflict('There was a conflict restoring the key'),
    );
  },
  'deletes the key': async (scene) => {
    await scene.remove();
    await expect(scene.keys.createRsaKey(KEY)).rejects.toMatchObject(conflict('deleted but recoverable state'));
    await expect(scene.keys.purgeDeletedKey(KEY)).rejects.toMatchObject({ statusCode: 403 });
  },
  'recovers it': async ({ keys }) => {
    await (await keys.beginRecoverDeletedKey(KEY, { intervalInMs: 1 })).pollUntilDone();
  },
  'deletes and purges it': async (scene) => {
    await scene.ofVault('PATCH', '', { purgeProtection: false });
    await scene.remove();
    await scene.keys.purgeDeletedKey(KEY);
    await scene.ofVault('PATCH', '', { purgeProtection: true });
  },
  'leaves it at that for a minute': () => Promise.resolve(),
  'makes a new key under its name': ({ keys }) => keys.createRsaKey(KEY, { keySize: 2048, keyOps: OPERATIONS }),
  'purges that one, and restores the backup': async (scene) => {
    await ACTS['deletes and purges it']!(scene);
    const restored = await scene.keys.restoreKeyBackup(scene.backup!);
    expect((await scene.keys.getKey(KEY, { version: scene.inUse })).name).toBe(restored.name);
  },
  'the role is taken away': (scene) => scene.ofVault('DELETE', '/role-assignments/app', {}),
  'the role is given back': (scene) => scene.giveRole(),
  'the network is closed to our address': (scene) => scene.ofVault('PATCH', '', { firewall: ['203.0.113.7'] }),
  'public access is switched off': (scene) => scene.ofVault('PATCH', '', { firewall: null, privateOnly: true }),
  'the network is opened again': (scene) => scene.ofVault('PATCH', '', { privateOnly: false }),
  'the vault is moved to another tenant': (scene) => scene.ofVault('POST', '/move', { tenantId: ELSEWHERE }),
  'the vault is moved back, and the role given again': async (scene) => {
    const tenantId = scene.host === HOSTED_HOST ? VENDOR_TENANT_ID : CUSTOMER_TENANT;
    await scene.ofVault('POST', '/move', { tenantId });
    await scene.giveManagerRole();
    await scene.giveRole();
  },
  'purge protection is switched off': (scene) => scene.ofVault('PATCH', '', { purgeProtection: false }),
};

it('the table of docs/key-managers.md has every act once', () => {
  expect(rows.map(([act]) => act)).toEqual(Object.keys(ACTS));
});

describe.each([
  ['the company’s tenant', 'federated', 1],
  ['the vendor’s tenant', 'vendor-hosted', 2],
] as const)('of a vault in %s', (_, kind, column) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open(kind);
    expect(await scene.says()).toBe('`healthy`');
  });

  it.each(rows.map(([act = '', ...cells]) => [act, cells[column - 1]?.replaceAll(/\s+/g, ' ')] as const))(
    '%s: %s',
    async (act, promised) => {
      await ACTS[act]!(scene);
      expect(await scene.says()).toBe(promised);
    },
  );
});

describe('what Azure refuses a key manager for the while that its acts take', () => {
  const HOST = 'slow-acme.vault.azure.net';
  let keys: KeyClient;
  const slowly = (deletionMs: number): Promise<unknown> => world.vaultCall('PATCH', `/vaults/${HOST}`, { deletionMs });
  beforeAll(async () => {
    await world.vaultCall('POST', '/vaults', { host: HOST, tenantId: CUSTOMER_TENANT, purgeProtection: false });
    const path = `/tenants/${CUSTOMER_TENANT}/service-principals/${MANAGER_APP}`;
    const { objectId: principalId } = await world.entraCall<{ objectId: string }>('PUT', path);
    const officer = { principalId, role: 'Key Vault Crypto Officer' };
    await world.vaultCall('PUT', `/vaults/${HOST}/role-assignments/manager`, officer);
    const credential = new ClientSecretCredential(CUSTOMER_TENANT, MANAGER_APP, secret);
    keys = new KeyClient(`https://${HOST}`, credential, NO_RETRIES);
  });

  const LONG = 3_600_000;

  it('a name whose key is being deleted is not free, and the key cannot be purged yet', async () => {
    await keys.createRsaKey('one');
    await slowly(LONG);
    await keys.beginDeleteKey('one');
    await expect(keys.createRsaKey('one')).rejects.toMatchObject(conflict('currently being deleted'));
    await expect(keys.purgeDeletedKey('one')).rejects.toMatchObject(conflict('Key is currently being deleted.'));
  });

  it('a key that is being recovered is not there yet, nor recovered twice, and its name is not free', async () => {
    await slowly(0);
    await keys.createRsaKey('two');
    await (await keys.beginDeleteKey('two', { intervalInMs: 1 })).pollUntilDone();
    await slowly(LONG);
    await keys.beginRecoverDeletedKey('two');
    await expect(keys.getKey('two')).rejects.toMatchObject({ statusCode: 404 });
    await expect(keys.createRsaKey('two')).rejects.toMatchObject(conflict('currently being recovered'));
    const names: string[] = [];
    for await (const { name } of keys.listPropertiesOfKeys()) names.push(name);
    expect(names).not.toContain('two');
  });

  it('a name whose key was purged is not free for a while, and a backup waits for it too', async () => {
    await slowly(0);
    await keys.createRsaKey('three');
    const backup = await keys.backupKey('three');
    await (await keys.beginDeleteKey('three', { intervalInMs: 1 })).pollUntilDone();
    await slowly(LONG);
    await keys.purgeDeletedKey('three');
    await expect(keys.restoreKeyBackup(backup!)).rejects.toMatchObject({ statusCode: 409 });
    await expect(keys.createRsaKey('three')).rejects.toMatchObject({ statusCode: 409 });
  });

  it('a vault of the standard tier has no keys in hardware', async () => {
    await world.vaultCall('PATCH', `/vaults/${HOST}`, { sku: 'standard' });
    const words = { message: expect.stringContaining('Hardware key operation not allowed') as unknown };
    await expect(keys.createRsaKey('four', { hsm: true })).rejects.toMatchObject(words);
    const jwk = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
    await expect(keys.importKey('four', jwk, { hardwareProtected: true })).rejects.toMatchObject(words);
    expect((await keys.createRsaKey('four')).keyType).toBe('RSA');
  });
});
