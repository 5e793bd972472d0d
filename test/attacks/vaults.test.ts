// API7 and API10: server side request forgery, unsafe consumption of APIs. The app calls addresses that its callers name, and reads
// what a stranger answers there.
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { VENDOR_VAULT_HOST } from '../../local/identities.ts';
import { azure, Company } from '../end-to-end/company.ts';
import { LOG_LIMIT } from '../end-to-end/harness.ts';
import { attack } from './attacks.ts';
import { Scene } from './scene.ts';

const CONNECTIONS = '/companies/contoso/connections';
const INVALID = 'vault-uri-invalid';
const NOT_ALLOWED = 'vault-host-not-allowed';

interface Tested {
  readonly status: string;
  readonly checks: readonly {
    readonly check: string;
    readonly outcome: string;
    readonly failure?: { readonly code: string };
  }[];
}

let scene: Scene;
let token: string;
beforeAll(async () => {
  scene = await Scene.open({ switched: false });
  token = scene.token('CompanyAdmin', 'contoso');
  await scene.victim.connect(scene.run.environment.customers.contoso, { id: 'azure', keyName: 'contoso-key' });
});
afterAll(() => scene.close());
beforeEach(() => scene.run.environment.keyVault.clearFaults());

const bodyWith = (vaultUri: string, keyName = 'k'): object => ({
  vaultUri,
  keyName,
  credential: { kind: 'federated' },
});

/** Refused by name, stored nowhere, and no vault hears of it. */
async function notAVault(code: string, uris: readonly string[]): Promise<void> {
  const calls = await scene.vaultCallsOf(() =>
    scene.changesNothing(async () => {
      for (const uri of uris) {
        const answer = await scene.attempt('PUT', `${CONNECTIONS}/new`, { token, body: bodyWith(uri) });
        expect([uri, answer.status, answer.code]).toEqual([uri, 400, code]);
        expect((JSON.parse(answer.text) as { error: { target: string } }).error.target).toBe('body.vaultUri');
      }
    }),
  );
  expect(calls).toEqual([]);
}

attack('A65', () =>
  notAVault(INVALID, [
    'https://127.0.0.1',
    'https://169.254.169.254/metadata/identity/oauth2/token',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]',
    'https://2130706433',
    'https://0x7f000001/',
    'https://0177.0.0.1',
    'https://127.1',
  ]),
);

attack('A66', () =>
  notAVault(INVALID, [
    'https://contoso-keys.vault.azure.net@evil.example',
    'https://evil.example@contoso-keys.vault.azure.net',
    'https://user:password@contoso-keys.vault.azure.net',
    'https://@contoso-keys.vault.azure.net',
  ]),
);

attack('A67', () =>
  notAVault(INVALID, [
    'https://contoso-keys.vault.azure.net:8443',
    'https://contoso-keys.vault.azure.net:443',
    'https://contoso-keys.vault.azure.net:',
    'https://contoso-keys.vault.azure.net:22/',
  ]),
);

attack('A68', () =>
  notAVault(NOT_ALLOWED, [
    'https://evil.example',
    'https://vault.azure.net',
    'https://contoso-keys.vault.azure.net.evil.example',
    'https://evilvault.azure.net',
    'https://contoso-keys-vault.azure.net',
    'https://evil.contoso-keys.vault.azure.net',
    'https://contoso-keys.privatelink.vaultcore.azure.net',
    'https://contoso-keys.managedhsm.azure.net',
    'https://contoso-keys.vault.azure.cn',
    'https://evil.example/.vault.azure.net',
    'https://evil.example#.vault.azure.net',
    'https://evil.example?x=.vault.azure.net',
    'https://localhost',
    'https://login.microsoftonline.com',
  ]),
);

attack('A69', () =>
  notAVault(INVALID, [
    'http://contoso-keys.vault.azure.net',
    'ftp://contoso-keys.vault.azure.net',
    'file:///etc/passwd',
    'gopher://contoso-keys.vault.azure.net/_x',
    'javascript:alert(1)',
    '//contoso-keys.vault.azure.net',
  ]),
);

attack('A70', () =>
  notAVault(INVALID, [
    'https://evil.example\\.vault.azure.net',
    'https:\\\\contoso-keys.vault.azure.net',
    'https://contoso-keys.vault.azure.net/../../evil',
    'https://contoso-keys.vault.azure.net?redirect=https://evil.example',
    'https://contoso-keys.vault.azure.net/#@evil.example',
    'https://contoso%2dkeys.vault.azure.net',
    'https://contoso-keys.vault.azure.net.',
    'https://contoso-keys\u3002vault.azure.net',
    'https://cont\u043eso-keys.vault.azure.net',
    'https://xn--contso-keys-1jg.vault.azure.net',
    'https://contoso-keys.vault.azure.net\r\nHost: evil.example',
    'https://contoso-keys.vault.azure.net\u0000.evil.example',
  ]),
);

attack('A71', () =>
  notAVault(NOT_ALLOWED, [
    `https://${VENDOR_VAULT_HOST}`,
    `https://${VENDOR_VAULT_HOST.toUpperCase()}/`,
    ` https://${VENDOR_VAULT_HOST} `,
  ]),
);

