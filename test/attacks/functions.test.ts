// API5: broken function level authorization. Genuine tokens for what their roles are not for, and everything else that could be
// taken for an identity.
import { afterAll, beforeAll, expect } from 'vitest';
import { attack } from './attacks.ts';
import type { Attempt } from './raw-request.ts';
import { Scene, type RoleName } from './scene.ts';

type Call = readonly [method: string, path: string, body?: unknown];

const OWN = '/companies/contoso';
const RING = `${OWN}/keyrings/default`;
const FORBIDDEN = [403, 'forbidden'] as const;
const CONNECTION = {
  vaultUri: 'https://contoso-keys.vault.azure.net',
  keyName: 'k',
  credential: { kind: 'federated' },
};

let scene: Scene;
let keyId: string;
beforeAll(async () => {
  scene = await Scene.open({ switched: false });
  [keyId = ''] = scene.victim.keys.keys();
});
afterAll(() => scene.close());

/** Each is refused, and recorded in the chain that belongs to the token. */
async function forbidden(attempt: Attempt, calls: readonly Call[], chain?: string): Promise<void> {
  const answers = await scene.changesNothing(async () => {
    const given = [];
    for (const [method, path, body] of calls) {
      given.push(await scene.refused(method, path, { ...attempt, body }, FORBIDDEN));
    }
    return given;
  });
  for (const answer of answers) {
    expect((await scene.recordedAsRefused(answer, chain)).detail['code']).toBe('forbidden');
  }
}

const VENDOR_ONLY: readonly Call[] = [
  ['GET', '/companies'],
  ['PUT', OWN, { displayName: 'Mine' }],
  ['DELETE', OWN],
  ['GET', '/events'],
  ['GET', '/events/verify'],
  ['GET', `${RING}/datakeys`],
  ['POST', `${RING}/switches/s1/quarantine/k1/retry`],
  ['POST', `${RING}/switches/s1/quarantine/k1/accept-loss`],
  ['POST', `${RING}/recount`],
];
const BACKEND_ONLY: readonly Call[] = [
  ['POST', `${RING}/datakeys`, { keys: [{}] }],
  ['POST', `${RING}/unwrap`, { keyIds: ['k1'] }],
];
const ADMINS_ONLY: readonly Call[] = [
  ['PUT', `${OWN}/policy`, { vendorKey: 'allowed', keyringsPerProvider: 'any' }],
  ['PUT', `${OWN}/keyrings/new`, {}],
  ['PUT', `${OWN}/connections/new`, CONNECTION],
  ['DELETE', `${OWN}/connections/new`],
  ['POST', `${OWN}/connections/new/test`],
  ['POST', `${OWN}/connections/new/check`],
  ['POST', `${OWN}/tenants/refresh`],
  ['PUT', `${RING}/switches/s1`, { provider: 'managed' }],
  ['POST', `${RING}/switches/s1/cancel`],
  ['POST', `${RING}/switches/s1/retry`, { direction: 'forward' }],
  ['POST', `${RING}/rekey`],
];

attack('A50', () => forbidden({ token: scene.token('CompanyAdmin', 'contoso') }, VENDOR_ONLY, 'contoso'));

attack('A51', () => {
  const calls: readonly Call[] = [
    ...BACKEND_ONLY,
    ['DELETE', `${RING}/datakeys/${keyId}`],
    ['POST', `${RING}/datakeys/${keyId}/restore`],
  ];
  return forbidden({ token: scene.token('CompanyAdmin', 'contoso') }, calls, 'contoso');
});

attack('A52', () => {
  const reads: readonly Call[] = [
    ['GET', OWN],
    ['GET', RING],
    ['GET', `${OWN}/events`],
  ];
  return forbidden({ token: scene.token('DataKeys') }, [...ADMINS_ONLY, ...reads]);
});

attack('A53', async () => {
  // Its refusals go to the chain of a company, so that those of no company are not too many in a minute.
  await scene.intruder('a53');
  const writes: readonly Call[] = [
    ...ADMINS_ONLY,
    ...BACKEND_ONLY,
    ['PUT', OWN, {}],
    ['DELETE', OWN],
    ['DELETE', `${RING}/datakeys/${keyId}`],
  ];
  await forbidden({ token: scene.token('Auditor', 'a53') }, writes, 'a53');
});

