// Methods that clients, probes and strangers use beside those of the table.
import { METHODS } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL_METHODS, makeHearable } from '../../../functions/http/kernel/methods.ts';
import { fullPath } from '../../../functions/http/kernel/route.ts';
import { routes } from '../../../functions/http/routes.ts';
import type { Claims } from '../../fakes/fake-token-issuer.ts';
import { CUSTOMER_TENANT, adminOf, Api, backend, connect, vendor, registerCompany } from './api.ts';

const IDS: Readonly<Record<string, string>> = {
  companyId: 'acme',
  connectionId: 'main',
  keyringId: 'default',
  switchId: 'one',
  keyId: 'first',
  kind: 'microsoft-365',
  tenantId: CUSTOMER_TENANT,
  link: 'none',
};
const ring = '/companies/acme/keyrings/default';

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
  await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys: [{ keyId: 'first' }] } });
  await api.call('PUT', `/companies/acme/tenants/microsoft-365/${CUSTOMER_TENANT}`, { as: vendor });
  const target = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', `${ring}/switches/one`, { as: adminOf('acme'), body: target });
});
afterAll(() => api.close());

const place = (template: string): string => template.replaceAll(/\{(\w+)\}/g, (_, name: string) => IDS[name] ?? 'one');
/** What may differ between two answers to the same question. */
const steady = (headers: Headers): unknown => [...headers].filter(([name]) => name !== 'x-ms-request-id');

test.each(routes.filter(({ method }) => method === 'GET').map((route) => [route.operationId, route] as const))(
  'HEAD answers as GET does, without the body: %s',
  async (_, route) => {
    for (const as of [vendor, undefined]) {
      const caller: { as?: Claims } = as ? { as } : {};
      const got = await api.call('GET', place(fullPath(route)), caller);
      const head = await api.call('HEAD', place(fullPath(route)), caller);
      expect([head.status, steady(head.headers)]).toEqual([got.status, steady(got.headers)]);
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
      expect([head.html, head.body]).toEqual([undefined, {}]);
    }
  },
);

test('HEAD knows If-None-Match, and is refused where GET is', async () => {
  const { headers } = await api.call('HEAD', '/companies/acme', { as: vendor });
  const known = { 'if-none-match': headers.get('etag') ?? '' };
  expect((await api.call('HEAD', '/companies/acme', { as: vendor, headers: known })).status).toBe(304);
  const refused = await api.call('HEAD', '/companies/none', { as: vendor });
  expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([404, 'company-not-found']);
});

test('every method that a server can read is answered: 405 with Allow and a request id where another would do', async () => {
  expect(ALL_METHODS.length).toBe(METHODS.length - 1);
  for (const method of ALL_METHODS.filter((one) => !['GET', 'HEAD'].includes(one))) {
    const answer = await api.call(method, `${ring}/datakeys/first/restore`);
    if (method === 'POST') continue;
    expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST']);
    expect(answer.headers.get('x-ms-request-id')).toMatch(/./);
    expect((await api.call(method, '/api/nothing')).status).toBe(404);
  }
});

test('the library can make a request of every method as the app hears it', () => {
  const heard = METHODS.map((method) => {
    const request = { method };
    makeHearable(request);
    return new Request('https://a.example', request).method;
  });
  expect(heard.filter((method, index) => method !== METHODS[index])).toEqual(['OPTIONS', 'OPTIONS']);
  expect(METHODS.filter((method, index) => method !== heard[index])).toEqual(['CONNECT', 'TRACE']);
});