attack('A72', async () => {
  const { vaultUri } = scene.run.environment.customers.contoso;
  const names = [
    '../secrets/x',
    'contoso-key/0123456789abcdef0123456789abcdef',
    'a/b',
    'a?b',
    'a#b',
    '%2e%2e',
    'a b',
    '',
    '.',
    'k'.repeat(128),
  ];
  const calls = await scene.vaultCallsOf(() =>
    scene.changesNothing(async () => {
      for (const keyName of names) {
        const body = bodyWith(vaultUri, keyName);
        await scene.refused('PUT', `${CONNECTIONS}/new`, { token, body }, [400, 'key-name-invalid']);
      }
    }),
  );
  expect(calls).toEqual([]);
});

/** Tested while every vault's challenge is this one; what Entra was asked for is answered too. */
async function testedWith(challenge: string): Promise<{ readonly tested: Tested; readonly tokens: readonly string[] }> {
  const { keyVault, entra } = scene.run.environment;
  const effect = { status: 401, headers: { 'www-authenticate': challenge } };
  await keyVault.plant({ operation: 'challenge', effect });
  const last = (await entra.requests()).at(-1)?.sequence ?? 0;
  const { status, text } = await scene.attempt('POST', `${CONNECTIONS}/azure/test`, { token });
  expect(status).toBe(200);
  const asked = (await entra.requests(last)).filter(({ operation }) => operation === 'token');
  return { tested: JSON.parse(text) as Tested, tokens: asked.map(({ target }) => target) };
}

/** The challenge is one that we do not know, and no token is asked for. */
async function expectNotBelieved(challenge: string): Promise<void> {
  const { tested, tokens } = await testedWith(challenge);
  expect(tested.checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
    check: 'challenge',
    failure: { code: 'vault-error' },
  });
  expect(tokens).toEqual([]);
  await scene.run.environment.keyVault.clearFaults();
}

attack('A75', async () => {
  const { tenantId } = scene.run.environment.customers.contoso;
  const resource = 'resource="https://vault.azure.net"';
  // The name of the authority is nobody's to choose: only the tenant is read, and Microsoft's own authority is asked.
  const elsewhere = await testedWith(`Bearer authorization="https://evil.example/${tenantId}", ${resource}`);
  expect([elsewhere.tested.status, elsewhere.tokens]).toEqual(['green', [tenantId]]);
  await scene.run.environment.keyVault.clearFaults();
  for (const authorization of [
    `https://evil.example/common/${tenantId}`,
    'https://login.microsoftonline.com/organizations',
    `http://login.microsoftonline.com/${tenantId}`,
    `https://login.microsoftonline.com/${tenantId}@evil.example`,
    `https://evil.example:8443/${tenantId}`,
  ]) {
    await expectNotBelieved(`Bearer authorization="${authorization}", ${resource}`);
  }
});

attack('A76', async () => {
  const { tenantId } = scene.run.environment.customers.contoso;
  const authorization = `authorization="https://login.microsoftonline.com/${tenantId}"`;
  for (const resource of [
    'https://storage.azure.com',
    'https://graph.microsoft.com',
    'https://vault.azure.net.evil.example',
    '',
  ]) {
    await expectNotBelieved(`Bearer ${authorization}, resource="${resource}"`);
  }
});

attack('A90', async () => {
  const { keyVault, customers } = scene.run.environment;
  const forged = '[security] [critical] everything is open';
  const message = `first line\n${forged}\r\n${forged}\u001b[31m<script>alert(1)</script>`;
  const body = { error: { code: 'Forbidden\nSet-Cookie: a=b', message, innererror: { code: '__proto__' } } };
  const headers = { 'x-ms-request-id': '<script>' };
  const target = `${customers.contoso.vaultHost}/contoso-key`;
  // The vault's words are for its admin: on one line, and without what cannot be seen.
  for (const [status, code] of [
    [418, 'vault-refused'],
    [302, 'vault-error'],
  ] as const) {
    await keyVault.plant({ operation: 'get', target, times: 1, effect: { status, body, headers } });
    const answer = await scene.attempt('POST', `${CONNECTIONS}/azure/test`, { token });
    expect([answer.status, answer.text.includes(`"${code}"`)]).toEqual([200, true]);
    expect(answer.text).not.toMatch(/Set-Cookie|\\[nrtu]/);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    await expect.poll(() => scene.run.lines.some((line) => line.includes(answer.requestId)), LOG_LIMIT).toBe(true);
  }
  expect(scene.run.lines.filter((line) => line.trimStart().startsWith('[security]'))).toEqual([]);
});

attack('A94', async () => {
  const { keyVault, customers } = scene.run.environment;
  const company = await Company.create(scene.run, 'a94', 3);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'a94-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  // As long as a company key is, and known to the vault's owner.
  const mergeBody = { value: Buffer.alloc(32, 0x66).toString('base64url') };
  const target = `${customers.contoso.vaultHost}/a94-key`;
  await keyVault.plant({ operation: 'unwrapkey', target, effect: { mergeBody } });
  const backend = { token: scene.token('DataKeys', 'a94'), body: { keys: [{}] } };
  const make = (): ReturnType<Scene['attempt']> => scene.attempt('POST', `${company.keyring}/datakeys`, backend);
  // The key that was opened before is kept for a while.
  await expect.poll(async () => (await make()).code, LOG_LIMIT).toBe('key-substituted');
  await scene.changesNothing(async () => {
    for (let times = 0; times < 3; times += 1)
      await scene.refused('POST', `${company.keyring}/datakeys`, backend, [409, 'key-substituted']);
  });
  expect((await scene.events('a94')).map(({ action }) => action)).toContain('security.key-substituted');
  await keyVault.clearFaults();
  expect(await company.different()).toEqual([]);
});
