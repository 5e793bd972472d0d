import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../local/browser/browser.ts';
import { GOOGLE_CLIENT_ID } from '../../local/identities.ts';
import type { SignInCallback } from '../../shared/identity/identity.ts';
import type { SignInClients } from '../../shared/identity/registry/tenant-kinds.ts';
import { refusedAtGoogle } from '../identity/judged.ts';
import { SignInWorld } from './sign-in-world.ts';
import { failureOf, valueOf } from './vault-world.ts';

const DOMAIN = 'acme.example';
const SOFIA = `sofia@${DOMAIN}`;
const HOUR_SECONDS = 3_600;

let world: SignInWorld;
let signIns: SignInClients;

type Callback = SignInCallback & { readonly tenantId: string };

beforeAll(async () => {
  world = await SignInWorld.start();
  for (const domain of [DOMAIN, 'other.example']) await world.google('PUT', `/domains/${domain}`);
  await world.google('PUT', `/users/${SOFIA}`, { name: 'Sofia', isAdmin: true });
  await world.google('PUT', `/users/dan@${DOMAIN}`, { isDelegatedAdmin: true });
  await world.google('PUT', `/users/uli@${DOMAIN}`, {});
  await world.google('PUT', '/users/olga@other.example', { isAdmin: true });
  await world.google('PUT', '/users/carl@gmail.com', {});
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.reset();
  signIns = world.signIns();
});

const signedIn = (userName = SOFIA): Promise<Callback> => world.throughGoogle(signIns, { domain: DOMAIN, userName });
const codeOf = async (callback: Callback): Promise<string> => failureOf(await signIns.google.redeem(callback)).code;
const verdictOn = async (userName: string): Promise<string | undefined> =>
  refusedAtGoogle(valueOf(await signIns.google.redeem(await signedIn(userName))), DOMAIN)?.code;

describe('the address of a sign-in', () => {
  it('asks for the directory of users, for now only, and hints at the Workspace', async () => {
    const request = world.request();
    const address = new URL(valueOf(await signIns.google.url({ ...request, tenantId: DOMAIN })));
    expect(address.origin).toBe('https://accounts.google.com');
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: GOOGLE_CLIENT_ID,
      response_type: 'code',
      scope:
        'openid email https://www.googleapis.com/auth/admin.directory.user.readonly ' +
        'https://www.googleapis.com/auth/admin.directory.domain.readonly',
      access_type: 'online',
      hd: DOMAIN,
      state: request.state,
      nonce: request.nonce,
      code_challenge_method: 'S256',
      prompt: 'select_account',
    });
    expect(address.href).not.toContain(request.codeVerifier);
  });

  it('is not to be had where the vendor has no OAuth client, nor is a person', async () => {
    const without = world.signIns({ google: 'none' });
    const address = await without.google.url({ ...world.request(), tenantId: DOMAIN });
    expect(failureOf(address).code).toBe('google-not-configured');
    const person = await without.google.redeem({ ...world.request(), tenantId: DOMAIN, query: '' });
    expect(failureOf(person).code).toBe('google-not-configured');
    expect(world.azure.google.control.requests()).toEqual([]);
  });

  it.each([
    ['is away', { status: 500 }, 'google-unreachable'],
    ['cuts the connection', { drop: 'before-acting' as const }, 'google-unreachable'],
    ['answers something else', { status: 200, body: '<html></html>' }, 'google-error'],
    ['names another issuer', { mergeBody: { issuer: 'https://evil.example' } }, 'google-error'],
  ])('is not to be had while Google %s', async (_trouble, effect, expected) => {
    world.azure.google.control.plant({ operation: 'discovery', effect });
    expect(failureOf(await signIns.google.url({ ...world.request(), tenantId: DOMAIN })).code).toBe(expected);
  });
});

