// Keys that are imported, backed up, rotated by a policy, and decrypt: through the real client.
import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { CryptographyClient, KeyClient, type JsonWebKey } from '@azure/keyvault-keys';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectorCredential, NO_RETRIES, startAcme, TENANT, type Acme } from './acme.ts';

const HOST = 'acme-keys.vault.azure.net';
const DAY_MS = 86_400_000;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

let acme: Acme;
beforeAll(async () => {
  acme = await startAcme();
  await acme.vaultCall('POST', '/vaults', { host: HOST, tenantId: TENANT, purgeProtection: false });
  for (const [name, principalId, role] of [
    ['officer', acme.officerOid, 'Key Vault Crypto Officer'],
    ['connector', acme.connectorOid, 'Key Vault Crypto Service Encryption User'],
  ] as const)
    await acme.vaultCall('PUT', `/vaults/${HOST}/role-assignments/${name}`, { principalId, role });
});
afterAll(() => acme.azure.close());

const keys = (): KeyClient => new KeyClient(`https://${HOST}`, acme.officer, NO_RETRIES);
const stranger = (): KeyClient => new KeyClient(`https://${HOST}`, connectorCredential(), NO_RETRIES);
const refusal = (status: number, message: string): object => ({
  statusCode: status,
  message: expect.stringContaining(message) as unknown,
});

function jwkOf(key: KeyObject): JsonWebKey {
  const { kty = '', ...members } = key.export({ format: 'jwk' });
  const bytes = Object.entries(members).map(([name, text]) => [name, Buffer.from(String(text), 'base64url')]);
  return { kty, ...Object.fromEntries(bytes) } as JsonWebKey;
}

/** The file in which somebody hands a key of their own over, wrapped by a key of the vault. */
function transferBlob(kid: string, exchange: KeyObject): Uint8Array {
  const aes = randomBytes(32);
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const cipher = createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('A65959A6', 'hex'));
  const wrappedAes = publicEncrypt({ key: exchange, padding: OAEP.padding, oaepHash: 'sha1' }, aes);
  const ciphertext = Buffer.concat([wrappedAes, cipher.update(der), cipher.final()]).toString('base64url');
  const header = { kid, alg: 'dir', enc: 'CKM_RSA_AES_KEY_WRAP' };
  return Buffer.from(JSON.stringify({ schema_version: '1.0.0', header, ciphertext, generator: 'a test' }));
}

it('a key that is imported unwraps what its owner has wrapped, and the vault never rotates it', async () => {
  const imported = await keys().importKey('mine', { ...jwkOf(privateKey), keyOps: ['wrapKey', 'unwrapKey'] });
  expect(imported).toMatchObject({ name: 'mine', keyType: 'RSA', keyOperations: ['wrapKey', 'unwrapKey'] });
  const wrapped = publicEncrypt({ key: publicKey, ...OAEP }, Buffer.from('a company key'));
  const { result } = await new CryptographyClient(imported.id!, connectorCredential(), NO_RETRIES).unwrapKey(
    'RSA-OAEP-256',
    wrapped,
  );
  expect(Buffer.from(result).toString()).toBe('a company key');
  await expect(keys().rotateKey('mine')).rejects.toMatchObject(refusal(400, 'imported'));
  await expect(
    keys().updateKeyRotationPolicy('mine', {
      lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P90D' }],
    }),
  ).rejects.toMatchObject(refusal(400, 'imported'));
  const again = await keys().importKey('mine', jwkOf(privateKey));
  expect(again.properties.version).not.toBe(imported.properties.version);
});

it('a key is brought in wrapped by a key of the vault that is for importing, and by no other', async () => {
  const exchange = await keys().createKey('exchange', 'RSA-HSM', { keySize: 2048, keyOps: ['import'] });
  const { n, e } = exchange.key!;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  const publicOf = createPublicKey({ key: { kty: 'RSA', n: text(n!), e: text(e!) }, format: 'jwk' });
  const brought = { kty: 'RSA-HSM', keyOps: ['wrapKey', 'unwrapKey'] } as const;
  const imported = await keys().importKey('brought', {
    ...brought,
    keyOps: [...brought.keyOps],
    t: transferBlob(exchange.id!, publicOf),
  });
  expect(imported.keyType).toBe('RSA-HSM');
  expect(Buffer.from(imported.key!.n!)).toEqual(
    Buffer.from(String(publicKey.export({ format: 'jwk' }).n), 'base64url'),
  );
  const other = await keys().createKey('other', 'RSA-HSM', { keySize: 2048 });
  const bring = (blob: Uint8Array) => keys().importKey('brought', { ...brought, keyOps: [...brought.keyOps], t: blob });
  await expect(bring(transferBlob(other.id!, publicOf))).rejects.toMatchObject(refusal(403, 'not permitted'));
  await expect(bring(transferBlob(`${exchange.id!}0`, publicOf))).rejects.toMatchObject({ statusCode: 404 });
  await expect(bring(transferBlob(exchange.id!, publicKey))).rejects.toMatchObject({ statusCode: 400 });
  const crypto = new CryptographyClient(exchange.id!, acme.officer, NO_RETRIES);
  await expect(crypto.unwrapKey('RSA-OAEP-256', randomBytes(256))).rejects.toThrow();
  await expect(keys().createRsaKey('soft', { keyOps: ['import'] })).rejects.toMatchObject({ statusCode: 400 });
  await expect(keys().createRsaKey('both', { hsm: true, keyOps: ['import', 'sign'] })).rejects.toMatchObject({
    statusCode: 400,
  });
});

