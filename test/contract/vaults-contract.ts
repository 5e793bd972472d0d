// What every implementation of the vault ports must do, whoever implements them: run over the fake and over Azure's adapters. What a
// customer does to his vault, his tenant and his key is done by a driver; every test has a customer of its own.
import { verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FailureCode } from '../../shared/domain/failure.ts';
import { failure } from '../../shared/failures.ts';
import type { VaultTarget } from '../../shared/domain/provider.ts';
import type { ConnectionProbe, KeyVaults } from '../../shared/providers/azure-key-vault/vaults.ts';
import type { Sealer } from '../../shared/domain/ports.ts';
import { failureOf, valueOf, wrapped } from '../adapters/vault-world.ts';
import { keyFixture, type KeyFixtureName } from '../fixtures/key-fixtures.ts';
import { DENYING, PASSING, STOPPING } from '../simulation/troubles.ts';

/** A customer's vault, or the vendor's: with tenant, consent, role and a key. */
export interface VaultPlace {
  readonly target: VaultTarget;
  /** Versioned. */
  readonly keyId: string;
  /** What the key is made of: `rsa-2048-1` for a customer's. */
  readonly fixture: KeyFixtureName;
  /** Whom a token for this vault names. */
  readonly principalId: string;
}

/** As a host process that has just started has them. */
export interface VaultPorts {
  readonly vaults: KeyVaults;
  readonly probe: ConnectionProbe;
}

export interface KeyChange {
  readonly enabled?: boolean;
  readonly keyOps?: readonly ('sign' | 'wrapKey')[];
  readonly notBefore?: Date;
  readonly expires?: Date;
}

export interface VaultDriver {
  customer(): Promise<VaultPlace>;
  vendor(): Promise<VaultPlace>;
  ports(): VaultPorts;
  /** A process that meets this code at every call on this vault's key. */
  portsThatMeet(place: VaultPlace, code: FailureCode): Promise<VaultPorts>;
  changeKey(place: VaultPlace, change: KeyChange): Promise<void>;
  /** Answers the versioned id of the new, newest version, made of the fixture `rsa-3072-1`. */
  addVersion(place: VaultPlace): Promise<string>;
  /** A key beside the other, made of the fixture `ec-p256-1`. */
  addEllipticKey(place: VaultPlace, keyName: string): Promise<void>;
  /** Softly: it can be recovered. */
  removeKey(place: VaultPlace): Promise<void>;
  /** For good, once it is removed. */
  purgeKey(place: VaultPlace): Promise<void>;
  removeVault(place: VaultPlace): Promise<void>;
  takeRole(place: VaultPlace): Promise<void>;
  setConsent(place: VaultPlace, consented: boolean): Promise<void>;
  moveToTenant(place: VaultPlace, tenantId: string): Promise<void>;
}

const OTHER_TENANT = '99999999-9999-4999-8999-999999999999';
const NO_VERSION = '0'.repeat(32);
const HOUR_MS = 3_600_000;
const TROUBLES: readonly FailureCode[] = [...PASSING, ...DENYING, ...STOPPING];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Key Vault keeps whole seconds. */
const inHours = (hours: number): Date => new Date(Math.floor((Date.now() + hours * HOUR_MS) / 1000) * 1000);
const known = ({ host, keyName, tenantId }: VaultTarget): object => ({ vaultHost: host, keyName, tenantId });

