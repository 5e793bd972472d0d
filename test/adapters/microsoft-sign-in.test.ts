import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../local/browser/browser.ts';
import { CONNECTOR_APP_ID } from '../../local/identities.ts';
import { GLOBAL_ADMINISTRATOR } from '../../shared/identity/entra/admin.ts';
import type { SignInCallback } from '../../shared/identity/identity.ts';
import type { SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';
import { refusedAtMicrosoft } from '../identity/judged.ts';
import { SignInWorld } from './sign-in-world.ts';
import { failureOf, valueOf } from './vault-world.ts';

const HOUR_SECONDS = 3_600;
const OTHER_APP = '22222222-0000-4000-8000-000000000099';

let world: SignInWorld;
let signIns: SignInClients;
let tenantId: string;
let grace: string;

beforeAll(async () => {
  world = await SignInWorld.start();
  ({ tenantId, grace } = await world.tenant([GLOBAL_ADMINISTRATOR]));
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.reset();
  signIns = world.signIns();
});

type Callback = SignInCallback & { readonly tenantId: string };
const signedIn = (userName = grace): Promise<Callback> => world.throughMicrosoft(signIns, { tenantId, userName });
const codeOf = async (callback: Callback): Promise<string> => failureOf(await signIns.microsoft.redeem(callback)).code;

describe('the address of a sign-in', () => {
  it("is the tenant's own, asks for who it is and no more, and gives away no verifier", async () => {
    const request = { ...world.request(), tenantId };
    const address = new URL(valueOf(await signIns.microsoft.url(request)));
    expect(address.origin + address.pathname).toBe(
      `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/authorize`,
    );
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: CONNECTOR_APP_ID,
      response_type: 'code',
      scope: 'openid profile',
      redirect_uri: request.redirectUri,
      state: request.state,
      nonce: request.nonce,
      code_challenge_method: 'S256',
      prompt: 'login',
    });
    // Entra ends the ID token that long after the sign-in.
    expect(address.searchParams.has('max_age')).toBe(false);
    expect(address.href).not.toContain(request.codeVerifier);
  });

  it('of admin consent is that tenant too', () => {
    const address = new URL(
      signIns.microsoft.adminConsentUrl({ tenantId, redirectUri: 'https://k.example/callback', state: 's' }),
    );
    expect(address.origin + address.pathname).toBe(`https://login.microsoftonline.com/${tenantId}/v2.0/adminconsent`);
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: CONNECTOR_APP_ID,
      scope: 'openid profile',
      redirect_uri: 'https://k.example/callback',
      state: 's',
    });
  });

  it('is not to be had of a tenant that Entra does not know', async () => {
    const answer = await signIns.microsoft.url({ ...world.request(), tenantId: randomUUID() });
    expect(failureOf(answer).code).toBe('entra-tenant-not-found');
  });

  it.each([
    ['is away', { status: 503 }, 'entra-unreachable'],
    ['is too busy', { status: 429 }, 'entra-throttled'],
    ['cuts the connection', { drop: 'before-acting' as const }, 'entra-unreachable'],
    ['answers something else', { status: 200, body: '<html></html>' }, 'entra-error'],
    ['answers without end', { bodyBytes: -1 }, 'entra-error'],
    ['names another issuer', { mergeBody: { issuer: 'https://login.microsoftonline.com/x/v2.0' } }, 'entra-error'],
    [
      'names whatever issuer a token has',
      { mergeBody: { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' } },
      'entra-error',
    ],
  ])('is not to be had while Entra %s', async (_trouble, effect, expected) => {
    world.azure.entra.control.plant({ operation: 'discovery', effect });
    const answer = await signIns.microsoft.url({ ...world.request(), tenantId });
    expect(failureOf(answer).code).toBe(expected);
  });

  it('costs one look at the metadata for many', async () => {
    await signIns.microsoft.url({ ...world.request(), tenantId });
    await signIns.microsoft.url({ ...world.request(), tenantId });
    expect(world.asked('entra', 'discovery')).toHaveLength(1);
  });
});

