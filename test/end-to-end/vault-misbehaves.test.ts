// A customer's vault that does not behave as Azure's does: every kind of answer that no vault should give, met by the running app
// wherever it asks. Each becomes a failure with a code, within the time limit; nothing is followed, and nothing is sent twice.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FaultEffect } from '../../local/control/control.ts';
import type { FunctionsHost } from '../../local/functions-host/host-process.ts';
import { azure, Company, type Health } from './company.ts';
import { LOG_LIMIT, startRun } from './harness.ts';
import type { Call, Run } from './run.ts';

/** A host's limit for a vault runs out only where it is meant to: what is answered at all is asked of the patient one. */
const PATIENT = { KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: '60' };
const HASTY = { KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: '1' };
const KEY_NAME = 'odd-key';

let run: Run;
let company: Company;
let target: string;
let keyId: string;
let patient: FunctionsHost | undefined;
let hasty: FunctionsHost;

beforeAll(async () => {
  // So short a life that every call asks the vault.
  run = await startRun({ settings: { ...PATIENT, KEYSWITCH_COMPANY_KEY_TTL_SECONDS: '0.001' } });
  [patient] = run.environment.hosts;
  const { contoso } = run.environment.customers;
  company = await Company.create(run, 'odd', 3);
  await company.connect(contoso, { id: 'azure', keyName: KEY_NAME });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  target = `${contoso.vaultHost}/${KEY_NAME}`;
  [keyId = ''] = company.keys.keys();
  hasty = await run.startHost(HASTY);
});
afterAll(() => run.close());

beforeEach(async () => {
  const { keyVault } = run.environment;
  await keyVault.clearFaults();
  expect(await company.different()).toEqual([]);
  await keyVault.clearRequests();
});

const elsewhere = (host: string): string => `https://${host}/keys/${KEY_NAME}/00000000000000000000000000000000`;

interface Oddity {
  readonly name: string;
  readonly effect: FaultEffect;
  readonly code: string;
}