describe('who signed in', () => {
  it('is a Super Admin of the Workspace, by its own directory', async () => {
    const person = valueOf(await signIns.google.redeem(await signedIn()));
    expect(person).toMatchObject({ domain: DOMAIN, email: SOFIA, isSuperAdmin: true, isDelegatedAdmin: false });
    expect(refusedAtGoogle(person, DOMAIN)).toBeUndefined();
    expect(world.asked('google', 'users.get').map(({ target }) => target)).toEqual([person.subject]);
  });

  it('is of one Workspace, known by its own id, whose domain somebody has proved to be theirs', async () => {
    await world.google('PUT', `/domains/${DOMAIN}`, { customerId: 'C03abc123' });
    const { workspace } = valueOf(await signIns.google.redeem(await signedIn()));
    expect(workspace).toEqual({ customerId: 'C03abc123', isDomainProved: true });
    await world.google('PUT', `/domains/${DOMAIN}`, { customerId: 'C04later45' });
    const later = valueOf(await signIns.google.redeem(await signedIn()));
    expect(later.workspace).toEqual({ customerId: 'C04later45', isDomainProved: true });
  });

  it('may be of a Workspace that was had by an e-mail address alone', async () => {
    await world.google('PUT', `/domains/${DOMAIN}`, { isVerified: false });
    try {
      const person = valueOf(await signIns.google.redeem(await signedIn()));
      expect([person.isSuperAdmin, refusedAtGoogle(person, DOMAIN)?.code]).toEqual([true, 'google-domain-unproved']);
    } finally {
      await world.google('PUT', `/domains/${DOMAIN}`, { isVerified: true });
    }
  });

  it('is asked of no domain unless a Super Admin', async () => {
    for (const name of ['dan', 'uli']) {
      const person = valueOf(await signIns.google.redeem(await signedIn(`${name}@${DOMAIN}`)));
      expect(person).not.toHaveProperty('workspace');
    }
    expect(world.asked('google', 'domains.get')).toEqual([]);
  });

  it('may be a delegated administrator, which is too little, and is said', async () => {
    const person = valueOf(await signIns.google.redeem(await signedIn(`dan@${DOMAIN}`)));
    expect(person).toMatchObject({ isSuperAdmin: false, isDelegatedAdmin: true });
    expect(await verdictOn(`dan@${DOMAIN}`)).toBe('google-not-super-admin');
  });

  it('may be an ordinary user, whom the directory answers nothing', async () => {
    expect(await verdictOn(`uli@${DOMAIN}`)).toBe('google-not-super-admin');
    expect(world.asked('google', 'users.get').map(({ status }) => status)).toEqual([403]);
  });

  it('may be a Super Admin of another Workspace', async () => {
    expect(await verdictOn('olga@other.example')).toBe('google-wrong-domain');
  });

  it('may have a private account, of which no directory is asked', async () => {
    expect(await verdictOn('carl@gmail.com')).toBe('google-wrong-domain');
    expect(world.asked('google', 'users.get')).toEqual([]);
  });

  it('is known by when they signed in where the vendor has Google tell it: the session of the browser counts', async () => {
    const browser = new Browser();
    const signIn = async (): Promise<Date | undefined> => {
      const request = { ...world.request(), tenantId: DOMAIN };
      const address = valueOf(await signIns.google.url(request));
      const query = await world.comeBackIn(browser, address, { provider: 'google', userName: SOFIA });
      return valueOf(await signIns.google.redeem({ ...request, query })).authenticatedAt;
    };
    expect(await signIn()).toBeUndefined();
    await world.google('PATCH', `/clients/${GOOGLE_CLIENT_ID}/claims`, { sessionAge: true });
    try {
      await world.google('POST', '/sessions/age', { seconds: 3_600 });
      expect(Date.now() - ((await signIn())?.getTime() ?? 0)).toBeGreaterThanOrEqual(3_600_000);
      await browser.cookies.clear();
      expect(Date.now() - ((await signIn())?.getTime() ?? 0)).toBeLessThan(60_000);
    } finally {
      await world.google('PATCH', `/clients/${GOOGLE_CLIENT_ID}/claims`, { sessionAge: false });
    }
  });

  it('may have said no', async () => {
    const callback = await world.throughGoogle(signIns, { domain: DOMAIN, userName: SOFIA }, { declines: true });
    expect(await codeOf(callback)).toBe('consent-declined');
  });

  it('may have taken the permission out', async () => {
    const callback = await signedIn();
    world.azure.google.control.plant({ operation: 'token', effect: { mergeBody: { scope: 'openid email' } } });
    expect(await codeOf(callback)).toBe('consent-declined');
    expect(world.asked('google', 'users.get')).toEqual([]);
  });
});

describe('a code', () => {
  it('counts once', async () => {
    const callback = await signedIn();
    valueOf(await signIns.google.redeem(callback));
    expect(await codeOf(callback)).toBe('sign-in-unknown');
  });

  it('of another sign-in is refused', async () => {
    const [callback, stolen] = [await signedIn(), await signedIn()];
    const code = new URLSearchParams(stolen.query).get('code') ?? '';
    const query = new URLSearchParams({ code, state: callback.state }).toString();
    expect(await codeOf({ ...callback, query })).toBe('sign-in-unknown');
  });

  it('with another state is refused, and nothing is asked', async () => {
    expect(await codeOf({ ...(await signedIn()), state: 'another' })).toBe('sign-in-unknown');
    expect(world.asked('google', 'token')).toEqual([]);
  });

  it('is not redeemed with a wrong secret: that is the move of the vendor', async () => {
    const callback = await signedIn();
    const wrong = world.signIns({ google: { clientId: GOOGLE_CLIENT_ID, clientSecret: 'wrong' } });
    const found = failureOf(await wrong.google.redeem(callback));
    expect(found).toMatchObject({ code: 'google-not-configured', owner: 'vendor' });
  });
});