describe('an administrator who signed in', () => {
  it('is known by tenant, object id and roles', async () => {
    const person = valueOf(await signIns.microsoft.redeem(await signedIn()));
    expect(person).toMatchObject({ tenantId, displayName: grace });
    expect(person.objectId).toMatch(/^[0-9a-f-]{36}$/);
    expect(refusedAtMicrosoft(person, tenantId)).toBeUndefined();
  });

  it('costs one code, which the app redeems with its assertion and no secret', async () => {
    await signIns.microsoft.redeem(await signedIn());
    const [token, ...more] = world.asked('entra', 'token');
    expect(token?.detail).toMatchObject({ grant: 'authorization_code', proof: 'assertion' });
    expect(more).toEqual([]);
  });

  it('has no roles to show where the manifest does not ask for them', async () => {
    await world.entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { groupMembershipClaims: 'None' });
    try {
      expect(valueOf(await signIns.microsoft.redeem(await signedIn()))).not.toHaveProperty('roleTemplateIds');
    } finally {
      await world.entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { groupMembershipClaims: 'DirectoryRole' });
    }
  });

  it('has signed in for this, whatever session there is in the browser; without the prompt the session counts, with its time', async () => {
    const browser = new Browser();
    const since = async (spoil = (address: URL) => address): Promise<number> => {
      const request = { ...world.request(), tenantId };
      const address = spoil(new URL(valueOf(await signIns.microsoft.url(request)))).href;
      const query = await world.comeBackIn(browser, address, { provider: 'microsoft', userName: grace });
      const { authenticatedAt } = valueOf(await signIns.microsoft.redeem({ ...request, query }));
      return (Date.now() - (authenticatedAt?.getTime() ?? 0)) / 1000;
    };
    expect(await since()).toBeLessThan(60);
    await world.entra('POST', '/sessions/age', { seconds: HOUR_SECONDS });
    const withoutPrompt = (address: URL): URL => {
      address.searchParams.delete('prompt');
      return address;
    };
    expect(await since(withoutPrompt)).toBeGreaterThanOrEqual(HOUR_SECONDS);
    expect(await since()).toBeLessThan(60);
  });

  it('tells no time where the manifest does not ask for it', async () => {
    await world.entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { optionalIdTokenClaims: [] });
    try {
      expect(valueOf(await signIns.microsoft.redeem(await signedIn()))).not.toHaveProperty('authenticatedAt');
    } finally {
      await world.entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { optionalIdTokenClaims: ['auth_time'] });
    }
  });

  it('has none of the two roles as an ordinary member', async () => {
    const userName = `mallory@${grace.split('@')[1]}`;
    await world.entra('PUT', `/tenants/${tenantId}/users/${userName}`, {});
    const person = valueOf(await signIns.microsoft.redeem(await signedIn(userName)));
    expect(refusedAtMicrosoft(person, tenantId)?.code).toBe('admin-role-missing');
  });
});

describe('a redirect back that is not what it seems', () => {
  it('of another state is refused, and nothing is asked', async () => {
    const callback = await signedIn();
    expect(await codeOf({ ...callback, state: 'another' })).toBe('sign-in-unknown');
    expect(world.asked('entra', 'token')).toEqual([]);
  });

  it.each([
    ['without a code', (query: URLSearchParams) => query.delete('code')],
    ['with an empty code', (query: URLSearchParams) => query.set('code', '')],
    ['with two codes', (query: URLSearchParams) => query.append('code', 'another')],
    ['with two states', (query: URLSearchParams) => query.append('state', query.get('state') ?? '')],
  ])('%s is refused, and nothing is asked', async (_what, spoil) => {
    const callback = await signedIn();
    const query = new URLSearchParams(callback.query);
    spoil(query);
    expect(await codeOf({ ...callback, query: query.toString() })).toBe('sign-in-unknown');
    expect(world.asked('entra', 'token')).toEqual([]);
  });

  it.each([
    ['iss', 'https://evil.example'],
    ['response', 'e30.e30.'],
    ['id_token', 'e30.e30.'],
  ])('with a parameter of another protocol (%s) is refused', async (name, value) => {
    const callback = await signedIn();
    const code = await codeOf({ ...callback, query: `${callback.query}&${name}=${encodeURIComponent(value)}` });
    expect(['sign-in-unknown', 'id-token-invalid']).toContain(code);
    expect(world.asked('entra', 'token')).toEqual([]);
  });

  it('that came before is refused by Entra', async () => {
    const callback = await signedIn();
    valueOf(await signIns.microsoft.redeem(callback));
    expect(await codeOf(callback)).toBe('sign-in-used');
  });

  it('that took too long is refused by Entra', async () => {
    await world.entra('PATCH', '/settings', { codeLifetimeSeconds: 0 });
    try {
      expect(await codeOf(await signedIn())).toBe('sign-in-expired');
    } finally {
      await world.entra('PATCH', '/settings', { codeLifetimeSeconds: 600 });
    }
  });

  it('with a code of another sign-in is refused: its proof key is another', async () => {
    const [callback, stolen] = [await signedIn(), await signedIn()];
    const code = new URLSearchParams(stolen.query).get('code') ?? '';
    expect(await codeOf({ ...callback, query: new URLSearchParams({ code, state: callback.state }).toString() })).toBe(
      'sign-in-other-browser',
    );
  });

  it('with a code that nobody made is refused', async () => {
    const callback = await signedIn();
    const query = new URLSearchParams({ code: 'made-up', state: callback.state }).toString();
    expect(await codeOf({ ...callback, query })).toBe('sign-in-unknown');
  });

  it("with another tenant's code is refused", async () => {
    const other = await world.tenant([GLOBAL_ADMINISTRATOR]);
    const callback = await world.throughMicrosoft(signIns, { tenantId: other.tenantId, userName: other.grace });
    expect(await codeOf({ ...callback, tenantId })).toBe('sign-in-unknown');
  });
});

