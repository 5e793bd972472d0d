import { afterAll, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { CONNECTOR_APP_ID } from '../../local/identities.ts';
import type { FailureCode } from '../../shared/domain/failure.ts';
import { keyFixture } from '../fixtures/key-fixtures.ts';
import { failureOf, KEY_NAME, valueOf, VaultWorld, wrapped, type Customer, TOKEN_MAX_AGE_MS } from './vault-world.ts';

const HOUR_SECONDS = 3_600;
let world: VaultWorld;

beforeAll(async () => {
  world = await VaultWorld.start();
});
beforeEach(() => world.reset());
afterAll(() => world.azure.close());

/** For calls that get no answer, but before that must get one or two. */
const HASTY_MS = 1_500;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

describe('reading a key', () => {
  it('answers what the vault says of the newest version, with one challenge and one get', async () => {
    const { target, host, keyId } = await world.customer();
    const { n, e } = keyFixture('rsa-2048-1').publicKey.export({ format: 'jwk' });
    expect(valueOf(await world.clients().vaults.readKey(target))).toEqual({
      keyId,
      keyType: 'RSA',
      n,
      e,
      sizeBits: 2048,
      keyOps: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
      enabled: true,
      created: expect.any(Date) as Date,
      recoveryLevel: 'Recoverable',
    });
    expect(world.asked()).toEqual(['challenge 401', 'get 200']);
    const targets = world.azure.keyVault.control.requests().map((request) => request.target);
    expect(targets).toEqual([`${host}/`, `${host}/${KEY_NAME}`]);
  });

  it('answers a version that is asked for, and the newest after a rotation', async () => {
    const { target, host, keyId } = await world.customer();
    const { vaults } = world.clients();
    const rotated = await world.addVersion(host, KEY_NAME, 'rsa-3072-1');
    expect(valueOf(await vaults.readKey(target))).toMatchObject({ keyId: rotated.kid, sizeBits: 3072 });
    const version = keyId.split('/').at(-1);
    expect(valueOf(await vaults.readKey(target, version))).toMatchObject({ keyId, sizeBits: 2048 });
    expect(world.asked()).toEqual(['challenge 401', 'get 200', 'get 200']);
  });

  it('tells dates and whether the key is enabled', async () => {
    const { target, host } = await world.customer();
    const [notBefore, expires] = [nowSeconds() - 100, nowSeconds() - 50];
    await world.vaultCall('PATCH', `/vaults/${host}/keys/${KEY_NAME}`, { enabled: false, notBefore, expires });
    expect(valueOf(await world.clients().vaults.readKey(target))).toMatchObject({
      enabled: false,
      notBefore: new Date(notBefore * 1000),
      expires: new Date(expires * 1000),
    });
  });

  it('answers a key that is not RSA without numbers', async () => {
    const { target, host } = await world.customer();
    await world.addKey(host, 'elliptic', 'ec-p256-1');
    const key = valueOf(await world.clients().vaults.readKey({ ...target, keyName: 'elliptic' }));
    expect(key).toMatchObject({ keyType: 'EC', n: '', e: '', sizeBits: 0 });
  });

  it('takes key names in any case, and keeps the spelling that it was given', async () => {
    const { target, host, keyId } = await world.customer();
    const keyName = KEY_NAME.toUpperCase();
    const key = valueOf(await world.clients().vaults.readKey({ ...target, keyName }));
    expect(key.keyId).toBe(`https://${host}/keys/${keyName}/${keyId.split('/').at(-1)}`);
  });
});

describe('unwrapping', () => {
  it('is exactly one POST to the version that wrapped, and no GET', async () => {
    const { target, keyId } = await world.customer();
    const { plaintext, ciphertext } = wrapped();
    const opened = valueOf(await world.clients().vaults.unwrap(target, { keyId, ciphertext }));
    expect(Buffer.from(opened)).toEqual(plaintext);
    expect(world.asked()).toEqual(['challenge 401', 'unwrapkey 200']);
    const [, unwrap] = world.azure.keyVault.control.requests();
    expect(unwrap?.detail).toMatchObject({ version: keyId.split('/').at(-1) });
  });

  it('asks for the challenge once per vault and for the token once per tenant, however many call at once', async () => {
    const { target, keyId, tenantId } = await world.customer();
    const { vaults } = world.clients();
    const secrets = Array.from({ length: 20 }, () => wrapped());
    const results = await Promise.all(secrets.map(({ ciphertext }) => vaults.unwrap(target, { keyId, ciphertext })));
    const opened = results.map((result) => Buffer.from(valueOf(result)).toString('hex'));
    expect(opened).toEqual(secrets.map(({ plaintext }) => plaintext.toString('hex')));
    expect(world.asked().filter((line) => line.startsWith('challenge'))).toHaveLength(1);
    expect(world.asked().filter((line) => line === 'unwrapkey 200')).toHaveLength(20);
    expect(world.asked()).toHaveLength(21);
    const tokens = world.tokensAskedFor(tenantId).filter(({ operation }) => operation === 'token');
    expect(tokens).toHaveLength(1);
    await vaults.readKey(target);
    expect(world.asked()).toHaveLength(22);
  });

  it('works with a key that has expired or is not valid yet, as the service allows', async () => {
    const { target, keyId, host } = await world.customer();
    const { plaintext, ciphertext } = wrapped();
    const { vaults } = world.clients();
    for (const dates of [{ expires: nowSeconds() - HOUR_SECONDS }, { notBefore: nowSeconds() + HOUR_SECONDS }]) {
      await world.vaultCall('PATCH', `/vaults/${host}/keys/${KEY_NAME}`, dates);
      expect(Buffer.from(valueOf(await vaults.unwrap(target, { keyId, ciphertext })))).toEqual(plaintext);
    }
  });

  it('works with an older version after a rotation', async () => {
    const { target, keyId, host } = await world.customer();
    const { plaintext, ciphertext } = wrapped();
    await world.addVersion(host, KEY_NAME, 'rsa-2048-3');
    const opened = await world.clients().vaults.unwrap(target, { keyId, ciphertext });
    expect(Buffer.from(valueOf(opened))).toEqual(plaintext);
  });

  it('works at the vendor’s own vault with the app’s identity, and asks Entra for nothing', async () => {
    const { target, keyId } = await world.vendor();
    const { plaintext, ciphertext } = wrapped('rsa-2048-2');
    const opened = await world.clients().vaults.unwrap(target, { keyId, ciphertext });
    expect(Buffer.from(valueOf(opened))).toEqual(plaintext);
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it.each([
    ['ForbiddenByFirewall', 'vault-firewall'],
    ['ForbiddenByRbac', 'access-denied-rbac'],
    ['KeyDisabled', 'key-disabled'],
  ])('that the vendor’s own vault refuses (%s) is the vendor’s move, and a customer’s is not', async (inner, code) => {
    const { ciphertext } = wrapped('rsa-2048-2');
    const body = { error: { code: 'Forbidden', message: 'No.', innererror: { code: inner } } };
    world.azure.keyVault.control.plant({ operation: 'unwrapkey', effect: { status: 403, body } });
    const { vaults } = world.clients();
    const [vendor, customer] = [await world.vendor(), await world.customer()];
    const own = failureOf(await vaults.unwrap(vendor.target, { keyId: vendor.keyId, ciphertext }));
    const theirs = failureOf(await vaults.unwrap(customer.target, { keyId: customer.keyId, ciphertext }));
    expect([own.code, own.owner, theirs.code, theirs.owner]).toEqual([code, 'vendor', code, 'azure-admin']);
    expect(own.message).toMatch(/^The vendor's own vault fails: /);
    expect(theirs.message).not.toMatch(/own vault/);
  });

  it('sends nothing when the wrap names another vault or another key than its provider’s', async () => {
    const { target, keyId } = await world.customer();
    const other = await world.customer();
    const { vaults } = world.clients();
    const { ciphertext } = wrapped();
    for (const wrong of [other.keyId, keyId.replace(KEY_NAME, 'other'), 'nonsense', `${keyId}/more`]) {
      const failure = failureOf(await vaults.unwrap(target, { keyId: wrong, ciphertext }));
      expect(failure).toMatchObject({ code: 'key-substituted', kind: 'integrity' });
    }
    expect(world.asked()).toEqual([]);
  });
});

describe('a vault of another tenant than the pinned one', () => {
  it('is asked for its challenge only, and no token is asked for', async () => {
    const { target, keyId, host, tenantId } = await world.customer();
    const other = '99999999-9999-4999-8999-999999999999';
    await world.vaultCall('PATCH', `/vaults/${host}`, { challengeTenantId: other });
    const { vaults } = world.clients();
    const { ciphertext } = wrapped();
    const results = [await vaults.readKey(target), await vaults.unwrap(target, { keyId, ciphertext })];
    for (const result of results) {
      expect(failureOf(result)).toMatchObject({ code: 'wrong-entra-tenant', facts: { vaultHost: host, tenantId } });
    }
    expect(world.asked()).toEqual(['challenge 401', 'challenge 401']);
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it('gets no token for its own tenant either when it moves there later', async () => {
    const { target, keyId, host, tenantId } = await world.customer();
    const thief = await world.customer();
    const { vaults } = world.clients();
    const { ciphertext } = wrapped();
    valueOf(await vaults.unwrap(target, { keyId, ciphertext }));
    world.forgetRequests();
    const challenge = `Bearer authorization="https://login.windows.net/${thief.tenantId}", resource="https://vault.azure.net"`;
    world.azure.keyVault.control.plant({
      operation: 'unwrapkey',
      effect: { status: 401, headers: { 'WWW-Authenticate': challenge }, body: {} },
    });
    const failure = failureOf(await vaults.unwrap(target, { keyId, ciphertext }));
    expect(failure).toMatchObject({ code: 'wrong-entra-tenant', facts: { vaultHost: host, tenantId } });
    expect(world.asked()).toEqual(['unwrapkey 401']);
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it('is told by AKV10032 when it only refuses the token', async () => {
    const { target, host } = await world.customer();
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    const message =
      'AKV10032: Invalid issuer. Expected one of https://sts.windows.net/1/, found https://sts.windows.net/2/.';
    world.azure.keyVault.control.plant({
      operation: 'get',
      target: `${host}/${KEY_NAME}`,
      effect: { status: 401, body: { error: { code: 'Unauthorized', message } } },
    });
    expect(failureOf(await vaults.readKey(target)).code).toBe('wrong-entra-tenant');
    expect(world.asked()).toEqual(['challenge 401', 'get 200', 'get 401']);
  });

  it('cannot have a token for another audience', async () => {
    const { target, keyId, tenantId } = await world.customer();
    const { ciphertext } = wrapped();
    for (const resource of ['https://azure.net', 'https://graph.microsoft.com', 'https://vault.azure.net/']) {
      world.reset();
      const challenge = `Bearer authorization="https://login.windows.net/${tenantId}", resource="${resource}"`;
      world.azure.keyVault.control.plant({
        operation: 'challenge',
        effect: { status: 401, headers: { 'WWW-Authenticate': challenge } },
      });
      expect(failureOf(await world.clients().vaults.unwrap(target, { keyId, ciphertext })).code).toBe('vault-error');
      expect(world.azure.entra.control.requests()).toEqual([]);
    }
  });
});

describe('a vault’s refusal', () => {
  interface Refusal {
    readonly code: FailureCode;
    readonly asked: string;
    arrange(customer: Customer): unknown;
  }
  const settings =
    (body: object) =>
    ({ host }: Customer): Promise<unknown> =>
      world.vaultCall('PATCH', `/vaults/${host}`, body);
  const key =
    (body: object) =>
    ({ host }: Customer): Promise<unknown> =>
      world.vaultCall('PATCH', `/vaults/${host}/keys/${KEY_NAME}`, body);
  const fault = (effect: object) => (): void => world.azure.keyVault.control.plant({ operation: 'unwrapkey', effect });
  const REFUSALS: Record<string, Refusal> = {
    'no role': {
      code: 'access-denied-rbac',
      asked: 'unwrapkey 403',
      arrange: ({ host }) => world.vaultCall('DELETE', `/vaults/${host}/role-assignments/app`, {}),
    },
    'no access policy': {
      code: 'access-denied-policy',
      asked: 'unwrapkey 403',
      arrange: settings({ permissionModel: 'access-policy' }),
    },
    'no access policy, in the words of 2020': {
      code: 'access-denied-policy',
      asked: 'unwrapkey 403',
      arrange: settings({ permissionModel: 'access-policy', policyInnerCode: 'AccessDenied' }),
    },
    'its firewall': {
      code: 'vault-firewall',
      asked: 'unwrapkey 403',
      arrange: settings({ firewall: ['203.0.113.7'], clientAddress: '198.51.100.4' }),
    },
    'private endpoints only': {
      code: 'vault-private-only',
      asked: 'unwrapkey 403',
      arrange: settings({ privateOnly: true }),
    },
    'a disabled key': { code: 'key-disabled', asked: 'unwrapkey 403', arrange: key({ enabled: false }) },
    'a key that may not unwrap': {
      code: 'key-operation-not-permitted',
      asked: 'unwrapkey 403',
      arrange: key({ keyOps: ['sign'] }),
    },
    'a deleted key': {
      code: 'key-not-found',
      asked: 'unwrapkey 404',
      arrange: ({ host }) => world.vaultCall('DELETE', `/vaults/${host}/keys/${KEY_NAME}`),
    },
    throttling: {
      code: 'throttled',
      asked: 'unwrapkey 429',
      arrange: fault({
        status: 429,
        headers: { 'Retry-After': '1' },
        body: { error: { code: 'Throttled', message: 'x' } },
      }),
    },
    'trouble of its own': {
      code: 'vault-unreachable',
      asked: 'unwrapkey 503',
      arrange: fault({ status: 503, body: {} }),
    },
    'a request that took too long': {
      code: 'vault-unreachable',
      asked: 'unwrapkey 408',
      arrange: fault({ status: 408 }),
    },
    'a cut connection': { code: 'vault-unreachable', asked: 'unwrapkey 0', arrange: fault({ drop: 'before-acting' }) },
    'an answer that is lost': {
      code: 'vault-unreachable',
      asked: 'unwrapkey 0',
      arrange: fault({ drop: 'after-acting' }),
    },
    'no answer at all': { code: 'vault-unreachable', asked: 'unwrapkey 0', arrange: fault({ hang: true }) },
    'an unknown status': {
      code: 'vault-error',
      asked: 'unwrapkey 418',
      arrange: fault({ status: 418, body: 'teapot' }),
    },
    'a page of HTML': {
      code: 'vault-error',
      asked: 'unwrapkey 200',
      arrange: fault({ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>login</html>' }),
    },
    'broken JSON': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ status: 200, body: '{"kid":' }) },
    'an empty answer': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ status: 200, body: '' }) },
    'JSON that is no object': {
      code: 'vault-error',
      asked: 'unwrapkey 200',
      arrange: fault({ status: 200, body: 'null' }),
    },
    'a value of the wrong type': {
      code: 'vault-error',
      asked: 'unwrapkey 200',
      arrange: fault({ mergeBody: { value: { length: 32 } } }),
    },
    'no value': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ mergeBody: { value: null } }) },
    'no key id': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ mergeBody: { kid: null } }) },
    'an error without words': {
      code: 'vault-error',
      asked: 'unwrapkey 403',
      arrange: fault({ status: 403, body: { error: 'no' } }),
    },
    'an error whose parts have wrong types': {
      code: 'vault-error',
      asked: 'unwrapkey 403',
      arrange: fault({ status: 403, body: { error: { code: {}, message: 7, innererror: [] } } }),
    },
    'a redirect': {
      code: 'vault-error',
      asked: 'unwrapkey 307',
      arrange: fault({ status: 307, headers: { Location: 'https://elsewhere.vault.azure.net/keys' } }),
    },
    'another key’s id': {
      code: 'key-substituted',
      asked: 'unwrapkey 200',
      arrange: fault({ mergeBody: { kid: 'https://other.vault.azure.net/keys/customer-key/0123456789abcdef' } }),
    },
    'another version’s id': {
      code: 'key-substituted',
      asked: 'unwrapkey 200',
      arrange: ({ keyId }) =>
        fault({ mergeBody: { kid: keyId.replace(/.$/, (last) => (last === '0' ? '1' : '0')) } })(),
    },
    'an answer over 64 KiB': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ bodyBytes: 65_537 }) },
    'an answer without end': { code: 'vault-error', asked: 'unwrapkey 200', arrange: fault({ bodyBytes: -1 }) },
    'a refused token': {
      code: 'vault-error',
      asked: 'unwrapkey 401',
      arrange: fault({
        status: 401,
        body: { error: { code: 'Unauthorized', message: 'AKV10022: Invalid audience.' } },
      }),
    },
  };

  test.each(Object.keys(REFUSALS))('%s has its code and is asked once', async (name) => {
    const refusal = REFUSALS[name]!;
    const customer = await world.customer();
    // Its limit must run out only where nothing else ends the call.
    const { vaults } = world.clients(name === 'no answer at all' ? { timeoutMs: HASTY_MS } : {});
    valueOf(await vaults.readKey(customer.target));
    await refusal.arrange(customer);
    world.azure.keyVault.control.clearRequests();
    const { keyId, target } = customer;
    const { ciphertext } = wrapped();
    expect(failureOf(await vaults.unwrap(target, { keyId, ciphertext })).code).toBe(refusal.code);
    expect(world.asked()).toEqual([refusal.asked]);
  });

  it('carries the facts, the service’s code and its correlation id', async () => {
    const { target, principalId } = await world.customer({ assigned: false });
    const failure = failureOf(await world.clients().vaults.readKey(target));
    expect(failure).toMatchObject({
      code: 'access-denied-rbac',
      facts: { vaultHost: target.host, keyName: KEY_NAME, tenantId: target.tenantId, principalId },
      service: { status: 403, code: 'ForbiddenByRbac' },
    });
    expect(failure.service?.correlationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(failure.facts.resourceId).toMatch(/^\/subscriptions\//i);
  });

  it('of a key that does not exist, or a version that does not, is key-not-found', async () => {
    const { target } = await world.customer();
    const { vaults } = world.clients();
    expect(failureOf(await vaults.readKey({ ...target, keyName: 'none' })).code).toBe('key-not-found');
    expect(failureOf(await vaults.readKey(target, '0'.repeat(32))).code).toBe('key-not-found');
  });

  it('to name a key’s parts is no key: wrong types, missing fields, another key’s id', async () => {
    const { target } = await world.customer();
    const { vaults } = world.clients();
    const answers: [object, FailureCode][] = [
      [{ attributes: { enabled: 'yes' } }, 'vault-error'],
      [{ attributes: { exp: 'soon' } }, 'vault-error'],
      [{ attributes: { exp: 1e300 } }, 'vault-error'],
      [{ key: { n: 'not base64!' } }, 'vault-error'],
      [{ key: { n: null } }, 'vault-error'],
      [{ key: { key_ops: 'all' } }, 'vault-error'],
      [{ key: { kty: 7 } }, 'vault-error'],
      [{ key: { kid: 'nonsense' } }, 'vault-error'],
      [{ key: { kid: 'https://other.vault.azure.net/keys/customer-key/1' } }, 'key-substituted'],
      [{ key: { kid: `https://${target.host}/keys/other/1` } }, 'key-substituted'],
    ];
    for (const [mergeBody, code] of answers) {
      world.azure.keyVault.control.plant({
        operation: 'get',
        times: 1,
        effect: { mergeBody: mergeBody as Record<string, unknown> },
      });
      expect([mergeBody, failureOf(await vaults.readKey(target)).code]).toEqual([mergeBody, code]);
    }
    expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
  });
});

