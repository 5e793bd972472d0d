import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../../local/browser/browser.ts';
import { federationClaims } from '../../../local/entra/claims.ts';
import { DIRECTORY_ROLES } from '../../../local/entra/users.ts';
import {
  CONNECTOR_APP_ID,
  MANAGED_IDENTITY_CLIENT_ID,
  MANAGED_IDENTITY_PRINCIPAL_ID,
  VENDOR_TENANT_ID,
} from '../../../local/identities.ts';
import { formOf, startApplication, withQuery } from '../people-come-back.ts';
import { control, startLocalAzure, type LocalAzure } from '../real-names.ts';

const AUTHORITY = 'https://login.microsoftonline.com';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MEMBER = 'b79fbf4d-3ef9-4689-8143-76b194e85509';

let azure: LocalAzure;
let app: Awaited<ReturnType<typeof startApplication>>;
let redirectUri: string;
let count = 0;
let tenant: string;
let admin: string;
let browser: Browser;

beforeAll(async () => {
  azure = await startLocalAzure();
  app = await startApplication();
  ({ redirectUri } = app);
  await entra('POST', `/apps/${CONNECTOR_APP_ID}/redirect-uris`, { redirectUri });
});
afterAll(async () => {
  await app.close();
  await azure.close();
});

const entra = <T>(method: string, path: string, body?: unknown): Promise<T> =>
  control<T>(azure.entra.controlUrl, method, path, body);

const addUser = async (name: string, user: object = {}): Promise<string> => {
  const userName = `${name}@acme${count}.example`;
  await entra('PUT', `/tenants/${tenant}/users/${userName}`, user);
  return userName;
};
const consented = (): Promise<unknown> => entra('PUT', `/tenants/${tenant}/service-principals/${CONNECTOR_APP_ID}`);

beforeEach(async () => {
  count += 1;
  tenant = `00000000-0000-4000-b000-${String(count).padStart(12, '0')}`;
  browser = new Browser();
  await entra('POST', '/tenants', { tenantId: tenant, displayName: 'Acme', domains: [`acme${count}.example`] });
  await entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, {
    groupMembershipClaims: 'DirectoryRole',
    optionalIdTokenClaims: ['auth_time'],
  });
  await entra('DELETE', '/id-tokens/next');
  admin = await addUser('grace', { displayName: 'Grace', roles: [DIRECTORY_ROLES.globalAdministrator] });
});

type Parameters = Record<string, string | undefined>;

const consentUrl = (changes: Parameters = {}): string =>
  withQuery(`${AUTHORITY}/${tenant}/v2.0/adminconsent`, {
    client_id: CONNECTOR_APP_ID,
    scope: 'https://graph.microsoft.com/.default',
    redirect_uri: redirectUri,
    state: 'acme~1',
    ...changes,
  });

const verifier = randomBytes(32).toString('base64url');
const authorizeUrl = (changes: Parameters = {}): string =>
  withQuery(`${AUTHORITY}/${tenant}/oauth2/v2.0/authorize`, {
    client_id: CONNECTOR_APP_ID,
    response_type: 'code',
    response_mode: 'query',
    scope: 'openid profile',
    redirect_uri: redirectUri,
    state: 'acme~2',
    nonce: 'nonce-1',
    prompt: 'login',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  });

async function signInAs(userName: string, url: string): Promise<void> {
  await browser.open(url);
  browser.fill('Email, phone, or Skype', userName);
  await browser.press('Sign in');
}

/** What the application was told when the person came back. */
const told = (): Record<string, string> => app.told(browser);

const assertion = (): string =>
  azure.entra.signer.sign(
    federationClaims({
      tenantId: VENDOR_TENANT_ID,
      clientId: MANAGED_IDENTITY_CLIENT_ID,
      principalId: MANAGED_IDENTITY_PRINCIPAL_ID,
      tokenId: 'id',
      lifetime: { nowMs: Date.now(), seconds: 600 },
    }),
  );

async function codeOf(userName: string, changes: Parameters = {}): Promise<string> {
  await signInAs(userName, authorizeUrl(changes));
  return told()['code'] ?? '';
}

interface TokenAnswer {
  readonly status: number;
  readonly claims: Record<string, unknown>;
  readonly idToken: string;
  readonly error?: string;
  readonly text?: string;
}

