// API2: broken authentication. Tokens that are wrong in one way each, for a call that a genuine one may make.
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  API_APP_ID,
  CONNECTOR_APP_ID,
  issuerV1,
  issuerV2,
  VAULT_AUDIENCE,
  VENDOR_TENANT_ID,
} from '../../local/identities.ts';
import { attack } from './attacks.ts';
import type { Attempt } from './raw-request.ts';
import { Scene } from './scene.ts';

const STRANGER = '99999999-0000-4000-8000-000000000009';
const HOUR_SECONDS = 3_600;

type Claims = Readonly<Record<string, unknown>>;
interface Jwk {
  readonly kid: string;
}

let scene: Scene;
let keys: readonly Jwk[];
beforeAll(async () => {
  scene = await Scene.open({ switched: false });
  ({ keys } = (await scene.run.environment.entra.call('GET', '/jwks')) as { keys: readonly Jwk[] });
});
afterAll(() => scene.close());

const genuine = (overrides: Claims = {}): string =>
  scene.run.environment.mintApiToken({ roles: ['Keyswitch.VendorAdmin'], overrides: { ...overrides } });

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const part = (token: string, index: 0 | 1): Claims =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString()) as Claims;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Signed by a key that Entra never saw. */
function selfSigned(header: Claims): string {
  const signed = `${encode({ ...part(genuine(), 0), ...header })}.${encode(part(genuine(), 1))}`;
  return `${signed}.${createSign('sha256').update(signed).sign(privateKey).toString('base64url')}`;
}

/** Refused with a challenge that says why, in the log and not in the record: it is nobody. */
async function unauthenticated(attempt: Attempt, reason?: string): Promise<void> {
  const answer = await scene.changesNothing(async () => {
    for (const [method, path] of [
      ['PUT', '/companies/contoso'],
      ['DELETE', '/companies/contoso'],
    ] as const) {
      const body = method === 'PUT' ? { body: { displayName: 'Changed' } } : {};
      await scene.refused(method, path, { ...attempt, ...body }, [401, 'unauthenticated']);
    }
    return scene.refused('GET', '/companies/contoso', attempt, [401, 'unauthenticated']);
  });
  const why = reason === undefined ? '' : `, error="invalid_token", error_description="${reason}"`;
  expect(answer.headers['www-authenticate']).toBe(`Bearer realm="keyswitch"${why}`);
  expect(answer.text).not.toContain('Contoso');
  await scene.logged(answer, 'http.refused');
  for (const chain of [undefined, 'contoso']) {
    const events = await scene.events(chain);
    expect(events.filter(({ requestId }) => requestId === answer.requestId)).toEqual([]);
  }
}

const wrong = (overrides: Claims, reason: string): Promise<void> =>
  unauthenticated({ token: genuine(overrides) }, reason);

attack('A18', async () => {
  expect((await scene.attempt('GET', '/companies/contoso', { token: genuine() })).status).toBe(200);
  const token = genuine();
  await unauthenticated({});
  await unauthenticated({ headers: { cookie: `access_token=${token}; Authorization=Bearer ${token}` } });
  await unauthenticated({ headers: { 'x-authorization': `Bearer ${token}`, 'x-ms-token-aad-access-token': token } });
  const noBearer = 'the Authorization header is no bearer token';
  await unauthenticated({ headers: { authorization: token } }, noBearer);
  await unauthenticated(
    { headers: { authorization: `Basic ${Buffer.from(`admin:${token}`).toString('base64')}` } },
    noBearer,
  );
  await unauthenticated({ headers: { authorization: `Bearer ${token}, Bearer ${token}` } }, noBearer);
  await scene.refused('GET', `/companies/contoso?access_token=${token}`, {}, [401, 'unauthenticated']);
});

attack('A19', async () => {
  const [, claims = ''] = genuine().split('.');
  for (const alg of ['none', 'None', 'NONE', '']) {
    const answer = await scene.refused(
      'GET',
      '/companies/contoso',
      { token: `${encode({ alg, typ: 'JWT' })}.${claims}.` },
      [401, 'unauthenticated'],
    );
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  }
  const stripped = genuine().replace(/[^.]*$/, '');
  await unauthenticated({ token: stripped }, 'its signature does not verify');
});

