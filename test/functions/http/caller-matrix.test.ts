import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/http/routes.ts';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, auditor, backend, partner, registerCompany } from './api.ts';

const everyone = ['PartnerAdmin', 'CompanyAdmin', 'DataKeys', 'Auditor'];
const setUp = ['PartnerAdmin', 'CompanyAdmin'];
const reading = ['PartnerAdmin', 'CompanyAdmin', 'Auditor'];

/** The design's table of roles, call by call, spelt out here a second time. */
const MAY: Readonly<Record<string, readonly string[] | 'open'>> = {
  'list-companies': ['PartnerAdmin', 'Auditor'],
  'put-company': ['PartnerAdmin'],
  'get-company': reading,
  'delete-company': ['PartnerAdmin'],
  'list-keyrings': reading,
  'put-keyring': setUp,
  'get-keyring': reading,
  'list-connections': reading,
  'put-connection': setUp,
  'get-connection': reading,
  'delete-connection': setUp,
  'test-connection': setUp,
  'get-connection-instructions': reading,
  'get-connection-health': reading,
  'check-connection': setUp,
  'list-switches': reading,
  'start-switch': setUp,
  'get-switch': reading,
  'cancel-switch': setUp,
  'pause-switch': setUp,
  'resume-switch': setUp,
  'retry-switch': setUp,
  'retry-quarantined-data-key': ['PartnerAdmin'],
  'accept-loss-of-data-key': ['PartnerAdmin'],
  rekey: setUp,
  'create-data-keys': ['DataKeys'],
  'list-data-keys': ['PartnerAdmin', 'Auditor'],
  'get-data-key': ['PartnerAdmin', 'Auditor'],
  'delete-data-key': ['PartnerAdmin', 'DataKeys'],
  'restore-data-key': ['PartnerAdmin', 'DataKeys'],
  'unwrap-data-keys': ['DataKeys'],
  'list-events': reading,
  'verify-events': reading,
  'list-system-events': ['PartnerAdmin', 'Auditor'],
  'verify-system-events': ['PartnerAdmin', 'Auditor'],
  'get-liveness': 'open',
  'get-readiness': everyone,
  'get-api-description': 'open',
};

const OWN = 'acme';
const FOREIGN = 'globex';
const NOBODY = 'no-such-company';

const callers = {
  PartnerAdmin: partner,
  CompanyAdmin: adminOf(OWN),
  DataKeys: backend,
  Auditor: auditor,
};

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  await registerCompany(api, OWN);
  await registerCompany(api, FOREIGN);
});
afterAll(() => api.close());

const pathOf = (template: string, company: string): string =>
  template
    .replace('{companyId}', company)
    .replace('{keyringId}', 'default')
    .replace(/\{\w+\}/, 'one')
    .replace(/\{\w+\}/, 'two');

const call = (route: (typeof routes)[number], company: string, as?: Record<string, unknown>): Promise<ApiAnswer> =>
  api.call(route.method, pathOf(route.path, company), as ? { as } : {});

/** Everything that ends a company comes last. */
const inOrder = [...routes].sort((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));

test('every route is in the table of roles, and nothing else', () => {
  expect(routes.map((route) => route.operationId).sort()).toEqual(Object.keys(MAY).sort());
});

describe.each(inOrder.map((route) => [route.operationId, route] as const))('%s', (operationId, route) => {
  const may = MAY[operationId]!;
  const ofCompany = route.path.includes('{companyId}');

  test(may === 'open' ? 'needs no token' : 'answers 401 with a challenge when no token is sent', async () => {
    const answer = await call(route, OWN);
    if (may === 'open') expect(answer.status).toBe(200);
    else {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyswitch"');
    }
  });
  if (may === 'open') return;

  test('answers 403 to a token without any of the roles, whether there is such a company or not', async () => {
    expect((await call(route, OWN, { roles: ['Something.Else'] })).status).toBe(403);
    expect((await call(route, NOBODY, { roles: [] })).status).toBe(403);
  });

  test.each(Object.entries(callers))('for %s in a company that it may know of', async (role, as) => {
    const answer = await call(route, OWN, as);
    if (may.includes(role)) {
      expect([401, 403]).not.toContain(answer.status);
      if (operationId !== 'delete-company') expect(answer.body['error']?.['code']).not.toBe('company-not-found');
    } else {
      expect(answer.status).toBe(403);
      expect(answer.body['error']?.['code']).toBe('forbidden');
    }
  });

  if (!ofCompany) return;

  test('for a CompanyAdmin, another company is exactly like one that does not exist', async () => {
    const [foreign, absent] = [await call(route, FOREIGN, adminOf(OWN)), await call(route, NOBODY, adminOf(OWN))];
    expect(foreign.status).toBe(404);
    expect(absent.status).toBe(404);
    expect(JSON.stringify(foreign.body).replaceAll(FOREIGN, NOBODY)).toBe(JSON.stringify(absent.body));
    expect(foreign.body['error']?.['code']).toBe('company-not-found');
  });

  test('for a CompanyAdmin whose token names no company, every company is unknown', async () => {
    expect((await call(route, OWN, { roles: ['Keyswitch.CompanyAdmin'] })).status).toBe(404);
    expect((await call(route, OWN, adminOf('ACME'))).status).toBe(404);
  });
});

describe('several roles in one token', () => {
  test('add up: what one of them may, the caller may', async () => {
    const both = { ...adminOf(OWN), roles: ['Keyswitch.CompanyAdmin', 'Keyswitch.Auditor'] };
    expect((await api.call('GET', `/companies/${FOREIGN}`, { as: both })).status).toBe(200);
  });

  test('do not carry the right to one company over to another', async () => {
    const both = { ...adminOf(OWN), roles: ['Keyswitch.CompanyAdmin', 'Keyswitch.Auditor'] };
    const put = await api.call('PUT', `/companies/${FOREIGN}/keyrings/other`, { as: both, body: {} });
    expect(put.status).toBe(403);
  });
});

describe('the company of the path', () => {
  test('is compared as it is written: another spelling is another company', async () => {
    expect((await api.call('GET', '/companies/ACME', { as: adminOf(OWN) })).status).toBe(404);
  });
});