async function redeem(code: string, changes: Parameters = {}, at = tenant): Promise<TokenAnswer> {
  const form = {
    grant_type: 'authorization_code',
    client_id: CONNECTOR_APP_ID,
    client_assertion_type: JWT_BEARER,
    client_assertion: assertion(),
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  };
  const response = await fetch(`${AUTHORITY}/${at}/oauth2/v2.0/token`, { method: 'POST', body: formOf(form) });
  const answer = (await response.json()) as { id_token?: string; error?: string; error_description?: string };
  const [text] = (answer.error_description ?? '').split(' Trace ID');
  return {
    status: response.status,
    idToken: answer.id_token ?? '',
    claims: answer.id_token === undefined ? {} : decodeJwt(answer.id_token),
    ...(answer.error === undefined ? {} : { error: answer.error, text: text ?? '' }),
  };
}

describe('admin consent', () => {
  it('of an administrator who accepts makes the service principal, and says so to the app', async () => {
    await signInAs(admin, consentUrl());
    expect(browser.page.title).toBe('Permissions requested');
    await browser.press('Accept');
    expect(told()).toEqual({
      admin_consent: 'True',
      tenant,
      state: 'acme~1',
      scope: 'https://graph.microsoft.com/.default',
    });
    expect(azure.entra.directory.tenant(tenant).servicePrincipals.has(CONNECTOR_APP_ID)).toBe(true);
  });

  it('that is declined comes with admin_consent=True and an error, and changes nothing', async () => {
    await signInAs(admin, consentUrl());
    await browser.press('Cancel');
    const { error_description: description = '', ...rest } = told();
    expect(rest).toEqual({
      admin_consent: 'True',
      error: 'access_denied',
      error_uri: 'https://login.microsoftonline.com/error?code=65004',
      state: 'acme~1',
    });
    expect(description).toMatch(/^AADSTS65004: User declined to consent to access the app\.\r\nTrace ID: /);
    expect(azure.entra.directory.tenant(tenant).servicePrincipals.size).toBe(0);
  });

  it('is not for people without a role: they are told to ask an admin, and come back without', async () => {
    await signInAs(await addUser('paul'), consentUrl());
    expect(browser.page.title).toBe('Need admin approval');
    expect(browser.page.text).toContain('AADSTS90094');
    await browser.press('Return to the application without granting consent');
    expect(told()).toEqual({ error: 'access_denied', error_subcode: 'cancel', state: 'acme~1' });
  });

  it('cannot be given by pressing a button that was not shown', async () => {
    await signInAs(await addUser('paul'), consentUrl());
    const context = browser.page.valueOf('ctx') ?? '';
    const fields = new URLSearchParams({ ctx: context, answer: 'accept' });
    await browser.submit({ method: 'POST', url: `${AUTHORITY}/${tenant}/Consent/Set`, fields }, browser.page.url);
    expect(told()['error_description']).toMatch(/^AADSTS90094: /);
    expect(azure.entra.directory.tenant(tenant).servicePrincipals.size).toBe(0);
  });

  it('is for roles that Entra lets consent, even those that are not enough for Keyswitch', async () => {
    const userName = await addUser('carl', { roles: [DIRECTORY_ROLES.cloudApplicationAdministrator] });
    await signInAs(userName, consentUrl());
    await browser.press('Accept');
    expect(told()['tenant']).toBe(tenant);
  });

  it.each([
    ['an unregistered redirect URI', { redirect_uri: 'http://127.0.0.1:1/callback' }, 'AADSTS50011'],
    ['an app that nobody registered', { client_id: MEMBER }, 'AADSTS700016'],
    ['no redirect URI', { redirect_uri: undefined }, 'AADSTS900144'],
  ])('with %s ends on a page of Entra', async (_, changes, code) => {
    const page = await browser.open(consentUrl(changes));
    expect([page.status, page.host, page.text]).toEqual([
      400,
      'login.microsoftonline.com',
      expect.stringContaining(code),
    ]);
  });

  it('is refused under common', async () => {
    const page = await browser.open(consentUrl().replace(tenant, 'common'));
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('AADSTS900023')]);
  });
});