describe('someone who did not get through', () => {
  it('because the account is of another tenant', async () => {
    const other = await world.tenant([GLOBAL_ADMINISTRATOR]);
    const callback = await world.throughMicrosoft(signIns, { tenantId, userName: other.grace });
    expect(await codeOf(callback)).toBe('sign-in-wrong-tenant');
  });

  it('because they pressed Cancel', async () => {
    const fresh = await world.tenant([GLOBAL_ADMINISTRATOR]);
    await world.entra('DELETE', `/tenants/${fresh.tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    const person = { tenantId: fresh.tenantId, userName: fresh.grace };
    expect(await codeOf(await world.throughMicrosoft(signIns, person, { declines: true }))).toBe('consent-declined');
  });

  it('because the app takes assigned users only, and which error that is is shown', async () => {
    const fresh = await world.tenant([GLOBAL_ADMINISTRATOR]);
    const principal = `/tenants/${fresh.tenantId}/service-principals/${CONNECTOR_APP_ID}`;
    await world.entra('PUT', principal, { assignmentRequired: true });
    const person = { tenantId: fresh.tenantId, userName: fresh.grace };
    const found = failureOf(await signIns.microsoft.redeem(await world.throughMicrosoft(signIns, person)));
    expect(found.code).toBe('sign-in-refused');
    expect(found.message).toContain('AADSTS50105');
  });
});

describe('an ID token', () => {
  const spoilt = async (plan: object): Promise<string> => {
    const callback = await signedIn();
    await world.entra('POST', '/id-tokens/next', plan);
    return await codeOf(callback);
  };
  const nowSeconds = (): number => Math.floor(Date.now() / 1000);

  it.each([
    ['for another app', { overrides: { aud: OTHER_APP } }, 'id-token-wrong-audience'],
    ['for nobody', { overrides: { aud: null } }, 'id-token-invalid'],
    [
      'for several, made for another app',
      { overrides: { aud: [CONNECTOR_APP_ID, OTHER_APP], azp: OTHER_APP } },
      'id-token-wrong-audience',
    ],
    [
      'of another tenant',
      { overrides: { iss: `https://login.microsoftonline.com/${OTHER_APP}/v2.0` } },
      'id-token-wrong-issuer',
    ],
    ['of version 1.0', { overrides: { iss: `https://sts.windows.net/${OTHER_APP}/` } }, 'id-token-wrong-issuer'],
    ['whose tenant contradicts its issuer', { overrides: { tid: OTHER_APP } }, 'id-token-wrong-issuer'],
    ['without a tenant', { overrides: { tid: null } }, 'id-token-wrong-issuer'],
    ["signed by another key under the published one's name", { signature: 'wrong-key' }, 'id-token-wrong-key'],
    ['signed by a key that is not published', { signature: 'unknown-key' }, 'id-token-wrong-key'],
    ['not signed at all', { signature: 'none' }, 'id-token-algorithm'],
    ['signed with the public key as a secret', { signature: 'HS256' }, 'id-token-algorithm'],
    ['that has expired', { shiftSeconds: -2 * HOUR_SECONDS }, 'id-token-expired'],
    ['from the future', { shiftSeconds: HOUR_SECONDS }, 'id-token-from-future'],
    ['not valid yet', { overrides: { nbf: nowSeconds() + HOUR_SECONDS } }, 'id-token-from-future'],
    ['issued later than now', { overrides: { iat: nowSeconds() + HOUR_SECONDS } }, 'id-token-from-future'],
    ['of another sign-in', { overrides: { nonce: 'another' } }, 'id-token-wrong-nonce'],
    ['of no sign-in', { overrides: { nonce: null } }, 'id-token-invalid'],
    ['that never expires', { overrides: { exp: null } }, 'id-token-invalid'],
    ['that expires at a word', { overrides: { exp: 'never' } }, 'id-token-invalid'],
    ['of no user', { overrides: { oid: null } }, 'id-token-invalid'],
    ['of a user with another kind of id', { overrides: { oid: 'grace' } }, 'id-token-invalid'],
    ['of a sign-in in the future', { overrides: { auth_time: nowSeconds() + HOUR_SECONDS } }, 'id-token-from-future'],
    ['of a sign-in at a word', { overrides: { auth_time: 'today' } }, 'id-token-invalid'],
    ['whose roles are no list', { overrides: { wids: GLOBAL_ADMINISTRATOR } }, 'id-token-invalid'],
  ])('%s is refused', async (_what, plan, expected) => {
    expect(await spoilt(plan)).toBe(expected);
  });

  it.each([
    ['nothing', { id_token: null }],
    ['no token', { id_token: 'a word' }],
    ['no JSON', { id_token: 'bm90.anNvbg.c2ln' }],
    ['an encrypted one', { id_token: 'a.b.c.d.e' }],
  ])('that is %s is refused', async (_what, mergeBody) => {
    const callback = await signedIn();
    world.azure.entra.control.plant({ operation: 'token', effect: { mergeBody } });
    expect(await codeOf(callback)).toBe('id-token-invalid');
  });

  it('may come from a clock that is half a minute off', async () => {
    for (const shiftSeconds of [30, -HOUR_SECONDS - 25]) {
      const callback = await signedIn();
      await world.entra('POST', '/id-tokens/next', { shiftSeconds });
      expect(await signIns.microsoft.redeem(callback)).toMatchObject({ ok: true });
    }
  });

  it('signed by a new key of Entra is taken', async () => {
    await signIns.microsoft.redeem(await signedIn());
    await world.entra('POST', '/signing-keys/rotate', {});
    expect(await signIns.microsoft.redeem(await signedIn())).toMatchObject({ ok: true });
  });

  it('is refused as what it is, with no word of it in the failure', async () => {
    const callback = await signedIn();
    await world.entra('POST', '/id-tokens/next', { overrides: { nonce: 'planted-words' } });
    expect(JSON.stringify(failureOf(await signIns.microsoft.redeem(callback)))).not.toContain('planted-words');
  });
});

