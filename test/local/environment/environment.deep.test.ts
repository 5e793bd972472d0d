import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEnvironment, type Environment } from '../../../local/environment.ts';
import type { Customer } from '../../../local/environment/customers.ts';
import type { FunctionsHost } from '../../../local/functions-host/host-process.ts';
import { CONNECTOR_APP_ID, GOOGLE_CLIENT_ID } from '../../../local/identities.ts';
import { buildBundle } from '../../../scripts/build-bundle.ts';
import { until } from '../functions-host/fixture.ts';

let environment: Environment;
let directory: string;
let bundleDir: string;
let host: FunctionsHost;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyswitch-environment-'));
  bundleDir = join(directory, 'dist');
  const hostJson = join(directory, 'host.json');
  await writeFile(hostJson, '{ "version": "2.0" }');
  const entryPoint = fileURLToPath(new URL('probe-app.ts', import.meta.url));
  [environment] = await Promise.all([
    startEnvironment({ lockDurationMs: 1_000 }),
    buildBundle({ entryPoint, hostJson, outDir: bundleDir }),
  ]);
  host = await environment.startHost({ bundleDir });
});

afterAll(async () => {
  await environment.close();
  await rm(directory, { recursive: true });
});

interface Said {
  readonly ok?: unknown;
  readonly error?: string;
  readonly code?: string;
}

async function ask(path: string, init?: RequestInit, from = host): Promise<Said> {
  return (await (await fetch(`${from.url}/api/${path}`, init)).json()) as Said;
}

function getKey({ tenantId, vaultUri, keyName }: Customer): Promise<Said> {
  return ask(`key?${new URLSearchParams({ tenant: tenantId, vault: vaultUri, key: keyName }).toString()}`);
}

test('a customer vault opens after consent and grant, without a secret, and closes again', async () => {
  const { contoso } = environment.customers;
  expect((await getKey(contoso)).error).toMatch(/AADSTS(700016|7000229)/);
  await contoso.consent();
  expect((await getKey(contoso)).error).toContain('not authorized');
  await contoso.grant();
  expect((await getKey(contoso)).ok).toMatch(/^https:\/\/contoso-keys\.vault\.azure\.net\/keys\/customer-key\//);
  await contoso.revoke();
  expect((await getKey(contoso)).error).toContain('not authorized');
});

test('one customer uses access policies, another has a firewall', async () => {
  const { fabrikam, northwind } = environment.customers;
  await fabrikam.consent();
  await fabrikam.grant();
  expect((await getKey(fabrikam)).ok).toMatch(/^https:\/\/fabrikam-keys\./);
  await northwind.consent();
  await northwind.grant();
  expect((await getKey(northwind)).error).toMatch(/firewall|not authorized/i);
  await northwind.changeVault({ firewall: null });
  expect((await getKey(northwind)).ok).toMatch(/^https:\/\/northwind-keys\./);
});

test('a vault that does not exist has no name, and nothing outside is reached', async () => {
  const missing: Customer = { ...environment.customers.contoso, vaultUri: 'https://nobody.vault.azure.net' };
  expect((await getKey(missing)).code).toBe('ENOTFOUND');
  expect((await ask('outside')).error).toBe('fetch failed');
});

test('the managed identity signs with the seal key in the vendor vault', async () => {
  expect(await ask('sign')).toEqual({ ok: 64 });
  const requests = await environment.keyVault.requests();
  expect(requests.some(({ operation, status }) => operation === 'sign' && status === 200)).toBe(true);
});

test('a message sent by one host is worked by another, and its row is in the table', async () => {
  await environment.serviceBus.clearRequests();
  const other = await environment.startHost({ bundleDir });
  await host.kill('SIGKILL');
  expect(await ask('message', { method: 'POST', body: '{"id":"one"}' }, other)).toEqual({ ok: true });
  let row: Said = {};
  while (row.ok === undefined) row = await ask('row?id=one', {}, other);
  expect(row.ok).toMatchObject({ rowKey: 'one', pid: other.pid });
  host = await host.restart();
  expect(await ask('row?id=one')).toEqual(row);
  const inserted = (await environment.tables.requests()).filter(({ operation }) => operation === 'insert');
  expect(inserted).toMatchObject([{ target: 'events', status: 204 }]);
});

test('timers beat on the oldest living host only', async () => {
  const second = await environment.startHost({ bundleDir });
  const [oldest, ...others] = environment.hosts;
  if (!oldest) throw new Error('no host lives');
  const beats = (one: FunctionsHost): number => one.lines.filter((line) => line.includes(`beat of ${one.pid}`)).length;
  const before = beats(oldest);
  await until(() => beats(oldest) >= before + 2);
  expect(beats(second)).toBe(0);
  await oldest.kill('SIGKILL');
  await until(() => others.some((one) => beats(one) > 0));
  expect(others.filter((one) => beats(one) > 0)).toHaveLength(1);
});

test('people may come back from a sign-in to a host that is up', async () => {
  const callback = `${host.url}/consent/callback`;
  const { entra, google } = environment;
  expect(await entra.call('GET', `/apps/${CONNECTOR_APP_ID}/redirect-uris`)).toContain(callback);
  expect(await google.call('GET', `/clients/${GOOGLE_CLIENT_ID}/redirect-uris`)).toContain(callback);
});

test('every role has a token, and every customer an admin', () => {
  const { companyAdmins, ...roles } = environment.tokens;
  const claims = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  expect(Object.values(roles).map((token) => claims(token)['roles'])).toEqual([
    ['Keyswitch.VendorAdmin'],
    ['Keyswitch.DataKeys'],
    ['Keyswitch.Auditor'],
  ]);
  expect(claims(companyAdmins.fabrikam)).toMatchObject({
    roles: ['Keyswitch.CompanyAdmin'],
    extension_company: 'fabrikam',
    aud: environment.settings['KEYSWITCH_API_AUDIENCE'],
  });
});
