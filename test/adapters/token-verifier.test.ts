import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createTokenVerifier } from '../../shared/identity/client/token-verifier.ts';
import { appClaims, AUDIENCE, FakeTokenIssuer, OBJECT_ID, TENANT_ID } from '../fakes/fake-token-issuer.ts';

const SECOND = 'https://issuer.example';
const FILLER = ' '.repeat(64 * 1024);
const now = Math.floor(Date.now() / 1000);

let issuer: FakeTokenIssuer;
let verifier: ReturnType<typeof createTokenVerifier>;

beforeEach(async () => {
  issuer = await FakeTokenIssuer.start();
  verifier = createTokenVerifier({
    authorityHost: 'https://login.microsoftonline.com/',
    tenantId: TENANT_ID,
    audience: AUDIENCE,
    jwksUri: issuer.jwksUri,
    secondIssuer: { issuer: SECOND, audience: 'keyswitch', jwksUri: issuer.jwksUri },
  });
});
afterEach(() => issuer.close());

const reasonOf = async (token: string): Promise<string> => {
  const verified = await verifier.verify(token);
  if (verified.ok) return 'accepted';
  return verified.error.type === 'invalid' ? verified.error.reason : verified.error.type;
};

test('keys that do not end are no keys, and cost no memory', async () => {
  let sentBytes = 0;
  const endless = createServer((_, response) => {
    const go = (): void => {
      while (!response.destroyed && response.write(FILLER)) sentBytes += FILLER.length;
      response.once('drain', go);
    };
    go();
  });
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    endless.closeAllConnections();
    endless.close();
  });
  const jwksUri = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/`;
  const options = {
    authorityHost: 'https://login.microsoftonline.com',
    tenantId: TENANT_ID,
    audience: AUDIENCE,
    jwksUri,
  };
  expect(await createTokenVerifier(options).verify(await issuer.sign(appClaims()))).toMatchObject({
    ok: false,
    error: { type: 'unavailable' },
  });
  // What the sockets hold on the way is beyond it.
  expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
});

describe('an Entra access token', () => {
  test('of an app is accepted, and says who it was issued to', async () => {
    const verified = await verifier.verify(await issuer.sign(appClaims({ roles: ['Keyswitch.Auditor'] })));
    expect(verified).toMatchObject({
      ok: true,
      value: { subject: `entra:${OBJECT_ID}`, claims: { roles: ['Keyswitch.Auditor'] } },
    });
  });

  test('of a signed-in user is accepted although its subject is pairwise', async () => {
    expect(await reasonOf(await issuer.sign(appClaims({ sub: 'pairwise', scp: 'access_as_user' })))).toBe('accepted');
  });

  test('a minute past its end is still accepted, two minutes past it is not', async () => {
    expect(await reasonOf(await issuer.sign(appClaims({ exp: now - 30 })))).toBe('accepted');
    expect(await reasonOf(await issuer.sign(appClaims({ exp: now - 120 })))).toBe('it has expired');
  });

  test.each([
    ['for another audience', { aud: 'https://vault.azure.net' }, 'its claim aud is not acceptable'],
    ['not valid yet', { nbf: now + 600 }, 'its claim nbf is not acceptable'],
    ['without an end', { exp: undefined }, 'its claim exp is not acceptable'],
    ['of another issuer', { iss: 'https://evil.example' }, 'it is not from an issuer that is trusted here'],
    ['of version 1', { ver: '1.0' }, 'it is not a version 2.0 token'],
    ['of another tenant', { tid: '00000000-0000-4000-8000-000000000000' }, 'it is from another tenant'],
    ['with a nonce', { nonce: 'n' }, 'it is an ID token; send an access token'],
    ['without the app that asked for it', { azp: undefined }, 'it is an ID token; send an access token'],
    ['with a pairwise subject and no scope', { sub: 'pairwise' }, 'it is an ID token; send an access token'],
    ['without an object id', { oid: undefined, scp: 'x' }, 'it does not say who it was issued to'],
  ])('%s is refused', async (_what, overrides, reason) => {
    expect(await reasonOf(await issuer.sign(appClaims(overrides)))).toBe(reason);
  });

  test('as Entra makes ID tokens for the same app, roles included, is refused', async () => {
    const idToken = appClaims({
      azp: undefined,
      azpacr: undefined,
      sub: 'pairwise',
      roles: ['Keyswitch.VendorAdmin'],
      preferred_username: 'someone@example.com',
    });
    expect(await reasonOf(await issuer.sign(idToken))).toBe('it is an ID token; send an access token');
  });
});

describe('a forged token', () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  test('with algorithm none is refused', async () => {
    expect(await reasonOf(`${encode({ alg: 'none' })}.${encode(appClaims())}.`)).not.toBe('accepted');
  });

  test('signed with the public key as an HMAC secret is refused', async () => {
    const { keys } = (await (await fetch(issuer.jwksUri)).json()) as { keys: object[] };
    const text = `${encode({ alg: 'HS256', kid: 'k1' })}.${encode(appClaims())}`;
    const mac = createHmac('sha256', JSON.stringify(keys[0])).update(text).digest('base64url');
    expect(await reasonOf(`${text}.${mac}`)).toBe('it is not signed with RS256');
  });

  test("signed with a key of the forger's own is refused, embedded or named like ours", async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = await exportJWK(publicKey);
    const token = await new SignJWT(appClaims()).setProtectedHeader({ alg: 'RS256', kid: 'k1', jwk }).sign(privateKey);
    expect(await reasonOf(token)).toBe('its signature does not verify');
  });

  test('signed with PS256 by the right issuer is refused', async () => {
    const { privateKey } = await generateKeyPair('PS256');
    const token = await new SignJWT(appClaims()).setProtectedHeader({ alg: 'PS256', kid: 'k1' }).sign(privateKey);
    expect(await reasonOf(token)).toBe('it is not signed with RS256');
  });

  test.each(['', 'x', 'a.b.c', 'a.b', '..'])('that is no token at all (%j) is refused', async (text) => {
    expect(await reasonOf(text)).toBe('it is not from an issuer that is trusted here');
  });
});

describe('the key set', () => {
  test('is asked for once for many tokens', async () => {
    const token = await issuer.sign(appClaims());
    await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    await verifier.verify(token);
    expect(issuer.keySetRequests).toBe(1);
  });

  test('is not asked for again by each token with an unknown key id', async () => {
    const token = await issuer.sign(appClaims(), { kid: 'unknown' });
    for (let i = 0; i < 5; i += 1) expect(await reasonOf(token)).toBe('its signature does not verify');
    expect(issuer.keySetRequests).toBe(1);
  });

  test('is not waited for by the first token if it was fetched before', async () => {
    await verifier.fetchKeys();
    const before = issuer.keySetRequests;
    expect(await reasonOf(await issuer.sign(appClaims()))).toBe('accepted');
    expect(issuer.keySetRequests).toBe(before);
  });

  test('that could not be fetched before is asked for by the first token', async () => {
    issuer.failWith = 503;
    await verifier.fetchKeys();
    issuer.failWith = undefined;
    expect(await reasonOf(await issuer.sign(appClaims()))).toBe('accepted');
  });

  describe('that was fetched before', () => {
    const MINUTE_MS = 60_000;
    const begunMs = Date.now();
    const after = (minutes: number): unknown => vi.setSystemTime(begunMs + minutes * MINUTE_MS);
    /** By tokens that come one after the other. */
    const asked = async (times: number): Promise<void> => {
      while (issuer.keySetRequests < times) {
        expect(await reasonOf(token)).toBe('accepted');
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(issuer.keySetRequests).toBe(times);
    };
    let token: string;
    beforeEach(async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: begunMs });
      await verifier.fetchKeys();
      token = await issuer.sign(appClaims({ exp: Math.floor(begunMs / 1000) + 3 * 3600 }));
    });
    afterEach(() => void vi.useRealTimers());

    test('is asked for again after ten minutes, and nobody waits for an issuer that does not answer', async () => {
      const first = issuer.keySetRequests;
      issuer.failWith = 503;
      after(9.9);
      expect(await reasonOf(token)).toBe('accepted');
      expect(issuer.keySetRequests).toBe(first);
      after(10);
      await asked(first + 1);
      after(10.4);
      expect(await reasonOf(token)).toBe('accepted');
      expect(issuer.keySetRequests).toBe(first + 1);
      after(10.6);
      await asked(first + 2);
    });

    test('is trusted no longer than an hour without its issuer', async () => {
      issuer.failWith = 503;
      after(59.9);
      expect(await reasonOf(token)).toBe('accepted');
      after(60);
      expect(await reasonOf(token)).toBe('unavailable');
      issuer.failWith = undefined;
      expect(await reasonOf(token)).toBe('accepted');
    });
  });

  test('being away makes a token neither good nor bad', async () => {
    issuer.failWith = 503;
    expect(await reasonOf(await issuer.sign(appClaims()))).toBe('unavailable');
  });
});

describe('the second issuer', () => {
  const claims = { iss: SECOND, aud: 'keyswitch', sub: 'backend', iat: now, exp: now + 600, roles: [] };

  test('is trusted for its own audience, and its subjects are its own', async () => {
    const verified = await verifier.verify(await issuer.sign({ ...claims, scope: 'keys' }));
    expect(verified).toMatchObject({ ok: true, value: { subject: `${SECOND}#backend` } });
    expect(await reasonOf(await issuer.sign({ ...claims, scope: 'keys', aud: AUDIENCE }))).toBe(
      'its claim aud is not acceptable',
    );
  });

  test("needs no scope when the token's type says what it is", async () => {
    expect(await reasonOf(await issuer.sign(claims, { typ: 'at+jwt' }))).toBe('accepted');
  });

  test('has its ID tokens refused', async () => {
    expect(await reasonOf(await issuer.sign(claims))).toBe('it is an ID token; send an access token');
    expect(await reasonOf(await issuer.sign({ ...claims, scope: 'openid', nonce: 'n' }))).toBe(
      'it is an ID token; send an access token',
    );
  });
});
