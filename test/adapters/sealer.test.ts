import { verify } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sealVerifies } from '../../shared/domain/seal.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import { AzureSealer } from '../../shared/providers/azure-key-vault/client/sealer.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { failureOf, valueOf, VaultWorld } from './vault-world.ts';

const SEAL_KEY = 'keyswitch-seal';
const BYTES = Buffer.from('what is sealed');
const MINUTE_MS = 60_000;
let world: VaultWorld;
let clock: FakeClock;

beforeAll(async () => {
  world = await VaultWorld.start();
});
beforeEach(() => {
  clock = new FakeClock();
  world.reset();
});
afterAll(() => world.azure.close());

async function vendorVault(): Promise<{ target: VaultTarget; version: string }> {
  const { target } = await world.vendor();
  const { version } = await world.addKey(target.host, SEAL_KEY, 'ec-p256-1');
  return { target: { ...target, keyName: SEAL_KEY }, version };
}
const sealerOf = (target: VaultTarget): AzureSealer => new AzureSealer(world.clients().pool, target, clock);
const attributes = (host: string, version: string, change: object): Promise<unknown> =>
  world.vaultCall('PATCH', `/vaults/${host}/keys/${SEAL_KEY}`, { version, ...change });

test('a seal is a signature of 64 bytes by the newest version, which it names', async () => {
  const { target, version } = await vendorVault();
  const seal = valueOf(await sealerOf(target).sign(BYTES));
  expect(seal.keyVersion).toBe(version);
  const signature = Buffer.from(seal.signature, 'base64url');
  expect(signature).toHaveLength(64);
  const { publicKey } = keyFixture('ec-p256-1');
  expect(verify('sha256', BYTES, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
});

test('who asks which version is the newest is told as it is now, and it seals from then on', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  expect(valueOf(await sealer.newestVersion())).toBe(version);
  const rotated = await world.addVersion(target.host, SEAL_KEY, 'ec-p256-2');
  expect(valueOf(await sealer.newestVersion())).toBe(rotated.version);
  expect(valueOf(await sealer.sign(BYTES)).keyVersion).toBe(rotated.version);
});

test('the public key of its version verifies it, here and in another process', async () => {
  const { target } = await vendorVault();
  const seal = valueOf(await sealerOf(target).sign(BYTES));
  const publicKey = valueOf(await sealerOf(target).publicKey(seal.keyVersion))!;
  expect(sealVerifies({ bytes: BYTES, seal, publicKey })).toBe(true);
  expect(sealVerifies({ bytes: Buffer.from('something else'), seal, publicKey })).toBe(false);
});

test('the key is looked up once; every seal after that costs one sign', async () => {
  const { target } = await vendorVault();
  const sealer = sealerOf(target);
  for (let count = 0; count < 3; count += 1) valueOf(await sealer.sign(BYTES));
  expect(world.asked()).toEqual(['challenge 401', 'get 200', 'sign 200', 'sign 200', 'sign 200']);
});

test('a public key is asked for once, however many need it at once', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  const keys = await Promise.all(Array.from({ length: 20 }, () => sealer.publicKey(version)));
  const pems = new Set(keys.map((key) => valueOf(key)!.export({ type: 'spki', format: 'pem' })));
  expect(pems).toEqual(new Set([keyFixture('ec-p256-1').publicKey.export({ type: 'spki', format: 'pem' })]));
  valueOf(await sealer.publicKey(version));
  expect(world.asked()).toEqual(['challenge 401', 'get 200']);
});

test.each([
  ['ForbiddenByRbac', /no role lets the app sign/, '--role 12338af0-0e69-4776-bea7-57ae8d297424'],
  ['ForbiddenByPolicy', /No access policy lets the app sign/i, '--key-permissions get unwrapKey sign'],
  ['KeyOperationForbidden', /do not include sign/, '--ops sign verify'],
])(
  'refused as %s, the vendor is told what its seal key needs, not what keys that wrap do',
  async (inner, words, cli) => {
    const { target } = await vendorVault();
    const message = `Caller: appid=${'1'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)};oid=${'2'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`;
    const body = { error: { code: 'Forbidden', message, innererror: { code: inner } } };
    world.azure.keyVault.control.plant({ operation: 'sign', times: 1, effect: { status: 403, body } });
    const found = failureOf(await sealerOf(target).sign(BYTES));
    expect(found).toMatchObject({ owner: 'vendor', message: expect.stringMatching(words) as string });
    expect(found.remedy.azureCli).toContain(cli);
    expect(JSON.stringify(found)).not.toMatch(/e147488a|unwrapKey\b(?! sign)/);
  },
);

test('a seal key of another type is told as one, and not to be made an RSA key', async () => {
  const { target } = await world.vendor();
  await world.addKey(target.host, SEAL_KEY, 'rsa-2048-3');
  const found = failureOf(await sealerOf({ ...target, keyName: SEAL_KEY }).sign(BYTES));
  expect(found).toMatchObject({ code: 'key-type-unsupported', owner: 'vendor' });
  expect(found.message).toContain('no EC key of the curve P-256');
  expect(found.remedy.azureCli).toContain('--kty EC --curve P-256 --ops sign verify');
});