describe('a vault that is not there', () => {
  it('is vault-not-found when its name does not exist', async () => {
    const { target, host } = await world.customer();
    await world.vaultCall('DELETE', `/vaults/${host}`);
    expect(failureOf(await world.clients().vaults.readKey(target)).code).toBe('vault-not-found');
    expect(world.azure.entra.control.requests()).toEqual([]);
  });

  it('is vault-not-found also for clients that knew it', async () => {
    const { target, host, keyId } = await world.customer();
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    await world.vaultCall('DELETE', `/vaults/${host}`);
    const { ciphertext } = wrapped();
    expect(failureOf(await vaults.unwrap(target, { keyId, ciphertext })).code).toBe('vault-not-found');
    await world.vaultCall('POST', `/vaults/${host}/recover`);
    await world.assign({ host, principalId: (await world.customer()).principalId });
    expect(failureOf(await vaults.unwrap(target, { keyId, ciphertext })).code).toBe('access-denied-rbac');
  });

  it.each([
    ['refuses to talk', { drop: 'before-acting' }, 'vault-unreachable'],
    ['never answers', { hang: true }, 'vault-unreachable'],
    ['has trouble', { status: 500, body: {} }, 'vault-unreachable'],
    ['is throttled', { status: 429, body: {} }, 'throttled'],
    ['demands no token', { status: 200, body: {} }, 'vault-error'],
    ['sends us elsewhere', { status: 302, headers: { Location: 'https://a.vault.azure.net' } }, 'vault-error'],
    ['names no tenant', { status: 401, body: {} }, 'vault-error'],
    [
      'names a tenant that is none',
      {
        status: 401,
        headers: {
          'WWW-Authenticate':
            'Bearer authorization="https://login.windows.net/common", resource="https://vault.azure.net"',
        },
      },
      'vault-error',
    ],
  ] as const)(
    'that %s at the challenge gets no token, and is met afresh the next time',
    async (_name, effect, code) => {
      const { target } = await world.customer();
      const { vaults } = world.clients('hang' in effect ? { timeoutMs: HASTY_MS } : {});
      world.azure.keyVault.control.plant({ operation: 'challenge', times: 1, effect });
      expect(failureOf(await vaults.readKey(target)).code).toBe(code);
      expect(world.azure.entra.control.requests()).toEqual([]);
      expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
    },
  );

  it('is not asked at all under a suffix that is not allowed', async () => {
    const { target } = await world.customer();
    for (const host of ['a.example.com', 'evil.vault.azure.net.example.com', 'x.y.vault.azure.net', '127.0.0.1']) {
      expect(failureOf(await world.clients().vaults.readKey({ ...target, host })).code).toBe('vault-host-not-allowed');
    }
    expect(world.asked()).toEqual([]);
  });

  it('that is silent holds up nobody else: callers of one client share its failure', async () => {
    const { target, keyId } = await world.customer();
    const { vaults } = world.clients({ timeoutMs: HASTY_MS });
    world.azure.keyVault.control.plant({ operation: 'challenge', effect: { hang: true } });
    const { ciphertext } = wrapped();
    const results = await Promise.all(Array.from({ length: 10 }, () => vaults.unwrap(target, { keyId, ciphertext })));
    expect(new Set(results.map((result) => failureOf(result).code))).toEqual(new Set(['vault-unreachable']));
    expect(world.asked()).toEqual(['challenge 0']);
  });

  it.each(['get', 'unwrapkey'] as const)(
    'that is silent at %s is waited for no longer than its asker wants, and the next is answered',
    async (operation) => {
      const { target, keyId } = await world.customer();
      const { vaults } = world.clients();
      const { ciphertext } = wrapped();
      valueOf(await vaults.unwrap(target, { keyId, ciphertext }));
      world.azure.keyVault.control.plant({ operation, times: 1, effect: { hang: true } });
      const leaving = new AbortController();
      const waiting =
        operation === 'get'
          ? vaults.readKey(target, undefined, leaving.signal)
          : vaults.unwrap(target, { keyId, ciphertext }, leaving.signal);
      await vi.waitFor(() =>
        expect(world.asked().filter((asked) => asked.startsWith(operation)).length).toBeGreaterThan(
          operation === 'get' ? 0 : 1,
        ),
      );
      leaving.abort();
      expect((await waiting).ok).toBe(false);
      expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
      valueOf(await vaults.unwrap(target, { keyId, ciphertext }));
    },
  );
});

