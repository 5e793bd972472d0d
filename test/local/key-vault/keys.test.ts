import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
} from 'node:crypto';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applicationClaims } from '../../../local/entra/claims.ts';
import { CONNECTOR_APP_ID, VAULT_AUDIENCE } from '../../../local/identities.ts';
import { BearerTokens } from '../../../local/key-vault/bearer-token.ts';
import { Vaults } from '../../../local/key-vault/vaults.ts';
import { connectorCredential as connector, NO_RETRIES, startAcme, TENANT, type Acme } from './acme.ts';

const HOST = 'acme-keys.vault.azure.net';

let acme: Acme;
const vaultCall = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  acme.vaultCall<T>(method, path, body);
const requests = (): Acme['azure']['keyVault']['control'] => acme.azure.keyVault.control;

beforeAll(async () => {
  acme = await startAcme();
  await vaultCall('POST', '/vaults', { host: HOST, tenantId: TENANT, purgeProtection: false });
  await vaultCall('PUT', `/vaults/${HOST}/role-assignments/officer`, {
    principalId: acme.officerOid,
    role: 'Key Vault Crypto Officer',
  });
  await vaultCall('PUT', `/vaults/${HOST}/role-assignments/connector`, {
    principalId: acme.connectorOid,
    role: 'Key Vault Crypto Service Encryption User',
  });
});
afterAll(() => acme.azure.close());
beforeEach(() => requests().clearRequests());

const keys = (): KeyClient => new KeyClient(`https://${HOST}`, acme.officer, NO_RETRIES);