it('a rotation policy is told as it was put, is judged, and decides when a version that is made by rotation expires', async () => {
  await keys().createRsaKey('turning', { keySize: 2048 });
  expect((await keys().getKeyRotationPolicy('turning')).lifetimeActions).toEqual([
    { action: 'Notify', timeBeforeExpiry: 'P30D', timeAfterCreate: undefined },
  ]);
  const policy = { expiresIn: 'P90D', lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P60D' }] } as const;
  const put = (change: object) =>
    keys().updateKeyRotationPolicy('turning', { ...policy, lifetimeActions: [...policy.lifetimeActions], ...change });
  await put({});
  expect(await keys().getKeyRotationPolicy('turning')).toMatchObject(policy);
  await expect(put({ expiresIn: 'P6D' })).rejects.toMatchObject({ statusCode: 400 });
  await expect(put({ lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P6D' }] })).rejects.toMatchObject({
    statusCode: 400,
  });
  const turned = await keys().rotateKey('turning');
  const expiresInMs = turned.properties.expiresOn!.getTime() - Date.now();
  expect(Math.abs(expiresInMs - 90 * DAY_MS)).toBeLessThan(DAY_MS);
});

it('a backup brings a key back with all its versions, once its name is free', async () => {
  const first = await keys().createRsaKey('saved', { keySize: 2048 });
  await keys().rotateKey('saved');
  const backup = (await keys().backupKey('saved'))!;
  await expect(keys().restoreKeyBackup(backup)).rejects.toMatchObject({ statusCode: 409 });
  await (await keys().beginDeleteKey('saved')).pollUntilDone();
  await expect(keys().restoreKeyBackup(backup)).rejects.toMatchObject({ statusCode: 409 });
  await keys().purgeDeletedKey('saved');
  await keys().restoreKeyBackup(backup);
  const wrapped = publicEncrypt(
    { key: publicOf(await keys().getKey('saved', { version: first.properties.version! })), ...OAEP },
    Buffer.from('old'),
  );
  const { result } = await new CryptographyClient(first.id!, acme.officer, NO_RETRIES).unwrapKey(
    'RSA-OAEP-256',
    wrapped,
  );
  expect(Buffer.from(result).toString()).toBe('old');
  await expect(keys().restoreKeyBackup(backup.subarray(1))).rejects.toMatchObject({ statusCode: 400 });
});

const publicOf = ({ key }: { key?: JsonWebKey }): KeyObject =>
  createPublicKey({
    key: { kty: 'RSA', n: Buffer.from(key!.n!).toString('base64url'), e: Buffer.from(key!.e!).toString('base64url') },
    format: 'jwk',
  });

it('a key decrypts what was encrypted to it, if that is among its operations', async () => {
  const made = await keys().createRsaKey('open', { keySize: 2048, keyOps: ['encrypt', 'decrypt'] });
  const crypto = new CryptographyClient(made.id!, acme.officer, NO_RETRIES);
  const { result } = await crypto.encrypt({ algorithm: 'RSA-OAEP-256', plaintext: Buffer.from('hello') });
  expect(Buffer.from((await crypto.decrypt({ algorithm: 'RSA-OAEP-256', ciphertext: result })).result).toString()).toBe(
    'hello',
  );
  await expect(crypto.unwrapKey('RSA-OAEP-256', result)).rejects.toThrow();
  const shut = await keys().createRsaKey('shut', { keySize: 2048, keyOps: ['wrapKey', 'unwrapKey'] });
  const refused = new CryptographyClient(shut.id!, acme.officer, NO_RETRIES).decrypt({
    algorithm: 'RSA-OAEP-256',
    ciphertext: randomBytes(256),
  });
  await expect(refused).rejects.toThrow();
});

it.each<[string, string, (client: KeyClient) => Promise<unknown>]>([
  ['import', 'keys/import/action', (client) => client.importKey('theirs', jwkOf(privateKey))],
  ['read a rotation policy', 'keyrotationpolicies/read', (client) => client.getKeyRotationPolicy('theirs')],
  ['put one', 'keyrotationpolicies/write', (client) => client.updateKeyRotationPolicy('theirs', {})],
  ['back up', 'keys/backup/action', (client) => client.backupKey('theirs')],
  ['restore', 'keys/restore/action', (client) => client.restoreKeyBackup(randomBytes(8))],
])('who may not %s is refused by the name of the action', async (_, action, call) => {
  await expect(call(stranger())).rejects.toMatchObject(refusal(403, `Action: 'Microsoft.KeyVault/vaults/${action}'`));
});
