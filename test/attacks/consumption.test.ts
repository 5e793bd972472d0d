// API4: unrestricted resource consumption. Everything has a limit, is refused beyond it with a code, and the process lives on.
import { afterAll, beforeAll, expect } from 'vitest';
import { until } from '../end-to-end/run.ts';
import { attack } from './attacks.ts';
import type { RawAnswer } from './raw-request.ts';
import { Scene } from './scene.ts';

const RING = '/companies/contoso/keyrings/default';
const LIMIT_BYTES = 1_048_576;
const MAX_KEYS = 1_000;
const CALLS_PER_MINUTE = 30;
const TOO_DEEP = 200_000;
const PROBES = 400;

let scene: Scene;
let pid: number | undefined;
beforeAll(async () => {
  scene = await Scene.open({ switched: true });
  pid = scene.run.environment.hosts[0]?.pid;
});
afterAll(() => scene.close());

async function livesOn(): Promise<void> {
  expect((await scene.attempt('GET', '/health/live')).status).toBe(200);
  expect(scene.run.environment.hosts.map((host) => host.pid)).toEqual([pid]);
}

attack('A43', async () => {
  const token = scene.token('VendorAdmin');
  const tooLarge = [413, 'body-too-large'] as const;
  const rawBody = Buffer.alloc(LIMIT_BYTES + 1, 0x20);
  await scene.changesNothing(async () => {
    await scene.refused('PUT', '/companies/contoso', { token, rawBody }, tooLarge);
    const chunks = Array.from({ length: 40 }, () => Buffer.alloc(LIMIT_BYTES / 32, 0x20));
    await scene.refused('PUT', '/companies/contoso', { token, chunks }, tooLarge);
    // Who may not call is refused as that, before the body counts.
    await scene.refused('PUT', '/companies/contoso', { rawBody }, [401, 'unauthenticated']);
  });
  await livesOn();
});

attack('A44', () => {
  const token = scene.token('DataKeys');
  const many = Array.from({ length: MAX_KEYS + 1 }, (_, index) => `key-${index}`);
  const invalid = [400, 'invalid-request'] as const;
  return scene.changesNothing(async () => {
    await scene.refused('POST', `${RING}/unwrap`, { token, body: { keyIds: many } }, invalid);
    const keys = many.map((keyId) => ({ keyId }));
    await scene.refused('POST', `${RING}/datakeys`, { token, body: { keys } }, invalid);
    for (const none of [{ keyIds: [] }, { keyIds: {} }, { keyIds: 'key-0' }]) {
      await scene.refused('POST', `${RING}/unwrap`, { token, body: none }, invalid);
    }
  });
});

attack('A45', async () => {
  const token = scene.token('VendorAdmin');
  for (const list of ['/companies', `${RING}/datakeys`, '/companies/contoso/events', `${RING}/switches`]) {
    for (const size of ['0', '-1', '1001', '99999', '1e9', '0x10', 'NaN', '']) {
      const path = `${list}?maxpagesize=${size}`;
      const { text } = await scene.refused('GET', path, { token }, [400, 'invalid-request']);
      expect(text).toContain('query.maxpagesize');
    }
    const long = `${list}?skiptoken=${'A'.repeat(5_000)}`;
    await scene.refused('GET', long, { token }, [400, 'invalid-request']);
  }
});

