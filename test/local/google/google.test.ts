import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../../local/browser/browser.ts';
import { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET } from '../../../local/identities.ts';
import { challengeOf } from '../../../local/oidc/pkce.ts';
import { formOf, startApplication, withQuery } from '../people-come-back.ts';
import { control, startLocalAzure, type LocalAzure } from '../real-names.ts';

const READ_DOMAINS = 'https://www.googleapis.com/auth/admin.directory.domain.readonly';
const READ_USERS = 'https://www.googleapis.com/auth/admin.directory.user.readonly';
const VERIFIER = 'v'.repeat(43);

let azure: LocalAzure;
let app: Awaited<ReturnType<typeof startApplication>>;
let browser: Browser;

const google = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  control<T>(azure.google.controlUrl, method, path, body);

beforeAll(async () => {
  azure = await startLocalAzure();
  app = await startApplication();
  await google('POST', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`, { redirectUri: app.redirectUri });
  for (const domain of ['acme.example', 'other.example']) await google('PUT', `/domains/${domain}`);
  await google('PUT', '/users/sofia@acme.example', { name: 'Sofia', isAdmin: true });
  await google('PUT', '/users/dan@acme.example', { name: 'Dan', isDelegatedAdmin: true });
  await google('PUT', '/users/uli@acme.example', { name: 'Uli' });
  await google('PUT', '/users/olga@other.example', { name: 'Olga', isAdmin: true });
  await google('PUT', '/users/carl@gmail.com', { name: 'Carl' });
});
afterAll(async () => {
  await app.close();
  await azure.close();
});

beforeEach(async () => {
  browser = new Browser();
  await google('DELETE', '/id-tokens/next');
});

type Parameters = Record<string, string | undefined>;

const authUrl = (changes: Parameters = {}): string =>
  withQuery('https://accounts.google.com/o/oauth2/v2/auth', {
    client_id: GOOGLE_CLIENT_ID,
    response_type: 'code',
    scope: `openid email profile ${READ_USERS}`,
    redirect_uri: app.redirectUri,
    state: 'acme~1',
    nonce: 'nonce-1',
    hd: 'acme.example',
    access_type: 'online',
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    ...changes,
  });

async function signInAs(email: string, changes: Parameters = {}): Promise<Record<string, string>> {
  await browser.open(authUrl(changes));
  browser.fill('Email or phone', email);
  await browser.press('Next');
  await browser.press('Continue');
  return app.told(browser);
}

interface TokenAnswer {
  readonly id_token?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly error?: string;
  readonly error_description?: string;
}

async function redeem(code: string | undefined, changes: Parameters = {}): Promise<TokenAnswer> {
  const body = formOf({
    grant_type: 'authorization_code',
    client_id: GOOGLE_CLIENT_ID,
    client_secret: GOOGLE_CLIENT_SECRET,
    code,
    redirect_uri: app.redirectUri,
    code_verifier: VERIFIER,
    ...changes,
  });
  return (await (await fetch('https://oauth2.googleapis.com/token', { method: 'POST', body })).json()) as TokenAnswer;
}

async function tokensOf(email: string, changes: Parameters = {}): Promise<TokenAnswer> {
  return await redeem((await signInAs(email, changes))['code']);
}

describe('a sign-in at Google', () => {
  it('gives a code, and the code an ID token that openid-client accepts', async () => {
    const config = await openid.discovery(
      new URL('https://accounts.google.com'),
      GOOGLE_CLIENT_ID,
      {},
      openid.ClientSecretPost(GOOGLE_CLIENT_SECRET),
    );
    const answered = await signInAs('sofia@acme.example');
    expect(answered).toMatchObject({ state: 'acme~1', hd: 'acme.example' });
    const tokens = await openid.authorizationCodeGrant(config, new URL(browser.page.url), {
      expectedNonce: 'nonce-1',
      expectedState: 'acme~1',
      pkceCodeVerifier: VERIFIER,
    });
    expect(tokens.claims()).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: GOOGLE_CLIENT_ID,
      hd: 'acme.example',
      email: 'sofia@acme.example',
      sub: expect.stringMatching(/^[0-9]{21}$/) as string,
    });
    expect(tokens.refresh_token).toBeUndefined();
  });

  it('takes hd as a hint only: the token says which domain it really was, and none for a consumer account', async () => {
    const olga = await tokensOf('olga@other.example');
    expect(decodeJwt(olga.id_token ?? '')['hd']).toBe('other.example');
    const carl = await tokensOf('carl@gmail.com');
    expect(decodeJwt(carl.id_token ?? '')).not.toHaveProperty('hd');
  });

  it('gives a refresh token to who asks for offline access, and to nobody else', async () => {
    expect(await tokensOf('sofia@acme.example')).not.toHaveProperty('refresh_token');
    expect(await tokensOf('sofia@acme.example', { access_type: 'offline' })).toHaveProperty('refresh_token');
  });

  it('that is not allowed comes back with access_denied', async () => {
    await browser.open(authUrl());
    browser.fill('Email or phone', 'sofia@acme.example');
    await browser.press('Next');
    expect(browser.page.title).toBe('Tailspin Backup wants access to your Google Account');
    await browser.press('Cancel');
    expect(app.told(browser)).toEqual({ error: 'access_denied', state: 'acme~1' });
  });

  it('with an address that nobody has asks again', async () => {
    await browser.open(authUrl());
    browser.fill('Email or phone', 'nobody@acme.example');
    await browser.press('Next');
    expect(browser.page.text).toContain("Couldn't find your Google Account");
  });

  it.each<[string, Parameters, string]>([
    ['an unknown client', { client_id: 'unknown' }, 'Error 401: invalid_client'],
    ['an unregistered redirect URI', { redirect_uri: 'https://x.example/' }, 'Error 400: redirect_uri_mismatch'],
    ['another response type', { response_type: 'token' }, 'Error 400: invalid_request'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'Error 400: invalid_request'],
    ['another access type', { access_type: 'forever' }, 'Error 400: invalid_request'],
  ])('with %s ends on a page of Google', async (_, changes, text) => {
    const page = await browser.open(authUrl(changes));
    expect([page.host, page.title, page.text]).toEqual([
      'accounts.google.com',
      'Access blocked: Authorization Error',
      expect.stringContaining(text),
    ]);
  });
});

describe("Google's token endpoint", () => {
  it('redeems a code once', async () => {
    const { code } = await signInAs('sofia@acme.example');
    expect(await redeem(code)).toHaveProperty('id_token');
    expect(await redeem(code)).toEqual({ error: 'invalid_grant', error_description: 'Bad Request' });
  });

  it.each<[string, Parameters, string, string]>([
    ['no secret', { client_secret: undefined }, 'invalid_request', 'client_secret is missing.'],
    ['a wrong secret', { client_secret: 'x' }, 'invalid_client', 'The provided client secret is invalid.'],
    ['an unknown client', { client_id: 'x' }, 'invalid_client', 'The OAuth client was not found.'],
    ['a made-up code', { code: 'x' }, 'invalid_grant', 'Malformed auth code.'],
    ['another redirect URI', { redirect_uri: 'https://x.example/' }, 'redirect_uri_mismatch', 'Bad Request'],
    ['no verifier', { code_verifier: undefined }, 'invalid_grant', 'Missing code verifier.'],
    ['another verifier', { code_verifier: 'w'.repeat(43) }, 'invalid_grant', 'Invalid code verifier.'],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type', 'Invalid grant_type: password'],
  ])('refuses %s', async (_, changes, error, text) => {
    const { code } = await signInAs('sofia@acme.example');
    expect(await redeem(code, changes)).toEqual({ error, error_description: text });
  });

  it('refuses a code that has expired', async () => {
    await google('PATCH', '/settings', { codeLifetimeSeconds: 0 });
    const { code } = await signInAs('sofia@acme.example');
    await google('PATCH', '/settings', { codeLifetimeSeconds: 600 });
    expect(await redeem(code)).toEqual({ error: 'invalid_grant', error_description: 'Bad Request' });
  });

  it('issues a wrong ID token when one was planned', async () => {
    await google('POST', '/id-tokens/next', { overrides: { hd: 'acme.example' } });
    const planned = await tokensOf('carl@gmail.com');
    expect(decodeJwt(planned.id_token ?? '')['hd']).toBe('acme.example');
  });
});

describe('the directory', () => {
  const userOf = async (
    token: string | undefined,
    key: string,
    query = '',
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`https://admin.googleapis.com/admin/directory/v1/users/${key}${query}`, {
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const forbidden = { status: 403, body: { error: { message: 'Not Authorized to access this resource/api' } } };

  it('tells a super administrator from a delegated one', async () => {
    const sofia = await tokensOf('sofia@acme.example');
    expect((await userOf(sofia.access_token, 'sofia@acme.example')).body).toMatchObject({
      primaryEmail: 'sofia@acme.example',
      isAdmin: true,
      isDelegatedAdmin: false,
    });
    const dan = await tokensOf('dan@acme.example');
    const { sub = '' } = decodeJwt(dan.id_token ?? '');
    expect((await userOf(dan.access_token, sub)).body).toMatchObject({ isAdmin: false, isDelegatedAdmin: true });
  });

  it('tells administrators of the domain of their own Workspace, whose id is its own', async () => {
    const domainOf = async (userName: string, customer: string, name: string, scope?: string): Promise<unknown[]> => {
      const { access_token: token } = await tokensOf(userName, { scope: scope ?? `openid email ${READ_DOMAINS}` });
      const url = `https://admin.googleapis.com/admin/directory/v1/customer/${customer}/domains/${name}`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      const { domainName, verified } = (await response.json()) as Record<string, unknown>;
      return [response.status, domainName, verified];
    };
    await google('PUT', '/domains/acme.example', { customerId: 'C03abc123', isVerified: false });
    for (const customer of ['my_customer', 'C03abc123']) {
      expect(await domainOf('sofia@acme.example', customer, 'acme.example')).toEqual([200, 'acme.example', false]);
    }
    await google('PUT', '/domains/acme.example', { isVerified: true });
    expect(await domainOf('sofia@acme.example', 'C03abc123', 'ACME.example')).toEqual([200, 'acme.example', true]);
    expect((await domainOf('sofia@acme.example', 'C03abc123', 'other.example'))[0]).toBe(404);
    expect((await domainOf('olga@other.example', 'C03abc123', 'acme.example'))[0]).toBe(403);
    expect((await domainOf('uli@acme.example', 'my_customer', 'acme.example'))[0]).toBe(403);
    expect((await domainOf('sofia@acme.example', 'my_customer', 'acme.example', `openid email ${READ_USERS}`))[0]).toBe(
      403,
    );
    const sofia = await tokensOf('sofia@acme.example');
    expect((await userOf(sofia.access_token, 'sofia@acme.example')).body['customerId']).toBe('C03abc123');
  });

  it('answers people who administrate nothing with the public view only', async () => {
    const { access_token: token } = await tokensOf('uli@acme.example');
    expect(await userOf(token, 'uli@acme.example')).toMatchObject(forbidden);
    const { status, body } = await userOf(token, 'uli@acme.example', '?viewType=domain_public');
    expect([status, body['primaryEmail']]).toEqual([200, 'uli@acme.example']);
    expect(body).not.toHaveProperty('isAdmin');
  });

  it('answers nobody of another domain, and no consumer account', async () => {
    const olga = await tokensOf('olga@other.example');
    expect(await userOf(olga.access_token, 'sofia@acme.example')).toMatchObject(forbidden);
    const carl = await tokensOf('carl@gmail.com');
    expect(await userOf(carl.access_token, 'carl@gmail.com')).toMatchObject(forbidden);
  });

  it('demands a token, the scope and an existing user', async () => {
    expect((await userOf(undefined, 'sofia@acme.example')).status).toBe(401);
    const narrow = await tokensOf('sofia@acme.example', { scope: 'openid email' });
    expect(await userOf(narrow.access_token, 'sofia@acme.example')).toMatchObject({
      status: 403,
      body: { error: { errors: [{ reason: 'insufficientPermissions' }] } },
    });
    const { access_token: token } = await tokensOf('sofia@acme.example');
    expect(await userOf(token, 'nobody@acme.example')).toMatchObject({
      status: 404,
      body: { error: { message: 'Resource Not Found: userKey' } },
    });
  });
});