const ODDITIES: readonly Oddity[] = [
  { name: 'text', effect: { status: 200, body: 'Hello!' }, code: 'vault-error' },
  {
    name: 'a page',
    effect: { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
    code: 'vault-error',
  },
  { name: 'null', effect: { status: 200, body: null }, code: 'vault-error' },
  { name: 'an empty object', effect: { status: 200, body: {} }, code: 'vault-error' },
  { name: 'a list', effect: { status: 200, body: [[], {}] }, code: 'vault-error' },
  { name: 'nothing', effect: { status: 200, body: '' }, code: 'vault-error' },
  { name: 'half of a JSON', effect: { status: 200, body: '{"key":{"kid":"https://' }, code: 'vault-error' },
  { name: 'wrong types', effect: { status: 200, body: { key: 7, kid: [], value: {} } }, code: 'vault-error' },
  {
    name: 'a redirect',
    effect: { status: 302, headers: { location: elsewhere('fabrikam-keys.vault.azure.net') } },
    code: 'vault-error',
  },
  {
    name: 'a redirect that keeps the body',
    effect: { status: 307, headers: { location: elsewhere('fabrikam-keys.vault.azure.net') } },
    code: 'vault-error',
  },
  {
    name: 'a permanent redirect',
    effect: { status: 308, headers: { location: elsewhere('fabrikam-keys.vault.azure.net') } },
    code: 'vault-error',
  },
  { name: 'a status of its own', effect: { status: 418, body: 'teapot' }, code: 'vault-error' },
  { name: 'a refusal of its own', effect: { status: 418, body: { error: { code: 'Teapot' } } }, code: 'vault-refused' },
  { name: 'a forbidden without a reason', effect: { status: 403, body: {} }, code: 'vault-error' },
  { name: 'a server error', effect: { status: 500, body: 'oops' }, code: 'vault-unreachable' },
  { name: 'too much', effect: { status: 200, bodyBytes: 1_000_000 }, code: 'vault-error' },
  { name: 'a body without end', effect: { status: 200, bodyBytes: -1 }, code: 'vault-error' },
  { name: 'silence', effect: { hang: true }, code: 'vault-unreachable' },
  { name: 'a cut connection', effect: { drop: 'before-acting' }, code: 'vault-unreachable' },
  { name: 'a cut connection after acting', effect: { drop: 'after-acting' }, code: 'vault-unreachable' },
];

/** How often is not said: an unwrap that fails has the vault checked, beside it. */
async function askedNobodyElse(operation: string): Promise<void> {
  const asked = (await run.environment.keyVault.requests()).filter((request) => request.operation === operation);
  expect(new Set(asked.map((request) => request.target))).toEqual(new Set([target]));
}

/** Who must be the one to give up. */
const hostFor = ({ hang }: FaultEffect): Call => (hang === true ? { host: hasty } : {});

test.for(ODDITIES)('asked to unwrap, it answers with $name: $code', async ({ effect, code }) => {
  await run.environment.keyVault.plant({ operation: 'unwrapkey', target, effect });
  const { outcome, failure } = await company.unwrapOne(keyId, hostFor(effect));
  const kind = code === 'vault-refused' ? 'denied' : 'transient';
  expect([outcome, failure?.code, failure?.kind]).toEqual(['failure', code, kind]);
  await askedNobodyElse('unwrapkey');
});

test.for(ODDITIES)('asked for its key, it answers with $name: $code', async ({ effect, code }) => {
  await run.environment.keyVault.plant({ operation: 'get', target, effect });
  const health = await company.must<Health>('POST', `${company.path}/connections/azure/check`, hostFor(effect));
  expect([health.state, health.code]).toEqual(['unreachable', code]);
  await askedNobodyElse('get');
});

test('an answer about another key is a security event, and no revocation', async () => {
  const { keyVault } = run.environment;
  const otherVault = elsewhere('fabrikam-keys.vault.azure.net');
  const otherVersion = elsewhere('contoso-keys.vault.azure.net');
  for (const kid of [otherVault, otherVersion, otherVersion.replace(KEY_NAME, 'my-key'), 'nonsense']) {
    await keyVault.clearFaults();
    await keyVault.clearRequests();
    await keyVault.plant({ operation: 'unwrapkey', target, effect: { mergeBody: { kid } } });
    expect((await company.unwrapOne(keyId)).failure?.code).toBe('key-substituted');
    await askedNobodyElse('unwrapkey');
    // Asked for the newest version, a vault may name any version: only one that exists will unwrap.
    if (kid === otherVersion) continue;
    await keyVault.clearFaults();
    await keyVault.plant({ operation: 'get', target, effect: { mergeBody: { key: { kid } } } });
    const { state, code } = await company.check('azure');
    // What is no key id at all does not even get so far.
    expect([state, code]).toEqual(['unreachable', kid === 'nonsense' ? 'vault-error' : 'key-substituted']);
  }
  await expect.poll(() => run.lines.some((line) => line.includes('key-substituted')), LOG_LIMIT).toBe(true);
});

test('a value that is not what was wrapped never becomes a key', async () => {
  const { keyVault } = run.environment;
  for (const bytes of [0, 1, 31, 32, 33, 64, 512]) {
    const value = randomBytes(bytes).toString('base64url');
    await keyVault.clearFaults();
    await keyVault.plant({ operation: 'unwrapkey', target, effect: { mergeBody: { value } } });
    const { outcome, failure } = await company.unwrapOne(keyId);
    expect(outcome).toBe('failure');
    expect(['key-substituted', 'vault-error']).toContain(failure?.code);
  }
});

test('a challenge that names another tenant gets no token', async () => {
  const { keyVault, entra, customers } = run.environment;
  const other = await Company.create(run, 'lured');
  await customers.contoso.consent();
  const body = { vaultUri: customers.contoso.vaultUri, keyName: KEY_NAME, tenantId: customers.contoso.tenantId };
  const path = `${other.path}/connections/azure`;
  await other.must('PUT', path, { body: { ...body, credential: { kind: 'federated' } } });
  await customers.contoso.changeVault({ challengeTenantId: customers.fabrikam.tenantId });
  await entra.clearRequests();
  await keyVault.clearRequests();
  const { checks } = await other.must<{ checks: { check: string; outcome: string; failure?: { code: string } }[] }>(
    'POST',
    `${path}/test`,
  );
  expect(checks.find(({ outcome }) => outcome === 'failed')).toMatchObject({
    check: 'challenge',
    failure: { code: 'wrong-entra-tenant' },
  });
  await customers.contoso.changeVault({ challengeTenantId: null });
  expect((await entra.requests()).filter(({ operation }) => operation === 'token')).toEqual([]);
  const asked = await keyVault.requests();
  expect(asked.filter(({ operation }) => operation !== 'challenge')).toEqual([]);
});

test('a switch to a vault that begins to misbehave waits, and goes on when it behaves again', async () => {
  const { keyVault, customers } = run.environment;
  const moving = await Company.create(run, 'moving', 50);
  await moving.connect(customers.contoso, { id: 'azure', keyName: 'moving-key' });
  await patient?.kill('SIGKILL');
  const itsKey = `${customers.contoso.vaultHost}/moving-key`;
  const oddities: FaultEffect[] = [{ status: 200, body: 'Hello!' }, { hang: true }, { status: 200, bodyBytes: -1 }];
  for (const effect of oddities) await keyVault.plant({ target: itsKey, times: 1, effect });
  expect(await moving.switchTo('s1', azure('azure'))).toMatchObject({ state: 'completed' });
  expect(await moving.different()).toEqual([]);
});