attack('A20', async () => {
  const [jwk] = keys;
  const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
  for (const secret of [pem, JSON.stringify(jwk)]) {
    const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid: jwk?.kid })}.${encode(part(genuine(), 1))}`;
    const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
    await unauthenticated({ token }, 'it is not signed with RS256');
  }
});

attack('A21', () => unauthenticated({ token: selfSigned({}) }, 'its signature does not verify'));

attack('A22', async () => {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'mine', alg: 'RS256' };
  const before = await scene.run.environment.entra.requests();
  const headers: readonly Claims[] = [
    { jwk },
    { jwk, kid: 'mine' },
    { jku: 'https://evil.example/keys', kid: 'mine' },
    { x5u: 'https://evil.example/chain', kid: 'mine' },
    { x5c: [Buffer.from('a certificate').toString('base64')] },
  ];
  for (const header of headers) await unauthenticated({ token: selfSigned(header) }, 'its signature does not verify');
  const asked = (await scene.run.environment.entra.requests()).slice(before.length);
  // An unknown key id may ask Entra for its keys again, once in a while: nobody else.
  expect(asked.length).toBeLessThanOrEqual(1);
});

attack('A23', async () => {
  const token = scene.token('Auditor', 'fabrikam');
  const [header = '', , signature = ''] = token.split('.');
  const changes: readonly Claims[] = [
    { roles: ['Keyswitch.VendorAdmin'] },
    { extension_company: 'contoso' },
    { exp: 4e9 },
  ];
  for (const change of changes) {
    const changed = `${header}.${encode({ ...part(token, 1), ...change })}.${signature}`;
    await unauthenticated({ token: changed }, 'its signature does not verify');
  }
});

attack('A24', async () => {
  for (const aud of [VAULT_AUDIENCE, `api://${API_APP_ID}x`, STRANGER])
    await wrong({ aud }, 'its claim aud is not acceptable');
});

attack('A25', () => wrong({ aud: CONNECTOR_APP_ID }, 'its claim aud is not acceptable'));

attack('A26', async () => {
  const untrusted = 'it is not from an issuer that is trusted here';
  for (const iss of [
    issuerV2(STRANGER),
    issuerV1(VENDOR_TENANT_ID),
    'https://evil.example',
    `${issuerV2(VENDOR_TENANT_ID)}/`,
  ]) {
    await wrong({ iss }, untrusted);
  }
  await wrong({ iss: issuerV2(STRANGER), tid: STRANGER }, untrusted);
});

attack('A27', () => {
  const now = Math.floor(Date.now() / 1000);
  return wrong({ iat: now - 2 * HOUR_SECONDS, nbf: now - 2 * HOUR_SECONDS, exp: now - HOUR_SECONDS }, 'it has expired');
});

attack('A28', () => wrong({ nbf: Math.floor(Date.now() / 1000) + HOUR_SECONDS }, 'its claim nbf is not acceptable'));

attack('A29', async () => {
  await wrong({ exp: null }, 'its claim exp is not acceptable');
  await wrong({ exp: 'never' }, 'its claim exp is not acceptable');
});

attack('A30', async () => {
  await wrong({ ver: '1.0' }, 'it is not a version 2.0 token');
  await wrong({ ver: null }, 'it is not a version 2.0 token');
});

attack('A31', async () => {
  const itIs = 'it is an ID token; send an access token';
  await wrong({ azp: null, azpacr: null, sub: 'pairwise', preferred_username: 'ann@vendor.example' }, itIs);
  await wrong({ nonce: 'n' }, itIs);
  await wrong({ at_hash: 'h' }, itIs);
  await wrong({ sub: 'pairwise' }, itIs);
});

attack('A32', async () => {
  await wrong({ tid: null }, 'it is from another tenant');
  await wrong({ tid: STRANGER }, 'it is from another tenant');
});

attack('A33', async () => {
  const { IDENTITY_ENDPOINT: endpoint = '', IDENTITY_HEADER: header = '' } = scene.run.environment.settings;
  const clientId = scene.run.environment.settings['AZURE_CLIENT_ID'] ?? '';
  for (const resource of ['api://AzureADTokenExchange', VAULT_AUDIENCE]) {
    const query = new URLSearchParams({ 'api-version': '2019-08-01', resource, client_id: clientId });
    const response = await fetch(`${endpoint}?${query.toString()}`, { headers: { 'X-IDENTITY-HEADER': header } });
    const { access_token: token } = (await response.json()) as { access_token: string };
    const answer = await scene.refused('GET', '/companies/contoso', { token }, [401, 'unauthenticated']);
    await scene.logged(answer, 'http.refused');
  }
});

attack('A96', async () => {
  const claims: readonly Claims[] = [
    { extension_companies: '' },
    { extension_companies: [] },
    { extension_companies: '*' },
    { extension_companies: 7 },
    { extension_companies: { contoso: true } },
    { extension_companies: ['fabrikam', ['contoso']] },
    { extension_companies: ['CONTOSO'] },
    { extension_companies: Array.from({ length: 201 }, (_, index) => `company-${index}`) },
    { _claim_names: { extension_companies: 'src1' } },
    { roles: ['Keyswitch.VendorAdmin', 'Keyswitch.Company.'] },
  ];
  await scene.changesNothing(async () => {
    for (const overrides of claims) {
      for (const path of ['/companies', '/companies/contoso']) {
        const answer = await scene.refused('GET', path, { token: genuine(overrides) }, [403, 'confinement-unreadable']);
        expect(answer.text).not.toContain('Contoso');
      }
    }
  });
});