attack('A46', async () => {
  const token = scene.token('CompanyAdmin', 'contoso');
  const test = '/companies/contoso/connections/azure/test';
  // One was spent on setting it up. A minute may end between the calls, and then a new one is counted.
  let tested = 0;
  let limited: RawAnswer | undefined;
  while (!limited && tested < 2 * CALLS_PER_MINUTE) {
    const answer = await scene.attempt('POST', test, { token });
    if (answer.status === 200) tested += 1;
    else limited = answer;
  }
  expect([limited?.status, limited?.code]).toEqual([429, 'too-many-requests']);
  expect(tested).toBeGreaterThanOrEqual(CALLS_PER_MINUTE - 1);
  expect(Number(limited?.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(limited?.headers['retry-after'])).toBeLessThanOrEqual(60);
  // Behind each green test the vault was checked. Once that is over, a test too many asks no vault.
  await until('a test too many that asks no vault', async () => {
    let answer: RawAnswer | undefined;
    const calls = await scene.vaultCallsOf(async () => {
      answer = await scene.attempt('POST', test, { token });
    });
    return answer?.status === 429 && calls.length === 0;
  });
  // One company's limit is nobody else's.
  const { company, token: other } = await scene.intruder('a46');
  await company.connect(scene.run.environment.customers.contoso, { id: 'azure', keyName: 'a46-key' });
  expect((await scene.attempt('POST', `${company.path}/connections/azure/test`, { token: other })).status).toBe(200);
});

attack('A47', async () => {
  const token = scene.token('VendorAdmin');
  const deep = '['.repeat(TOO_DEEP) + ']'.repeat(TOO_DEEP);
  const objects = '{"a":'.repeat(TOO_DEEP / 2) + '1' + '}'.repeat(TOO_DEEP / 2);
  await scene.changesNothing(async () => {
    for (const rawBody of [deep, `{"displayName":${deep}}`, objects, '['.repeat(TOO_DEEP)]) {
      const answer = await scene.attempt('PUT', '/companies/contoso', { token, rawBody });
      expect([answer.status, answer.text.length < 10_000]).toEqual([400, true]);
      expect(['invalid-request', 'malformed-json']).toContain(answer.code);
    }
    const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`field-${index}`, index]));
    const answer = await scene.refused('PUT', '/companies/contoso', { token, body: fields }, [400, 'invalid-request']);
    expect(answer.text.length).toBeLessThan(20_000);
  });
  await livesOn();
});

attack('A48', async () => {
  const { token } = await scene.intruder('a48');
  const attempts = 3 * CALLS_PER_MINUTE;
  const answers = [];
  for (let count = 0; count < attempts; count += 1) {
    answers.push(await scene.refused('GET', '/companies/contoso', { token }, [404, 'company-not-found']));
  }
  const recorded = (await scene.events('a48')).filter(({ action }) => action === 'access.refused');
  // A minute may have ended in between; what is not recorded is in the log all the same.
  expect(recorded.length).toBeGreaterThanOrEqual(CALLS_PER_MINUTE);
  expect(recorded.length).toBeLessThanOrEqual(2 * CALLS_PER_MINUTE);
  for (const answer of answers) await scene.logged(answer, 'audit.event');
  const chain = await scene.run.call<{ status: string }>('GET', '/companies/a48/events/verify');
  expect(chain.body.status).toBe('intact');
});

attack('A93', async () => {
  const { tables } = scene.run.environment;
  const before = (await tables.requests()).at(-1)?.sequence ?? 0;
  for (let round = 0; round < PROBES / 20; round += 1) {
    const probes = Array.from({ length: 20 }, (_, index) =>
      scene.attempt(index % 2 === 0 ? 'GET' : 'HEAD', '/health/ready'),
    );
    for (const { status } of await Promise.all(probes)) expect(status).toBe(200);
  }
  // What timers ask meanwhile is a few dozen; that it is one look in five seconds is shown in test/store/readiness.test.ts.
  expect(((await tables.requests()).at(-1)?.sequence ?? 0) - before).toBeLessThan(PROBES / 2);
  await tables.plant({ effect: { status: 503 } });
  await until('a probe to see it', async () => (await scene.attempt('GET', '/health/ready')).status === 503);
  const { text } = await scene.attempt('GET', '/health/ready');
  await tables.clearFaults();
  expect(JSON.parse(text)).toEqual({ error: { code: 'not-ready', message: 'Keyswitch cannot work now; ask again.' } });
  await until('it to be ready again', async () => (await scene.attempt('GET', '/health/ready')).status === 200);
});