export function describeVaults(driverOf: () => VaultDriver): void {
  const atOnce = (place: VaultPlace, { vaults, probe }: VaultPorts = driverOf().ports()) => ({
    read: (version?: string) => vaults.readKey(place.target, version),
    unwrap: (keyId = place.keyId, ciphertext = wrapped().ciphertext) =>
      vaults.unwrap(place.target, { keyId, ciphertext }),
    reach: () => probe.reach(place.target.host),
    tenant: () => probe.challengedTenant(place.target.host),
    token: () => probe.obtainToken(place.target),
  });

  describe('a key', () => {
    test('is described as its vault describes it', async () => {
      const place = await driverOf().customer();
      const { n, e } = keyFixture('rsa-2048-1').publicKey.export({ format: 'jwk' });
      expect(valueOf(await atOnce(place).read())).toEqual({
        created: expect.any(Date) as Date,
        keyId: place.keyId,
        keyType: 'RSA',
        n,
        e,
        sizeBits: 2048,
        keyOps: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
        enabled: true,
        recoveryLevel: 'Recoverable',
      });
    });

    test('unwraps what its public half wrapped', async () => {
      for (const place of [await driverOf().customer(), await driverOf().vendor()]) {
        const { plaintext, ciphertext } = wrapped(place.fixture);
        expect(hex(valueOf(await atOnce(place).unwrap(place.keyId, ciphertext)))).toBe(hex(plaintext));
      }
    });

    test('is read in its newest version unless one is named, and older versions go on unwrapping', async () => {
      const place = await driverOf().customer();
      const newest = await driverOf().addVersion(place);
      const { read, unwrap } = atOnce(place);
      expect(valueOf(await read())).toMatchObject({ keyId: newest, sizeBits: 3072 });
      expect(valueOf(await read(place.keyId.split('/').at(-1)))).toMatchObject({ keyId: place.keyId, sizeBits: 2048 });
      const [old, recent] = [wrapped(), wrapped('rsa-3072-1')];
      expect(hex(valueOf(await unwrap(place.keyId, old.ciphertext)))).toBe(hex(old.plaintext));
      expect(hex(valueOf(await unwrap(newest, recent.ciphertext)))).toBe(hex(recent.plaintext));
    });

    test('goes by its name in any case, and is given back in the asker’s spelling', async () => {
      const place = await driverOf().customer();
      const keyName = place.target.keyName.toUpperCase();
      const { read, unwrap } = atOnce({ ...place, target: { ...place.target, keyName } });
      const version = place.keyId.split('/').at(-1) ?? '';
      expect(valueOf(await read()).keyId).toBe(`https://${place.target.host}/keys/${keyName}/${version}`);
      expect((await unwrap()).ok).toBe(true);
    });

    test('that is elliptic has no numbers', async () => {
      const place = await driverOf().customer();
      await driverOf().addEllipticKey(place, 'elliptic');
      const { read } = atOnce({ ...place, target: { ...place.target, keyName: 'elliptic' } });
      expect(valueOf(await read())).toMatchObject({ keyType: 'EC', n: '', e: '', sizeBits: 0 });
    });

    test('that is disabled is described and does not unwrap, until it is enabled again', async () => {
      const place = await driverOf().customer();
      const { read, unwrap } = atOnce(place);
      await driverOf().changeKey(place, { enabled: false });
      expect(valueOf(await read()).enabled).toBe(false);
      expect(failureOf(await unwrap())).toMatchObject({
        code: 'key-disabled',
        kind: 'denied',
        facts: known(place.target),
        service: { status: 403, code: 'KeyDisabled' },
      });
      await driverOf().changeKey(place, { enabled: true });
      expect((await unwrap()).ok).toBe(true);
    });

    test('that may not unwrap says so, and that it is disabled before that', async () => {
      const place = await driverOf().customer();
      const { read, unwrap } = atOnce(place);
      await driverOf().changeKey(place, { keyOps: ['sign', 'wrapKey'] });
      expect(valueOf(await read()).keyOps).toEqual(['sign', 'wrapKey']);
      expect(failureOf(await unwrap())).toMatchObject({
        code: 'key-operation-not-permitted',
        facts: known(place.target),
        service: { status: 403, code: 'KeyOperationForbidden' },
      });
      await driverOf().changeKey(place, { enabled: false });
      expect(failureOf(await unwrap()).code).toBe('key-disabled');
    });

    test('that has expired or is not valid yet is described so and unwraps all the same', async () => {
      const place = await driverOf().customer();
      const { read, unwrap } = atOnce(place);
      for (const dates of [{ notBefore: inHours(-2), expires: inHours(-1) }, { notBefore: inHours(1) }]) {
        await driverOf().changeKey(place, dates);
        expect(valueOf(await read())).toMatchObject(dates);
        expect((await unwrap()).ok).toBe(true);
      }
    });

    test('does not open what is no wrap of its own, and no exception comes of it', async () => {
      const place = await driverOf().customer();
      const { unwrap } = atOnce(place);
      for (const ciphertext of [wrapped('rsa-2048-2').ciphertext, 'AAAA', wrapped().ciphertext.slice(0, -8)]) {
        expect(failureOf(await unwrap(place.keyId, ciphertext))).toMatchObject({
          code: 'key-substituted',
          kind: 'integrity',
          facts: { ...known(place.target), detail: 'it does not open what it wrapped' },
          service: { status: 400, code: 'BadParameter' },
        });
      }
    });

    test('or a version that does not exist is not found', async () => {
      const place = await driverOf().customer();
      const { read, unwrap } = atOnce(place);
      const none = place.keyId.replace(/[^/]+$/, NO_VERSION);
      const absent = { code: 'key-not-found', kind: 'denied', service: { status: 404, code: 'KeyNotFound' } };
      expect(failureOf(await read(NO_VERSION))).toMatchObject({ ...absent, facts: known(place.target) });
      expect(failureOf(await unwrap(none))).toMatchObject({ ...absent, facts: known(place.target) });
      await driverOf().removeKey(place);
      expect(failureOf(await read())).toMatchObject(absent);
      expect(failureOf(await unwrap())).toMatchObject(absent);
    });

    test('that was deleted is kept until a date, and one that was purged, or never deleted, is not', async () => {
      const place = await driverOf().customer();
      const readDeleted = async (): Promise<unknown> =>
        valueOf(await driverOf().ports().vaults.readDeleted(place.target));
      expect(await readDeleted()).toBeUndefined();
      await driverOf().removeKey(place);
      expect(await readDeleted()).toEqual({ recoverableUntil: expect.any(Date) as unknown });
      await driverOf().purgeKey(place);
      expect(await readDeleted()).toBeUndefined();
      await driverOf().takeRole(place);
      const refused = await driverOf().ports().vaults.readDeleted(place.target);
      expect(failureOf(refused)).toMatchObject({ code: 'access-denied-rbac', kind: 'denied' });
    });

    test('is not asked to unwrap what names another vault, another key or nothing', async () => {
      const [place, other] = [await driverOf().customer(), await driverOf().customer()];
      const { unwrap } = atOnce(place);
      const otherKey = place.keyId.replace(`/${place.target.keyName}/`, '/other/');
      for (const wrong of [other.keyId, otherKey, 'nonsense', `${place.keyId}/more`]) {
        expect(failureOf(await unwrap(wrong))).toMatchObject({
          code: 'key-substituted',
          kind: 'integrity',
          facts: { ...known(place.target), detail: wrong },
        });
      }
    });
  });

  describe('without', () => {
    test('a role every call on a key is refused, with who was refused what and where', async () => {
      const place = await driverOf().customer();
      await driverOf().takeRole(place);
      const { read, unwrap, token, tenant, reach } = atOnce(place);
      for (const [answer, action] of [[await read(), 'read'] as const, [await unwrap(), 'unwrap/action'] as const]) {
        const denied = failureOf(answer);
        expect(denied).toMatchObject({
          code: 'access-denied-rbac',
          kind: 'denied',
          facts: {
            ...known(place.target),
            principalId: place.principalId,
            detail: `Microsoft.KeyVault/vaults/keys/${action}`,
          },
          service: { status: 403, code: 'ForbiddenByRbac' },
        });
        expect(denied.facts.appId).toBeDefined();
        expect(denied.facts.resourceId).toMatch(
          new RegExp(`^/subscriptions/.*/vaults/${place.target.host.split('.')[0]}/keys/${place.target.keyName}$`, 'i'),
        );
      }
      expect([(await token()).ok, (await tenant()).ok, (await reach()).ok]).toEqual([true, true, true]);
    });

    test('a role nothing is said of whether a key exists', async () => {
      const place = await driverOf().customer();
      await driverOf().takeRole(place);
      await driverOf().removeKey(place);
      expect(failureOf(await atOnce(place).read()).code).toBe('access-denied-rbac');
    });

    test('consent no token is to be had and no call goes through, until it is given', async () => {
      const place = await driverOf().customer();
      await driverOf().setConsent(place, false);
      const { read, unwrap, token, tenant } = atOnce(place);
      for (const answer of [await token(), await read(), await unwrap()]) {
        const denied = failureOf(answer);
        expect(denied).toMatchObject({
          code: 'consent-required',
          kind: 'denied',
          facts: { tenantId: place.target.tenantId },
        });
        expect(denied.facts.appId).toBeDefined();
      }
      expect(valueOf(await tenant())).toBe(place.target.tenantId);
      await driverOf().setConsent(place, true);
      expect((await atOnce(place).token()).ok).toBe(true);
    });

    test('a tenant there is no token either', async () => {
      const place = await driverOf().customer();
      const { token } = atOnce({ ...place, target: { ...place.target, tenantId: OTHER_TENANT } });
      expect(failureOf(await token())).toMatchObject({
        code: 'entra-tenant-not-found',
        facts: { tenantId: OTHER_TENANT },
      });
    });

    test('a vault the name is not found, and a token is to be had all the same', async () => {
      const place = await driverOf().customer();
      await driverOf().removeVault(place);
      const { read, unwrap, token, tenant, reach } = atOnce(place);
      for (const answer of [await reach(), await tenant(), await read(), await unwrap()]) {
        expect(failureOf(answer)).toMatchObject({
          code: 'vault-not-found',
          kind: 'denied',
          facts: { vaultHost: place.target.host },
        });
      }
      expect((await token()).ok).toBe(true);
    });

    test('an allowed suffix nothing is asked', async () => {
      const place = await driverOf().customer();
      for (const host of ['contoso.example.com', 'a.b.vault.azure.net', 'vault.azure.net', 'localhost', '127.0.0.1']) {
        const keyId = `https://${host}/keys/${place.target.keyName}/1`;
        const { read, unwrap, token, tenant, reach } = atOnce({ ...place, target: { ...place.target, host } });
        const answers = [await reach(), await tenant(), await token(), await read(), await unwrap(keyId)];
        for (const answer of answers) {
          expect(failureOf(answer)).toMatchObject({
            code: 'vault-host-not-allowed',
            kind: 'input',
            facts: { vaultHost: host },
          });
        }
      }
    });
  });

  describe('a vault', () => {
    test('can be reached, names its tenant, and a token for it names the principal', async () => {
      const place = await driverOf().customer();
      const { reach, tenant, token } = atOnce(place);
      expect((await reach()).ok).toBe(true);
      expect(valueOf(await tenant())).toBe(place.target.tenantId);
      expect(valueOf(await token())).toEqual({ principalId: place.principalId });
    });

    test('of the vendor is met with the app’s own identity, whatever customers’ tenants say', async () => {
      const place = await driverOf().vendor();
      expect(valueOf(await atOnce(place).token())).toEqual({ principalId: place.principalId });
    });

    test('of another tenant than the pinned one is refused before Entra is asked', async () => {
      const place = await driverOf().customer();
      await driverOf().moveToTenant(place, OTHER_TENANT);
      await driverOf().setConsent(place, false);
      const { read, unwrap, tenant } = atOnce(place);
      const { tenantId } = place.target;
      for (const answer of [await read(), await unwrap()]) {
        expect(failureOf(answer)).toMatchObject({
          code: 'wrong-entra-tenant',
          kind: 'denied',
          facts: { ...known(place.target), tenantId, detail: `the vault names the tenant ${OTHER_TENANT}` },
        });
      }
      expect(valueOf(await tenant())).toBe(OTHER_TENANT);
    });
  });

  describe('every code that the simulation answers with is one that Azure’s answers lead to:', () => {
    test.each(TROUBLES)('%s', async (code) => {
      const place = await driverOf().customer();
      const { read, unwrap } = atOnce(place, await driverOf().portsThatMeet(place, code));
      const { kind, owner } = failure(code);
      expect(failureOf(await unwrap())).toMatchObject({ code, kind, owner });
      // A vault describes a key that it does not let unwrap.
      const isOfUnwrapAlone = code === 'key-disabled' || code === 'key-operation-not-permitted';
      if (!isOfUnwrapAlone) expect(failureOf(await read())).toMatchObject({ code, kind, owner });
    });
  });
}