describe('Entra in trouble while a code is redeemed', () => {
  it.each([
    ['token', { status: 503 }, 'entra-unreachable'],
    ['token', { status: 429 }, 'entra-throttled'],
    ['token', { drop: 'after-acting' as const }, 'entra-unreachable'],
    ['token', { status: 302, headers: { Location: 'https://evil.example/' } }, 'entra-error'],
    ['token', { status: 200, body: '<html></html>' }, 'entra-error'],
    ['token', { status: 200, body: {} }, 'entra-error'],
    ['token', { mergeBody: { token_type: 'unheard-of' } }, 'entra-error'],
    ['token', { bodyBytes: 100_000 }, 'entra-error'],
    ['jwks', { status: 503 }, 'entra-unreachable'],
    ['jwks', { status: 200, body: {} }, 'entra-error'],
    ['jwks', { status: 200, body: { keys: [] } }, 'id-token-wrong-key'],
    ['jwks', { drop: 'before-acting' as const }, 'entra-unreachable'],
  ])('%s: %j is %s', async (operation, effect, expected) => {
    const callback = await signedIn();
    world.azure.entra.control.plant({ operation, effect });
    expect(await codeOf(callback)).toBe(expected);
  });

  it('is not asked at all while the identity gives no assertion', async () => {
    const callback = await signedIn();
    const without = world.signIns({ identityClientId: randomUUID() });
    expect(failureOf(await without.microsoft.redeem(callback)).code).toBe('managed-identity-unavailable');
    expect(world.asked('entra', 'token')).toEqual([]);
  });

  it('says that the app is not installed in the tenant any more', async () => {
    const fresh = await world.tenant([GLOBAL_ADMINISTRATOR]);
    const callback = await world.throughMicrosoft(signIns, { tenantId: fresh.tenantId, userName: fresh.grace });
    await world.entra('DELETE', `/tenants/${fresh.tenantId}/service-principals/${CONNECTOR_APP_ID}`);
    expect(await codeOf(callback)).toBe('consent-required');
  });
});