describe('tokens', () => {
  it('are asked for anew when a vault denies one: an app installed again has another principal', async () => {
    const { target, host, tenantId } = await world.customer();
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    await world.entraCall('DELETE', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    const principalId = await world.consent(tenantId);
    await world.assign({ host, principalId });
    world.laterMs = 61_000;
    expect(failureOf(await vaults.readKey(target)).code).toBe('access-denied-rbac');
    expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
  });

  it('are not asked for again with every denial', async () => {
    const { target, tenantId } = await world.customer({ assigned: false });
    const { vaults } = world.clients();
    for (let call = 0; call < 5; call += 1) failureOf(await vaults.readKey(target));
    expect(world.tokensAskedFor(tenantId).filter(({ operation }) => operation === 'token')).toHaveLength(1);
  });

  it('that run out after consent was withdrawn end in a refusal, and in nothing that nobody awaits', async () => {
    const { target, tenantId } = await world.customer();
    await world.entraCall('PATCH', '/settings', { tokenLifetimeSeconds: 100 });
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    await world.entraCall('DELETE', `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    world.laterMs = 40_000;
    expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
    // A new one is due, and refused: the old one, good for another while, is used no more.
    world.laterMs = 60_000;
    expect(failureOf(await vaults.readKey(target)).code).toBe('consent-required');
    world.laterMs = 120_000;
    expect(failureOf(await vaults.readKey(target)).code).toBe('consent-required');
    await world.entraCall('PATCH', '/settings', { tokenLifetimeSeconds: 3_599 });
  });

  it.each([
    ['the app was removed', 'DELETE', undefined],
    ['the app was disabled', 'PUT', { enabled: false }],
  ])('are used no longer than promised after %s, though the vault would take them', async (_, method, body) => {
    const { target, tenantId } = await world.customer();
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    await world.entraCall(method, `/tenants/${tenantId}/service-principals/${CONNECTOR_APP_ID}`, body);
    world.laterMs = TOKEN_MAX_AGE_MS / 2 - 5_000;
    // Key Vault looks at the token and at the roles of its object id, and not at what has become of that.
    expect(valueOf(await vaults.readKey(target)).enabled).toBe(true);
    world.laterMs = TOKEN_MAX_AGE_MS;
    expect(failureOf(await vaults.readKey(target)).code).toBe('consent-required');
    expect(failureOf(await vaults.readKey(target)).code).toBe('consent-required');
  });

  it('are had anew from Entra, and not from the library that kept them', async () => {
    const { target, tenantId } = await world.customer();
    const { vaults } = world.clients();
    for (const turn of [0, 1, 2]) {
      world.laterMs = turn * TOKEN_MAX_AGE_MS;
      valueOf(await vaults.readKey(target));
    }
    expect(world.tokensAskedFor(tenantId).map(({ operation }) => operation)).toEqual(['token', 'token', 'token']);
  });

  it('are asked for with the claims that a vault demands, and the call goes again with its body', async () => {
    const { target, keyId, tenantId } = await world.customer();
    const { vaults } = world.clients();
    const { plaintext, ciphertext } = wrapped();
    valueOf(await vaults.unwrap(target, { keyId, ciphertext }));
    world.forgetRequests();
    const claims = Buffer.from('{"access_token":{"nbf":{"essential":true,"value":"1"}}}').toString('base64');
    const challenge =
      `Bearer authorization="https://login.windows.net/${tenantId}", resource="https://vault.azure.net", ` +
      `error="insufficient_claims", claims="${claims}"`;
    world.azure.keyVault.control.plant({
      operation: 'unwrapkey',
      times: 2,
      effect: { status: 401, headers: { 'WWW-Authenticate': challenge }, body: {} },
    });
    expect(Buffer.from(valueOf(await vaults.unwrap(target, { keyId, ciphertext })))).toEqual(plaintext);
    expect(world.asked().at(-1)).toBe('unwrapkey 200');
    expect(world.tokensAskedFor(tenantId)).toHaveLength(1);
  });

  it.each(['%%%', 'A', 'bm8ganNvbg==', 'WzFd'])('are not asked for with claims that are none: %s', async (claims) => {
    const { target, tenantId } = await world.customer();
    const { vaults } = world.clients();
    valueOf(await vaults.readKey(target));
    world.forgetRequests();
    const challenge =
      `Bearer authorization="https://login.windows.net/${tenantId}", resource="https://vault.azure.net", ` +
      `error="insufficient_claims", claims="${claims}"`;
    world.azure.keyVault.control.plant({
      operation: 'get',
      effect: { status: 401, headers: { 'WWW-Authenticate': challenge }, body: {} },
    });
    expect(failureOf(await vaults.readKey(target)).code).toBe('vault-error');
    expect(world.asked()).toEqual(['get 401']);
    expect(world.tokensAskedFor(tenantId)).toEqual([]);
  });
});