export interface SealDriver {
  /** The vendor's seal key as a process that has just started has it. */
  sealer(): Sealer;
  /** Gives the key a new version, made of the fixture `ec-p256-2`. */
  rotate(): Promise<void>;
}

const SIGNED = Buffer.from('what a row says');

export function describeSealers(driverOf: () => SealDriver): void {
  const verifies = async (sealer: Sealer, seal: { keyVersion: string; signature: string }): Promise<boolean> => {
    const key = valueOf(await sealer.publicKey(seal.keyVersion));
    if (!key) return false;
    const signature = Buffer.from(seal.signature, 'base64url');
    return verify('sha256', SIGNED, { key, dsaEncoding: 'ieee-p1363' }, signature);
  };

  test('a seal is 64 bytes that the public key of its version verifies, here and in another process', async () => {
    const seal = valueOf(await driverOf().sealer().sign(SIGNED));
    expect(Buffer.from(seal.signature, 'base64url')).toHaveLength(64);
    expect(await verifies(driverOf().sealer(), seal)).toBe(true);
    const spoilt = Buffer.from(seal.signature, 'base64url').fill(1, 0, 8).toString('base64url');
    expect(await verifies(driverOf().sealer(), { ...seal, signature: spoilt })).toBe(false);
  });

  test('a version that does not exist, or cannot, has no public key', async () => {
    for (const version of [NO_VERSION, '', '../secrets/x', 'a/b', 'x'.repeat(65)]) {
      expect(valueOf(await driverOf().sealer().publicKey(version))).toBeUndefined();
    }
  });

  test('after a rotation new processes seal by the new version, and old seals still verify', async () => {
    const before = valueOf(await driverOf().sealer().sign(SIGNED));
    await driverOf().rotate();
    const after = valueOf(await driverOf().sealer().sign(SIGNED));
    expect(after.keyVersion).not.toBe(before.keyVersion);
    for (const seal of [before, after]) expect(await verifies(driverOf().sealer(), seal)).toBe(true);
    expect(await verifies(driverOf().sealer(), { ...before, keyVersion: after.keyVersion })).toBe(false);
  });
}