attack('A54', async () => {
  const { token } = await scene.intruder('a54');
  for (const actor of ['Keyswitch.VendorAdmin', 'keyswitch', 'entra:7e5d0000-0000-4000-8000-0000000e0001']) {
    const attempt = { token, headers: { 'keyswitch-actor': actor } };
    await forbidden(
      attempt,
      [
        ['PUT', '/companies/a54', {}],
        ['GET', '/companies'],
      ],
      'a54',
    );
    await scene.refused('GET', OWN, attempt, [404, 'company-not-found']);
  }
  await scene.refused('GET', '/companies/a54', { token, headers: { 'keyswitch-actor': 'x'.repeat(257) } }, [
    400,
    'invalid-request',
  ]);
  // Where it is recorded, it stands behind who really asked, as what it is: asserted.
  const attempt = {
    token,
    body: {},
    headers: { 'keyswitch-actor': encodeURIComponent('entra:somebody" asserting "else') },
  };
  const made = await scene.attempt('PUT', '/companies/a54/keyrings/second', attempt);
  expect(made.status).toBe(201);
  const { by } = await scene.recorded(made, 'a54');
  expect(by).toMatch(/^entra:[0-9a-f-]{36} asserting "entra:somebody\\" asserting \\"else"$/);
});

attack('A55', async () => {
  const { token } = await scene.intruder('a55');
  const principal = { auth_typ: 'aad', claims: [{ typ: 'roles', val: 'Keyswitch.VendorAdmin' }] };
  const headers = {
    'x-ms-client-principal': Buffer.from(JSON.stringify(principal)).toString('base64'),
    'x-ms-client-principal-id': 'admin',
    'x-ms-client-principal-name': 'admin@vendor.example',
    'x-functions-key': 'master',
    'x-original-url': '/api/v1/health/live',
    'x-rewrite-url': '/api/v1/health/live',
    'x-forwarded-user': 'admin',
    'x-forwarded-for': '127.0.0.1',
  };
  await scene.changesNothing(async () => {
    await scene.refused('GET', OWN, { headers }, [401, 'unauthenticated']);
    await scene.refused('GET', OWN, { token, headers }, [404, 'company-not-found']);
  });
  await forbidden(
    { token, headers },
    [
      ['GET', '/companies'],
      ['DELETE', '/companies/a55'],
    ],
    'a55',
  );
});

attack('A56', async () => {
  await scene.intruder('a56');
  const spellings: readonly unknown[] = [
    ['keyswitch.vendoradmin'],
    ['Keyswitch.VendorAdmin '],
    ['VendorAdmin'],
    ['Keyswitch.*'],
    'Keyswitch.VendorAdmin',
    { 0: 'Keyswitch.VendorAdmin' },
    [['Keyswitch.VendorAdmin']],
    null,
  ];
  for (const roles of spellings) {
    const others = {
      scp: 'Keyswitch.VendorAdmin',
      groups: ['Keyswitch.VendorAdmin'],
      wids: ['Keyswitch.VendorAdmin'],
    };
    const overrides = { ...others, roles, extension_company: 'a56' };
    const token = scene.run.environment.mintApiToken({ roles: [], overrides });
    await forbidden({ token }, [['GET', OWN]], 'a56');
  }
});

attack('A57', async () => {
  const both = (one: RoleName, other: RoleName): string =>
    scene.run.environment.mintApiToken({ roles: [`Keyswitch.${one}`, `Keyswitch.${other}`], company: 'a57' });
  await scene.intruder('a57');
  await forbidden({ token: both('CompanyAdmin', 'Auditor') }, ADMINS_ONLY, 'a57');
  await forbidden({ token: both('CompanyAdmin', 'DataKeys') }, [['GET', OWN], ...ADMINS_ONLY.slice(0, 3)], 'a57');
});

attack('A97', async () => {
  const confined = (role: RoleName, name: string): string =>
    scene.run.environment.mintApiToken({ roles: [`Keyswitch.${role}`], overrides: { extension_companies: name } });
  const attempts: readonly (readonly [token: string, method: string, path: string])[] = [
    [confined('VendorAdmin', 'contoso'), 'GET', '/events'],
    [confined('Auditor', 'contoso'), 'GET', '/events/verify'],
    [confined('VendorAdmin', 'contoso'), 'GET', '/health'],
    [confined('VendorAdmin', 'contoso'), 'POST', '/operations/timers/sweep/run'],
    [confined('Auditor', 'contoso'), 'GET', '/operations/status'],
    [confined('VendorAdmin', 'contoso/default'), 'DELETE', OWN],
    [confined('Auditor', 'contoso/default'), 'GET', `${OWN}/events`],
  ];
  await scene.changesNothing(async () => {
    for (const [token, method, path] of attempts) {
      const answer = await scene.refused(method, path, { token }, [403, 'token-confined']);
      expect((await scene.recordedAsRefused(answer)).detail['code']).toBe('token-confined');
    }
  });
});