describe('keys of a vault, through the real client', () => {
  it('are rotated: a new version of the same type, and what the old one wrapped still opens', async () => {
    const made = await keys().createRsaKey('turned', { keySize: 2048, keyOps: ['wrapKey', 'unwrapKey'] });
    const plain = randomBytes(64);
    const before = new CryptographyClient(made.id!, connector(), NO_RETRIES);
    const { result } = await before.wrapKey('RSA-OAEP-256', plain);
    const turned = await keys().rotateKey('turned');
    expect(turned.id).not.toBe(made.id);
    expect(turned).toMatchObject({ keyType: 'RSA', keyOperations: ['wrapKey', 'unwrapKey'] });
    expect((await keys().getKey('turned')).id).toBe(turned.id);
    expect(Buffer.from((await before.unwrapKey('RSA-OAEP-256', result)).result)).toEqual(plain);
    await expect(new KeyClient(`https://${HOST}`, connector(), NO_RETRIES).rotateKey('turned')).rejects.toMatchObject({
      statusCode: 403,
    });
  });

  it('once deleted are listed until they are purged, without their material', async () => {
    await keys().createEcKey('gone', { curve: 'P-256' });
    await (await keys().beginDeleteKey('gone')).pollUntilDone();
    const listed = async (): Promise<string[]> => {
      const names: string[] = [];
      for await (const { name, properties, key } of keys().listDeletedKeys()) {
        expect(properties.recoveryId).toBe(`https://${HOST}/deletedkeys/${name}`);
        expect(key?.n ?? key?.x).toBeUndefined();
        names.push(name);
      }
      return names;
    };
    expect(await listed()).toContain('gone');
    await keys().purgeDeletedKey('gone');
    expect(await listed()).not.toContain('gone');
  });

  it('are created, read, wrap and unwrap, by latest and by exact version', async () => {
    const made = await keys().createRsaKey('round-trip', { keySize: 2048 });
    const read = await keys().getKey('round-trip');
    expect(read.id).toBe(made.id);
    expect(read.id).toMatch(/^https:\/\/acme-keys\.vault\.azure\.net\/keys\/round-trip\/[0-9a-f]{32}$/);
    expect(read.properties).toMatchObject({
      enabled: true,
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    });
    const plain = randomBytes(64);
    for (const target of [read.id!, `https://${HOST}/keys/round-trip`]) {
      const client = new CryptographyClient(target, connector(), NO_RETRIES);
      for (const algorithm of ['RSA-OAEP-256', 'RSA-OAEP'] as const) {
        const { result } = await client.wrapKey(algorithm, plain);
        const opened = await client.unwrapKey(algorithm, result);
        expect(Buffer.from(opened.result)).toEqual(plain);
        expect(opened.keyID).toBe(made.id);
      }
    }
  });

  it('open old ciphertexts with the old version after a new version was made', async () => {
    const first = await keys().createRsaKey('rolled', { keySize: 2048 });
    const { result } = await new CryptographyClient(first.id!, acme.officer).wrapKey('RSA-OAEP-256', randomBytes(32));
    const { version } = await vaultCall<{ version: string }>('POST', `/vaults/${HOST}/keys/ROLLED/versions`, {});
    expect((await keys().getKey('rolled')).properties.version).toBe(version);
    await expect(
      new CryptographyClient(`https://${HOST}/keys/rolled/${version}`, acme.officer).unwrapKey('RSA-OAEP-256', result),
    ).rejects.toMatchObject({ statusCode: 400, code: 'BadParameter' });
    await new CryptographyClient(first.id!, acme.officer).unwrapKey('RSA-OAEP-256', result);
    const versions: (string | undefined)[] = [];
    for await (const item of keys().listPropertiesOfKeyVersions('rolled')) versions.push(item.version);
    expect(versions.sort()).toEqual([first.properties.version, version].sort());
  });

  it('sign a digest with ES256 and RS256 so that the public key verifies it', async () => {
    const message = Buffer.from('sealed');
    const digest = createHash('sha256').update(message).digest();
    const ec = await keys().createEcKey('seal', { curve: 'P-256' });
    const { result } = await new CryptographyClient(ec.id!, acme.officer).sign('ES256', digest);
    const { x, y, crv } = ec.key!;
    const jwk = { kty: 'EC', crv: crv!, x: base64(x), y: base64(y) };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, result)).toBe(true);
    const rsa = await keys().createRsaKey('seal-rsa', { keySize: 2048 });
    const signed = await new CryptographyClient(rsa.id!, acme.officer).sign('RS256', digest);
    const rsaKey = createPublicKey({
      key: { kty: 'RSA', n: base64(rsa.key!.n), e: base64(rsa.key!.e) },
      format: 'jwk',
    });
    expect(verify('sha256', message, rsaKey, signed.result)).toBe(true);
    await expect(
      new CryptographyClient(ec.id!, acme.officer).unwrapKey('RSA-OAEP-256', randomBytes(256)),
    ).rejects.toThrow();
  });

  it('are found in any case of the name, and list without key material', async () => {
    await keys().createRsaKey('Mixed-Case', { keySize: 2048 });
    expect((await keys().getKey('mixed-CASE')).name).toBe('Mixed-Case');
    const names: string[] = [];
    for await (const item of keys().listPropertiesOfKeys()) names.push(item.name);
    expect(names).toContain('Mixed-Case');
  });

  it('are deleted softly: recovered, or purged and their name free again', async () => {
    await keys().createRsaKey('short-lived', { keySize: 2048 });
    const poller = await keys().beginDeleteKey('short-lived', { intervalInMs: 1 });
    await poller.pollUntilDone();
    await expect(keys().getKey('short-lived')).rejects.toMatchObject({
      statusCode: 404,
      code: 'KeyNotFound',
      message:
        'A key with (name/id) short-lived was not found in this key vault. If you recently deleted this key you may ' +
        'be able to recover it using the correct recovery command. For help resolving this issue, please see ' +
        'https://go.microsoft.com/fwlink/?linkid=2125182',
    });
    await expect(keys().createRsaKey('short-lived')).rejects.toMatchObject({
      statusCode: 409,
      message:
        'Key short-lived is currently in a deleted but recoverable state, and its name cannot be reused; in this ' +
        'state, the key can only be recovered or purged.',
    });
    expect((await keys().getDeletedKey('short-lived')).properties.recoveryId).toBe(
      `https://${HOST}/deletedkeys/short-lived`,
    );
    const recovery = await keys().beginRecoverDeletedKey('short-lived', { intervalInMs: 1 });
    await recovery.pollUntilDone();
    await keys().getKey('short-lived');
    await (await keys().beginDeleteKey('short-lived', { intervalInMs: 1 })).pollUntilDone();
    await keys().purgeDeletedKey('short-lived');
    await expect(keys().getDeletedKey('short-lived')).rejects.toMatchObject({
      statusCode: 404,
      message: 'Deleted Key not found: short-lived',
    });
    await keys().createRsaKey('short-lived', { keySize: 2048 });
  });

  it('cannot be purged under purge protection, which the recovery level shows', async () => {
    const host = 'protected-keys.vault.azure.net';
    await vaultCall('POST', '/vaults', { host, tenantId: TENANT, softDeleteDays: 7, location: 'canadacentral' });
    await vaultCall('PUT', `/vaults/${host}/role-assignments/all`, {
      principalId: acme.connectorOid,
      dataActions: ['keys/*'],
    });
    const client = new KeyClient(`https://${host}`, connector(), NO_RETRIES);
    const made = await client.createRsaKey('kept', { keySize: 2048 });
    expect(made.properties.recoveryLevel).toBe('CustomizedRecoverable');
    await (await client.beginDeleteKey('kept', { intervalInMs: 1 })).pollUntilDone();
    await expect(client.purgeDeletedKey('kept')).rejects.toMatchObject({
      statusCode: 403,
      message:
        'Operation "purge" is not allowed because purge protection is enabled for this vault. Key Vault service will ' +
        'automatically purge it after the retention period has passed.\r\nVault: protected-keys;location=canadacentral',
    });
  });

  it('are asked for a token once per client, and every use is logged with who asked', async () => {
    const { id } = await keys().createRsaKey('logged', { keySize: 2048 });
    requests().clearRequests();
    const client = new KeyClient(`https://${HOST}`, connector(), NO_RETRIES);
    await client.getKey('logged');
    await client.getKey('logged');
    const version = id!.slice(-32);
    await client.getKey('logged', { version });
    expect(
      requests()
        .requests()
        .map(({ operation, target, status }) => ({ operation, target, status })),
    ).toEqual([
      { operation: 'challenge', target: `${HOST}/logged`, status: 401 },
      { operation: 'get', target: `${HOST}/logged`, status: 200 },
      { operation: 'get', target: `${HOST}/logged`, status: 200 },
      { operation: 'get', target: `${HOST}/logged`, status: 200 },
    ]);
    expect(requests().requests().at(-1)?.detail).toEqual({
      tenant: TENANT,
      version,
      caller: CONNECTOR_APP_ID,
    });
  });

  it('can be made from a PEM, and tell which ciphertexts they open without a call to the vault', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await vaultCall('POST', `/vaults/${HOST}/keys`, { name: 'imported', kty: 'RSA-HSM', pem });
    expect((await keys().getKey('imported')).keyType).toBe('RSA-HSM');
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const mine = publicEncrypt({ key: publicKey, oaepHash: 'sha256', padding }, Buffer.from('k')).toString('base64url');
    requests().clearRequests();
    const body = { ciphertexts: [mine, randomBytes(384).toString('base64url'), ''] };
    expect(await vaultCall('POST', `/vaults/${HOST}/keys/imported/try-unwrap`, body)).toEqual({
      opened: [true, false, false],
    });
    expect(requests().requests()).toEqual([]);
  });
});

