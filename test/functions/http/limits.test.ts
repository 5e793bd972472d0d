// Calls that reach the vendor's vault or a customer's, or that begin work: so many a minute for each company, and then 429 with the time to wait.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MAX_CALLS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import { adminOf, Api, connect, registerCompany } from './api.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await registerCompany(api, 'globex');
  await connect(api, 'acme', 'main');
  api.clock.advance(60_000);
});
afterEach(() => api.close());

const ring = '/companies/acme/keyrings/default';
const target = { provider: 'azure-key-vault', connectionId: 'main' };

it.each<[string, 'GET' | 'PUT' | 'POST', (index: number) => string, unknown]>([
  ['re-keys', 'POST', () => `${ring}/rekey`, undefined],
  ['starts of switches', 'PUT', (index) => `${ring}/switches/s${index}`, target],
  ['retries of switches', 'POST', () => `${ring}/switches/s1/retry`, undefined],
  ['pauses of switches', 'POST', () => `${ring}/switches/s1/pause`, undefined],
  ['resumptions of switches', 'POST', () => `${ring}/switches/s1/resume`, undefined],
  ['confirmations of switches', 'POST', () => `${ring}/switches/s1/confirm`, undefined],
  ['cancels of switches', 'POST', () => `${ring}/switches/s1/cancel`, undefined],
  ['checks of the record', 'GET', () => '/companies/acme/events/verify', undefined],
  ['checks of a vault', 'POST', () => '/companies/acme/connections/main/check', undefined],
  [
    'puts of connections',
    'PUT',
    (index) => `/companies/acme/connections/c${index % 3}`,
    { vaultUri: 'https://contoso.vault.azure.net', keyName: 'main-key', credential: { kind: 'federated' } },
  ],
  ['puts of keyrings', 'PUT', () => '/companies/acme/keyrings/default', {}],
])('%s', async (_, method, path, body) => {
  const call = (index: number, as = adminOf('acme')) =>
    api.call(method, path(index), { as, ...(body === undefined ? {} : { body }) });
  for (let index = 0; index < MAX_CALLS_PER_MINUTE; index += 1) expect((await call(index)).status).not.toBe(429);
  const refused = await call(MAX_CALLS_PER_MINUTE);
  expect([refused.status, refused.body['code'] ?? refused.body['error']]).toMatchObject([429, expect.anything()]);
  expect(refused.headers.get('retry-after')).toMatch(/^([1-9]|[1-5]\d|60)$/);
  api.clock.advance(60_000);
  expect((await call(MAX_CALLS_PER_MINUTE)).status).not.toBe(429);
});

it('a loop of re-keys and cancels asks the vendor’s vault for no more than a minute has room for', async () => {
  let started = 0;
  for (let index = 0; index < 2 * MAX_CALLS_PER_MINUTE; index += 1) {
    const { status, body } = await api.call('POST', `${ring}/rekey`, { as: adminOf('acme') });
    if (status !== 202) continue;
    started += 1;
    await api.call('POST', `${ring}/switches/${body['switchId'] as unknown as string}/cancel`, { as: adminOf('acme') });
  }
  expect(started).toBe(MAX_CALLS_PER_MINUTE);
});

it('pauses and resumptions of a switch share a minute, and leave a cancel its own', async () => {
  const started = await api.call('POST', `${ring}/rekey`, { as: adminOf('acme') });
  const one = `${ring}/switches/${started.body['switchId'] as unknown as string}`;
  const steered: number[] = [];
  for (let index = 0; index < 2 * MAX_CALLS_PER_MINUTE; index += 1) {
    const verb = index % 2 === 0 ? 'pause' : 'resume';
    steered.push((await api.call('POST', `${one}/${verb}`, { as: adminOf('acme') })).status);
  }
  expect(steered.filter((status) => status !== 429)).toHaveLength(MAX_CALLS_PER_MINUTE);
  expect((await api.call('POST', `${one}/cancel`, { as: adminOf('acme') })).status).toBe(200);
});

it('one company’s minute is no other’s', async () => {
  for (let index = 0; index <= MAX_CALLS_PER_MINUTE; index += 1)
    await api.call('POST', `${ring}/rekey`, { as: adminOf('acme') });
  const other = await api.call('POST', '/companies/globex/keyrings/default/rekey', { as: adminOf('globex') });
  expect(other.status).toBe(202);
});

it('what is typed wrong is told as that, however often, and uses up nothing', async () => {
  const put = (vaultUri: string) =>
    api.call('PUT', '/companies/acme/connections/typed', {
      as: adminOf('acme'),
      body: { vaultUri, keyName: 'main-key', credential: { kind: 'federated' } },
    });
  for (let index = 0; index <= MAX_CALLS_PER_MINUTE; index += 1)
    expect((await put('https://contoso.vault.example')).status).toBe(400);
  expect((await put('https://contoso.vault.azure.net')).status).toBe(201);
});