describe('a sign-in', () => {
  it('gives a code, and the code an ID token that openid-client accepts', async () => {
    await consented();
    const config = await openid.discovery(
      new URL(`${AUTHORITY}/${tenant}/v2.0`),
      CONNECTOR_APP_ID,
      {},
      (_, client, body) => {
        body.set('client_id', client.client_id);
        body.set('client_assertion_type', JWT_BEARER);
        body.set('client_assertion', assertion());
      },
    );
    const expectedNonce = openid.randomNonce();
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      login_hint: admin,
    });
    await browser.open(url.href);
    // The name is filled in already.
    await browser.press('Sign in');
    const tokens = await openid.authorizationCodeGrant(config, new URL(browser.page.url), {
      expectedNonce,
      pkceCodeVerifier,
      expectedState,
    });
    expect(tokens.claims()).toMatchObject({
      aud: CONNECTOR_APP_ID,
      iss: `${AUTHORITY}/${tenant}/v2.0`,
      tid: tenant,
      name: 'Grace',
      preferred_username: admin,
      oid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      wids: [DIRECTORY_ROLES.globalAdministrator, MEMBER],
      ver: '2.0',
    });
  });

  it('says nothing of roles when the manifest does not ask for them', async () => {
    await consented();
    await entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { groupMembershipClaims: 'None' });
    const { claims } = await redeem(await codeOf(admin));
    expect(claims['oid']).toBeDefined();
    expect(claims).not.toHaveProperty('wids');
  });

  it('says of every member that it is one, and nothing of a guest without roles', async () => {
    await consented();
    const plain = await redeem(await codeOf(await addUser('paul')));
    expect(plain.claims['wids']).toEqual([MEMBER]);
    const guest = await redeem(await codeOf(await addUser('gina', { guest: true })));
    expect(guest.claims).not.toHaveProperty('wids');
    expect(guest.claims['sub']).not.toBe(plain.claims['sub']);
  });

  describe('in a browser that has a session', () => {
    const ageMs = ({ claims }: TokenAnswer): number => Date.now() - Number(claims['auth_time']) * 1000;
    const HOUR_MS = 3_600_000;
    beforeEach(async () => {
      await consented();
      await codeOf(admin);
      await entra('POST', '/sessions/age', { seconds: HOUR_MS / 1000 });
    });

    it('goes on without a page, as of the session, and so does prompt=none', async () => {
      for (const prompt of [undefined, 'none']) {
        await browser.open(authorizeUrl({ prompt }));
        expect(ageMs(await redeem(told()['code'] ?? ''))).toBeGreaterThanOrEqual(HOUR_MS);
      }
    });

    it('shows its accounts when the prompt asks for that, and is as of the session all the same', async () => {
      expect(ageMs(await redeem(await codeOf(admin, { prompt: 'select_account' })))).toBeGreaterThanOrEqual(HOUR_MS);
    });

    it.each<[string, Parameters]>([
      ['prompt=login', { prompt: 'login' }],
      ['a max_age that has passed', { max_age: '600' }],
    ])('has to show anew who is there with %s', async (_, changes) => {
      expect(ageMs(await redeem(await codeOf(admin, changes)))).toBeLessThan(60_000);
    });

    it('has none of somebody else', async () => {
      expect(ageMs(await redeem(await codeOf(await addUser('paul'), { prompt: 'select_account' })))).toBeLessThan(
        60_000,
      );
    });
  });

  it('says when it was only if the manifest asks for it, and ends with max_age', async () => {
    await consented();
    const { claims } = await redeem(await codeOf(admin, { max_age: '600' }));
    expect(Number(claims['exp']) - Number(claims['auth_time'])).toBeLessThanOrEqual(600);
    await entra('PATCH', `/apps/${CONNECTOR_APP_ID}/manifest`, { optionalIdTokenClaims: [] });
    expect((await redeem(await codeOf(admin, { prompt: 'login' }))).claims).not.toHaveProperty('auth_time');
  });

  it('to an app that nobody consented to asks first, and leaves a service principal behind', async () => {
    await signInAs(await addUser('paul'), authorizeUrl());
    expect(browser.page.title).toBe('Permissions requested');
    await browser.press('Accept');
    expect((await redeem(told()['code'] ?? '')).status).toBe(200);
    expect(azure.entra.directory.tenant(tenant).servicePrincipals.has(CONNECTOR_APP_ID)).toBe(true);
  });

  it('with a name that nobody has asks again', async () => {
    await signInAs('nobody@acme.example', authorizeUrl());
    expect(browser.page.text).toContain("We couldn't find an account with that username.");
    browser.fill('loginfmt', admin);
    await browser.press('Sign in');
    expect(browser.page.title).toBe('Permissions requested');
  });

  it.each<[string, Parameters, string, string]>([
    ['another response type', { response_type: 'id_token' }, 'unsupported_response_type', 'AADSTS700054'],
    ['another response mode', { response_mode: 'fragment' }, 'invalid_request', 'AADSTS70007'],
    ['a scope without openid', { scope: 'profile' }, 'invalid_scope', 'AADSTS70011'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request', 'AADSTS50149'],
    ['a short challenge', { code_challenge: 'short' }, 'invalid_request', 'AADSTS501491'],
    ['prompt=none', { prompt: 'none' }, 'login_required', 'AADSTS50058'],
  ])('with %s comes back refused', async (_, changes, error, code) => {
    await browser.open(authorizeUrl(changes));
    expect(told()).toMatchObject({ error, state: 'acme~2' });
    expect(told()['error_description']).toMatch(new RegExp(`^${code}: `));
  });

  it('of someone from another tenant comes back with 50020', async () => {
    await consented();
    const [home, foreigner] = [tenant, admin];
    count += 1;
    tenant = `00000000-0000-4000-b000-${String(count).padStart(12, '0')}`;
    await entra('POST', '/tenants', { tenantId: tenant, displayName: 'Other' });
    await signInAs(foreigner, authorizeUrl());
    expect(told()).toMatchObject({ error: 'access_denied', state: 'acme~2' });
    expect(told()['error_description']).toContain(
      `AADSTS50020: User account '{EmailHidden}' from identity provider 'https://sts.windows.net/${home}/' does not exist`,
    );
  });

  it('may be declined, cancelled, blocked by policy or kept for those assigned', async () => {
    await signInAs(admin, authorizeUrl());
    await browser.press('Cancel');
    expect(told()['error']).toBe('consent_required');
    await browser.open(authorizeUrl());
    await browser.press('Back');
    expect(told()).toEqual({ error: 'access_denied', error_subcode: 'cancel', state: 'acme~2' });
    const principal = `/tenants/${tenant}/service-principals/${CONNECTOR_APP_ID}`;
    await entra('PUT', principal, { assignmentRequired: true });
    await signInAs(admin, authorizeUrl());
    expect(told()['error_description']).toMatch(/^AADSTS50105: /);
    await addUser('grace', { assignedApps: [CONNECTOR_APP_ID] });
    expect(await codeOf(admin)).not.toBe('');
    await entra('PUT', principal, { enabled: false });
    await signInAs(admin, authorizeUrl());
    expect(told()['error_description']).toMatch(/^AADSTS7000112: /);
    await entra('PUT', `/tenants/${tenant}/conditional-access/${CONNECTOR_APP_ID}`);
    await signInAs(admin, authorizeUrl());
    expect(told()).toMatchObject({ error: 'access_denied' });
    expect(told()['error_description']).toMatch(/^AADSTS53003: /);
  });

  it('is not answered twice: a page that was sent is over', async () => {
    await signInAs(admin, authorizeUrl());
    browser.back();
    await browser.press('Sign in');
    expect([browser.page.status, browser.page.text]).toEqual([400, expect.stringContaining('AADSTS165000')]);
  });

  it('is logged with who signed in, and never with a code', async () => {
    await consented();
    azure.entra.control.clearRequests();
    const code = await codeOf(admin);
    await redeem(code);
    const log = azure.entra.control.requests();
    expect(log.map(({ operation, status }) => [operation, status])).toEqual([
      ['authorize', 200],
      ['login', 302],
      ['token', 200],
    ]);
    expect(log[1]?.detail).toEqual({ by: admin });
    expect(JSON.stringify(log)).not.toContain(code);
  });
});