describe('keys of a pool filled beforehand', () => {
  it('are used first, by size', async () => {
    await vaultCall('POST', '/key-pool', { size: 2048, count: 2 });
    const made = await keys().createRsaKey('pooled', { keySize: 2048 });
    expect(made.key?.n?.length).toBe(256);
    const larger = await keys().createRsaKey('larger', { keySize: 3072, hsm: true });
    expect([larger.key?.n?.length, larger.keyType]).toEqual([384, 'RSA-HSM']);
  });

  it('of a size that Key Vault does not know are refused', async () => {
    await expect(keys().createRsaKey('odd', { keySize: 1024 })).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
  });
});

describe('a deletion that takes its time', () => {
  it('is not seen among the deleted keys at first', async () => {
    await vaultCall('PATCH', `/vaults/${HOST}`, { deletionMs: 3_600_000 });
    await keys().createRsaKey('slowly', { keySize: 2048 });
    const poller = await keys().beginDeleteKey('slowly', { intervalInMs: 1 });
    expect(poller.isDone()).toBe(false);
    await expect(keys().getDeletedKey('slowly')).rejects.toMatchObject({ message: 'Deleted Key not found: slowly' });
    await vaultCall('PATCH', `/vaults/${HOST}`, { deletionMs: 0 });
  });
});

describe('a vault emulator that fetches the token keys by URL, as one in a worker thread must', () => {
  it('follows a rotation of Entra keys', async () => {
    const { entra } = acme.azure;
    const tokens = new BearerTokens(`${entra.controlUrl}/jwks`);
    const vaults = new Vaults();
    const settings = {};
    const place = { location: 'westeurope', resourceGroup: 'rg' };
    const vault = vaults.add({ host: 'worker.vault.azure.net', tenantId: TENANT, ...place, settings });
    for (let round = 0; round < 2; round += 1) {
      const now = { nowMs: Date.now(), seconds: 600 };
      const proof = { audience: VAULT_AUDIENCE, proof: '2', tokenId: 'id', lifetime: now } as const;
      const who = { tenantId: TENANT, appId: CONNECTOR_APP_ID, objectId: acme.connectorOid };
      const token = entra.signer.sign(applicationClaims({ ...who, ...proof }));
      const caller = await tokens.check(vault, `Bearer ${token}`, Date.now());
      expect(caller).toMatchObject({ appId: CONNECTOR_APP_ID, objectId: acme.connectorOid });
      await entra.signer.rotate({ forget: false });
    }
  });
});

describe('a vault that is gone', () => {
  it('does not resolve, and comes back without its role assignments', async () => {
    const host = 'soon-gone.vault.azure.net';
    await vaultCall('POST', '/vaults', { host, tenantId: TENANT });
    const grant = { principalId: acme.connectorOid, role: 'Key Vault Reader' };
    await vaultCall('PUT', `/vaults/${host}/role-assignments/reader`, grant);
    await vaultCall('POST', `/vaults/${host}/keys`, { name: 'k' });
    const client = new KeyClient(`https://${host}`, connector(), NO_RETRIES);
    await client.getKey('k');
    await vaultCall('DELETE', `/vaults/${host}`);
    expect(await vaultCall('GET', `/dns/${host}`)).toEqual({ exists: false });
    const fresh = new KeyClient(`https://${host}`, connector(), NO_RETRIES);
    await expect(fresh.getKey('k')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await vaultCall('POST', `/vaults/${host}/recover`);
    expect(await vaultCall('GET', `/dns/${host}`)).toEqual({ exists: true });
    await expect(client.getKey('k')).rejects.toMatchObject({ statusCode: 403 });
  });

  it('is like one that never was', async () => {
    const client = new KeyClient('https://never-made.vault.azure.net', connector(), NO_RETRIES);
    await expect(client.getKey('k')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});

function base64(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64url');
}