describe('an ID token', () => {
  it.each([
    ['for another app', { overrides: { aud: 'another' } }, 'id-token-wrong-audience'],
    ['of another issuer', { overrides: { iss: 'https://evil.example' } }, 'id-token-wrong-issuer'],
    ['signed by another key', { signature: 'wrong-key' }, 'id-token-wrong-key'],
    ['not signed at all', { signature: 'none' }, 'id-token-algorithm'],
    ['that has expired', { shiftSeconds: -2 * HOUR_SECONDS }, 'id-token-expired'],
    ['from the future', { shiftSeconds: HOUR_SECONDS }, 'id-token-from-future'],
    ['of another sign-in', { overrides: { nonce: 'another' } }, 'id-token-wrong-nonce'],
    ['without an address', { overrides: { email: null } }, 'id-token-invalid'],
    ['whose Workspace is no text', { overrides: { hd: [DOMAIN] } }, 'id-token-invalid'],
  ])('%s is refused, and the directory is not asked', async (_what, plan, expected) => {
    const callback = await signedIn();
    await world.google('POST', '/id-tokens/next', plan);
    expect(await codeOf(callback)).toBe(expected);
    expect(world.asked('google', 'users.get')).toEqual([]);
  });
});

describe('the directory of users', () => {
  const forbidden = (error: object): object => ({ status: 403, body: { error: { code: 403, ...error } } });

  it.each([
    ['is away', { status: 503 }, 'google-unreachable'],
    ['is too busy', { status: 429 }, 'google-unreachable'],
    ['cuts the connection', { drop: 'after-acting' as const }, 'google-unreachable'],
    ['does not take the token', { status: 401, body: { error: { code: 401 } } }, 'google-error'],
    ['has a quota', forbidden({ errors: [{ reason: 'userRateLimitExceeded' }] }), 'google-unreachable'],
    ['is not enabled', forbidden({ errors: [{ reason: 'accessNotConfigured' }] }), 'google-not-configured'],
    ['is kept from apps', forbidden({ errors: [{ reason: 'domainCannotUseApis' }] }), 'sign-in-refused'],
    ['is switched off', forbidden({ details: [{ reason: 'SERVICE_DISABLED' }] }), 'google-not-configured'],
    ['needs a permission', forbidden({ errors: [{ reason: 'insufficientPermissions' }] }), 'consent-declined'],
    [
      'belongs to a project that is suspended',
      forbidden({ details: [{ reason: 'CONSUMER_SUSPENDED' }] }),
      'google-not-configured',
    ],
    ['refuses for a reason that nobody knows', forbidden({ errors: [{ reason: 'moonPhase' }] }), 'google-error'],
    ['names no customer', { mergeBody: { customerId: null } }, 'google-error'],
    ['answers of another user', { mergeBody: { id: '1' } }, 'google-error'],
    ['answers nothing', { status: 200, body: '' }, 'google-error'],
    ['refuses by a page of somebody else', { status: 403, body: '<html></html>' }, 'google-error'],
    ['is not found by somebody else', { status: 404, body: '' }, 'google-error'],
  ])('that %s proves nothing', async (_trouble, effect, expected) => {
    const callback = await signedIn();
    world.azure.google.control.plant({ operation: 'users.get', effect });
    expect(await codeOf(callback)).toBe(expected);
  });

  it.each([
    ['does not know the user', { status: 404, body: { error: { code: 404 } } }],
    ['leaves out who is an administrator', { mergeBody: { isAdmin: null } }],
    ['says it in words', { mergeBody: { isAdmin: 'true' } }],
    ['refuses without a reason', { status: 403, body: { error: { code: 403 } } }],
    ['refuses whoever is none', forbidden({ errors: [{ reason: 'forbidden' }] })],
    ['refuses in other words', forbidden({ errors: [{ reason: 'notAuthorized' }] })],
    ['has a reason that is no word', forbidden({ errors: [{ reason: 'a <b>' }] })],
  ])('that %s makes nobody a Super Admin', async (_answer, effect) => {
    const callback = await signedIn();
    world.azure.google.control.plant({ operation: 'users.get', effect });
    expect(valueOf(await signIns.google.redeem(callback)).isSuperAdmin).toBe(false);
  });
});

describe('what the directory says of the domain', () => {
  it.each([
    ['is away', { status: 503 }, 'google-unreachable'],
    [
      'needs a permission',
      { status: 403, body: { error: { errors: [{ reason: 'insufficientPermissions' }] } } },
      'consent-declined',
    ],
    ['answers nothing', { status: 200, body: '' }, 'google-error'],
    ['is a page of somebody else', { status: 404, body: '<html></html>' }, 'google-error'],
  ])('proves nothing if it %s', async (_trouble, effect, expected) => {
    const callback = await signedIn();
    world.azure.google.control.plant({ operation: 'domains.get', effect });
    expect(await codeOf(callback)).toBe(expected);
  });

  it.each([
    ['is of another domain', { mergeBody: { domainName: 'other.example' } }],
    ['leaves out whether it is verified', { mergeBody: { verified: null } }],
    ['says it in words', { mergeBody: { verified: 'true' } }],
    ['knows no such domain', { status: 404, body: { error: { code: 404 } } }],
    ['is not told', { status: 403, body: { error: { code: 403 } } }],
  ])('makes no domain a proved one if it %s', async (_answer, effect) => {
    const callback = await signedIn();
    world.azure.google.control.plant({ operation: 'domains.get', effect });
    expect(valueOf(await signIns.google.redeem(callback)).workspace).toMatchObject({ isDomainProved: false });
  });
});