describe('a code', () => {
  beforeEach(() => consented());

  it('is redeemed once', async () => {
    const code = await codeOf(admin);
    expect((await redeem(code)).status).toBe(200);
    expect(await redeem(code)).toMatchObject({
      status: 400,
      error: 'invalid_grant',
      text:
        'AADSTS54005: OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an ' +
        'existing refresh token.',
    });
  });

  it('that is refused for another reason can still be redeemed', async () => {
    const code = await codeOf(admin);
    expect((await redeem(code, { code_verifier: 'x'.repeat(43) })).text).toBe(
      'AADSTS501481: The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    );
    expect((await redeem(code)).status).toBe(200);
  });

  it.each<[string, Parameters, string]>([
    ['without its verifier', { code_verifier: undefined }, 'AADSTS50148'],
    ['for another redirect URI', { redirect_uri: 'https://elsewhere.example/' }, 'AADSTS500112'],
    ['that was made up', { code: 'made-up' }, 'AADSTS9002313'],
    ['without the assertion of the app', { client_assertion: undefined }, 'AADSTS7000218'],
    ['with an assertion that is none', { client_assertion: 'none' }, 'AADSTS50027'],
  ])('%s is refused', async (_, changes, code) => {
    expect((await redeem(await codeOf(admin), changes)).text).toMatch(new RegExp(`^${code}: `));
  });

  it('is for one tenant, one app and a short time', async () => {
    const code = await codeOf(admin);
    await entra('PUT', `/tenants/${VENDOR_TENANT_ID}/service-principals/${CONNECTOR_APP_ID}`);
    expect((await redeem(code, {}, VENDOR_TENANT_ID)).text).toMatch(/^AADSTS700005: /);
    const other = '00000000-0000-4000-c000-000000000001';
    await entra('PUT', `/apps/${other}`, { multiTenant: true });
    await entra('PUT', `/tenants/${tenant}/service-principals/${other}`);
    const { value } = await entra<{ value: string }>('POST', `/apps/${other}/secrets`);
    expect((await redeem(code, { client_id: other, client_secret: value })).text).toMatch(/^AADSTS70000: /);
    await entra('PATCH', '/settings', { codeLifetimeSeconds: 0 });
    expect((await redeem(await codeOf(admin))).text).toMatch(/^AADSTS70008: /);
    await entra('PATCH', '/settings', { codeLifetimeSeconds: 600 });
  });
});

describe('the next ID token', () => {
  beforeEach(() => consented());

  const header = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  const next = async (plan: object): Promise<TokenAnswer> => {
    await entra('POST', '/id-tokens/next', plan);
    return await redeem(await codeOf(admin));
  };

  it('can say something else, and the one after it is right again', async () => {
    const overrides = { aud: 'someone-else', nonce: 'another', wids: null };
    const { claims } = await next({ overrides });
    expect(claims).toMatchObject({ aud: 'someone-else', nonce: 'another' });
    expect(claims).not.toHaveProperty('wids');
    expect((await redeem(await codeOf(admin))).claims).toMatchObject({ aud: CONNECTOR_APP_ID, nonce: 'nonce-1' });
  });

  it('can have expired, or be from the future', async () => {
    const now = Date.now() / 1000;
    expect((await next({ shiftSeconds: -7_200 })).claims['exp']).toBeLessThan(now);
    expect((await next({ shiftSeconds: 7_200 })).claims['nbf']).toBeGreaterThan(now);
  });

  it('can be unsigned, signed with a shared secret, or by a key that is not published', async () => {
    const [published] = azure.entra.signer.jwks.keys;
    const unsigned = await next({ signature: 'none' });
    expect([header(unsigned.idToken), unsigned.idToken.split('.')[2]]).toEqual([{ typ: 'JWT', alg: 'none' }, '']);
    expect(header((await next({ signature: 'HS256' })).idToken)).toMatchObject({ alg: 'HS256', kid: published?.kid });
    const unknown = header((await next({ signature: 'unknown-key' })).idToken) as { kid: string };
    expect(unknown.kid).not.toBe(published?.kid);
    const wrong = await next({ signature: 'wrong-key' });
    expect(header(wrong.idToken)).toMatchObject({ alg: 'RS256', kid: published?.kid });
  });

  it('misplanned is refused', async () => {
    await expect(entra('POST', '/id-tokens/next', { signature: 'perhaps' })).rejects.toThrow(/signature/);
  });
});