test('a version that does not exist is undefined and not asked for again and again', async () => {
  const { target } = await vendorVault();
  const sealer = sealerOf(target);
  for (let count = 0; count < 3; count += 1) expect(valueOf(await sealer.publicKey('0'.repeat(32)))).toBeUndefined();
  expect(world.asked()).toEqual(['challenge 401', 'get 404']);
});

test('a version that cannot be one is not asked for at all', async () => {
  const { target } = await vendorVault();
  const sealer = sealerOf(target);
  for (const version of ['', '../secrets/x', 'a/b', 'x'.repeat(65), 'a?b']) {
    expect(valueOf(await sealer.publicKey(version))).toBeUndefined();
  }
  expect(world.asked()).toEqual([]);
});

test('a lookup that failed is tried again', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  world.azure.keyVault.control.plant({ operation: 'get', times: 1, effect: { status: 503, body: {} } });
  expect(failureOf(await sealer.publicKey(version)).code).toBe('vault-unreachable');
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
});

test('after a rotation old seals still verify for minutes, and new ones come of the new version once the old is disabled', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  const before = valueOf(await sealer.sign(BYTES));
  valueOf(await sealer.publicKey(before.keyVersion));
  const rotated = await world.addVersion(target.host, SEAL_KEY, 'ec-p256-2');
  await attributes(target.host, version, { enabled: false });
  expect(failureOf(await sealer.sign(BYTES)).code).toBe('key-disabled');
  const after = valueOf(await sealer.sign(BYTES));
  expect(after.keyVersion).toBe(rotated.version);
  for (const seal of [before, after]) {
    const publicKey = valueOf(await sealer.publicKey(seal.keyVersion))!;
    expect(sealVerifies({ bytes: BYTES, seal, publicKey })).toBe(true);
  }
});

test('after a rotation new seals come of the new version within minutes, and old ones verify as long as theirs is enabled', async () => {
  const { target } = await vendorVault();
  const sealer = sealerOf(target);
  const before = valueOf(await sealer.sign(BYTES));
  const rotated = await world.addVersion(target.host, SEAL_KEY, 'ec-p256-2');
  clock.advance(5 * MINUTE_MS);
  expect(valueOf(await sealer.sign(BYTES)).keyVersion).toBe(rotated.version);
  clock.advance(24 * 60 * MINUTE_MS);
  expect(valueOf(await sealer.publicKey(before.keyVersion))).toBeDefined();
});

test('a version that is disabled verifies nothing any more, after minutes here and at once in another process', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
  await attributes(target.host, version, { enabled: false });
  expect(valueOf(await sealerOf(target).publicKey(version))).toBeUndefined();
  clock.advance(5 * MINUTE_MS - 1);
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
  clock.advance(1);
  expect(valueOf(await sealer.publicKey(version))).toBeUndefined();
  await attributes(target.host, version, { enabled: true });
  clock.advance(MINUTE_MS);
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
});

test('a version verifies only from when to when its vault says, to the millisecond', async () => {
  const { target, version } = await vendorVault();
  const nowS = clock.now().getTime() / 1000;
  await attributes(target.host, version, { notBefore: nowS + 60, expires: nowS + 120 });
  const sealer = sealerOf(target);
  const isUsable = async (): Promise<boolean> => valueOf(await sealer.publicKey(version)) !== undefined;
  expect(await isUsable()).toBe(false);
  clock.advance(MINUTE_MS);
  expect(await isUsable()).toBe(true);
  clock.advance(MINUTE_MS - 1);
  expect(await isUsable()).toBe(true);
  clock.advance(1);
  expect(await isUsable()).toBe(false);
});

test('a vault that is away stops nobody whose version it has answered for within the hour', async () => {
  const { target, version } = await vendorVault();
  const sealer = sealerOf(target);
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
  world.azure.keyVault.control.plant({ operation: 'get', effect: { status: 503, body: {} } });
  clock.advance(60 * MINUTE_MS - 1);
  expect(valueOf(await sealer.publicKey(version))).toBeDefined();
  clock.advance(1);
  expect(failureOf(await sealer.publicKey(version)).code).toBe('vault-unreachable');
});

test('a signature that does not verify, or another key’s, is no seal', async () => {
  const { target } = await vendorVault();
  const other = { kid: `https://${target.host}/keys/${SEAL_KEY}/${'0'.repeat(32)}` };
  for (const mergeBody of [{ value: 'A'.repeat(86) }, other]) {
    world.azure.keyVault.control.plant({ operation: 'sign', times: 1, effect: { mergeBody } });
    expect(failureOf(await sealerOf(target).sign(BYTES)).code).toBe('key-substituted');
  }
});

test('a key of another type, another vault’s or none seals nothing', async () => {
  const { target } = await vendorVault();
  await world.addKey(target.host, 'rsa', 'rsa-2048-3');
  expect(failureOf(await sealerOf({ ...target, keyName: 'rsa' }).sign(BYTES)).code).toBe('key-type-unsupported');
  expect(failureOf(await sealerOf({ ...target, keyName: 'none' }).sign(BYTES)).code).toBe('key-not-found');
  await world.vaultCall('DELETE', `/vaults/${target.host}/role-assignments/app`, {});
  expect(failureOf(await sealerOf(target).sign(BYTES)).code).toBe('access-denied-rbac');
});
