import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../../functions/http/routes.ts';
import type { Claims } from '../../fakes/fake-token-issuer.ts';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, auditor, backend, vendor, registerCompany } from './api.ts';

const setUp = ['VendorAdmin', 'CompanyAdmin'];
const reading = ['VendorAdmin', 'CompanyAdmin', 'Auditor'];

/** The design's table of roles, call by call, spelt out here a second time. */
const MAY: Readonly<Record<string, readonly string[] | 'open'>> = {
  'list-companies': ['VendorAdmin', 'Auditor'],
  'put-company': ['VendorAdmin'],
  'get-company': reading,
  'delete-company': ['VendorAdmin'],
  'get-company-policy': reading,
  'put-company-policy': ['CompanyAdmin'],
  'get-company-deletion': ['VendorAdmin', 'Auditor'],
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
  'list-key-versions': reading,
  'check-connection': setUp,
  'request-consent': setUp,
  'open-consent-link': 'open',
  'begin-consent': 'open',
  'open-verification-link': 'open',
  'begin-verification': 'open',
  'come-back-from-sign-in': 'open',
  'answer-sign-in': 'open',
  'get-vault-claim': ['VendorAdmin'],
  'release-vault-claim': ['VendorAdmin'],
  'list-tenants': reading,
  'put-tenant': ['VendorAdmin'],
  'get-tenant': reading,
  'ask-tenants-refresh': setUp,
  'delete-tenant': ['VendorAdmin'],
  'request-verification': setUp,
  'list-switches': reading,
  'start-switch': setUp,
  'get-switch': reading,
  'cancel-switch': setUp,
  'pause-switch': setUp,
  'resume-switch': setUp,
  'confirm-switch': ['CompanyAdmin'],
  'retry-switch': setUp,
  'retry-quarantined-data-key': ['VendorAdmin'],
  'accept-loss-of-data-key': ['VendorAdmin'],
  'recount-keyring': ['VendorAdmin'],
  rekey: setUp,
  'create-data-keys': ['DataKeys'],
  'create-data-keys-by-default': ['DataKeys'],
  'unwrap-data-keys-by-default': ['DataKeys'],
  'list-data-keys': ['VendorAdmin', 'Auditor'],
  'get-data-key': ['VendorAdmin', 'Auditor'],
  'delete-data-key': ['VendorAdmin', 'DataKeys'],
  'restore-data-key': ['VendorAdmin', 'DataKeys'],
  'unwrap-data-keys': ['DataKeys'],
  'export-company-key': ['CompanyAdmin'],
  'list-events': reading,
  'verify-events': reading,
  'view-event': reading,
  'view-system-event': ['VendorAdmin', 'Auditor'],
  'list-webhooks': reading,
  'get-webhook': reading,
  'list-webhook-deliveries': reading,
  'list-dead-letters': reading,
  'put-webhook': setUp,
  'delete-webhook': setUp,
  'rotate-webhook-secret': setUp,
  'test-webhook': setUp,
  'redeliver-events': setUp,
  'list-global-webhooks': ['VendorAdmin', 'Auditor'],
  'get-global-webhook': ['VendorAdmin', 'Auditor'],
  'list-global-webhook-deliveries': ['VendorAdmin', 'Auditor'],
  'list-global-dead-letters': ['VendorAdmin', 'Auditor'],
  'put-global-webhook': ['VendorAdmin'],
  'delete-global-webhook': ['VendorAdmin'],
  'rotate-global-webhook-secret': ['VendorAdmin'],
  'test-global-webhook': ['VendorAdmin'],
  'redeliver-global-events': ['VendorAdmin'],
  'list-system-events': ['VendorAdmin', 'Auditor'],
  'verify-system-events': ['VendorAdmin', 'Auditor'],
  'get-operations-status': ['VendorAdmin', 'Auditor'],
  'list-company-standings': ['VendorAdmin', 'Auditor'],
  'run-timer': ['VendorAdmin'],
  'get-timer': ['VendorAdmin', 'Auditor'],
  'get-liveness': 'open',
  'get-readiness': 'open',
  'get-timers-health': 'open',
  'get-health': ['VendorAdmin', 'Auditor'],
  'get-api-description': 'open',
};

const OWN = 'acme';
const FOREIGN = 'globex';
const NOBODY = 'no-such-company';

const OTHER = { roles: ['Something.Else'] };
/** Of one role, to each place; by the claim, and by an app role. */
const confinedOf = (role: string, claims: Claims): Readonly<Record<string, Claims>> => {
  const to = (...names: string[]): Claims => ({ ...claims, extension_companies: names });
  const { roles } = claims as { readonly roles: readonly string[] };
  return {
    [`${role} confined to its company`]: { ...claims, roles: [...roles, `Keyswitch.Company.${OWN}`] },
    [`${role} confined to another company`]: to('another'),
    [`${role} confined to its keyring`]: to(`${OWN}/default`, `${OWN}/third`),
    [`${role} confined to another keyring`]: to(`${OWN}/other`, 'another'),
  };
};
const callers: Readonly<Record<string, Claims | undefined>> = {
  'no token': undefined,
  'a token without any of the roles': OTHER,
  VendorAdmin: vendor,
  CompanyAdmin: adminOf(OWN),
  'CompanyAdmin of no company': { roles: ['Keyswitch.CompanyAdmin'] },
  DataKeys: backend,
  Auditor: auditor,
  ...confinedOf('VendorAdmin', vendor),
  ...confinedOf('CompanyAdmin', adminOf(OWN)),
  ...confinedOf('DataKeys', backend),
  ...confinedOf('Auditor', auditor),
  'Auditor with a confinement that cannot be read': { ...auditor, extension_companies: '' },
};

/** What a route is about, for tokens that are confined: spelt out for each, here a second time. */
const REACHES: Readonly<Record<Reach, readonly string[]>> = {
  // Refused to every confined token.
  'all companies': [
    ...['view-system-event', 'list-system-events', 'verify-system-events'],
    ...['list-global-webhooks', 'get-global-webhook', 'list-global-webhook-deliveries', 'list-global-dead-letters'],
    ...['put-global-webhook', 'delete-global-webhook', 'rotate-global-webhook-secret', 'test-global-webhook'],
    ...['redeliver-global-events', 'get-operations-status', 'list-company-standings', 'run-timer', 'get-timer'],
    'get-health',
  ],
  // Answered of those that the token reaches as a whole, and as if there were no others.
  'its companies': ['list-companies', 'get-vault-claim', 'release-vault-claim'],
  'a company': [
    ...['put-company', 'get-company', 'delete-company', 'get-company-deletion'],
    ...['get-company-policy', 'put-company-policy', 'list-keyrings', 'put-keyring'],
    ...['list-connections', 'put-connection', 'get-connection', 'delete-connection', 'test-connection'],
    ...['get-connection-instructions', 'get-connection-health', 'list-key-versions', 'check-connection'],
    ...['request-consent', 'list-tenants', 'put-tenant', 'get-tenant', 'delete-tenant', 'request-verification'],
    'ask-tenants-refresh',
    ...['list-events', 'verify-events', 'view-event'],
    ...['list-webhooks', 'get-webhook', 'list-webhook-deliveries', 'list-dead-letters', 'put-webhook'],
    ...['delete-webhook', 'rotate-webhook-secret', 'test-webhook', 'redeliver-events'],
  ],
  'a keyring': [
    ...['get-keyring', 'list-switches', 'start-switch', 'get-switch', 'cancel-switch', 'pause-switch'],
    ...['resume-switch', 'confirm-switch', 'retry-switch', 'retry-quarantined-data-key', 'accept-loss-of-data-key'],
    ...['recount-keyring', 'rekey', 'create-data-keys', 'list-data-keys', 'get-data-key', 'delete-data-key'],
    ...['restore-data-key', 'unwrap-data-keys', 'export-company-key'],
  ],
  // Which only the operation knows.
  'the default keyring': ['create-data-keys-by-default', 'unwrap-data-keys-by-default'],
};
type Reach = 'all companies' | 'its companies' | 'a company' | 'a keyring' | 'the default keyring';

const reachOf = (operationId: string): Reach | undefined =>
  (Object.keys(REACHES) as Reach[]).find((reach) => REACHES[reach].includes(operationId));

type Class =
  | 'let through'
  | '401'
  | '403'
  | '403 for its confinement'
  | '403 for what cannot be read'
  | '404 for the company'
  | '404 for the keyring';
interface Cell {
  readonly route: (typeof routes)[number];
  readonly caller: string;
  /** What is written in the path, if the route has a company there. */
  readonly company?: string;
}

/** The design's rules; who may call comes from the table above, never from the route itself. */
function expected({ route, caller, company }: Cell): Class {
  const may = MAY[route.operationId] ?? [];
  if (may === 'open') return 'let through';
  if (caller === 'no token') return '401';
  if (callers[caller] === OTHER) return '403';
  const outside = outsideOf({ route, caller, ...(company === undefined ? {} : { company }) });
  if (outside) return outside;
  const isNobodys = caller === 'CompanyAdmin of no company';
  const knows = !caller.startsWith('CompanyAdmin') || (!isNobodys && company === OWN);
  if (company !== undefined && !knows) return '404 for the company';
  const [role = ''] = caller.split(' ');
  return may.includes(role) ? 'let through' : '403';
}

/** By the confinement of the token, whatever its role. */
function outsideOf({ route, caller, company }: Cell): Class | undefined {
  if (caller.endsWith('cannot be read')) return '403 for what cannot be read';
  const [, to] = caller.split(' confined to ');
  const reach = reachOf(route.operationId);
  if (to === undefined) return undefined;
  if (reach === 'all companies') return '403 for its confinement';
  if (reach === 'its companies') return undefined;
  if (to === 'another company' || company !== OWN) return '404 for the company';
  if (to === 'its company') return undefined;
  if (reach === 'a company') return '403 for its confinement';
  if (reach === 'the default keyring') return undefined;
  return to === 'its keyring' ? undefined : '404 for the keyring';
}

function classOf({ status, body }: ApiAnswer): Class {
  const code = body['error']?.['code'] as unknown;
  if (status === 401) return '401';
  if (status === 403 && code === 'forbidden') return '403';
  if (status === 403 && code === 'token-confined') return '403 for its confinement';
  if (status === 403 && code === 'confinement-unreadable') return '403 for what cannot be read';
  if (status === 404 && code === 'keyring-not-found') return '404 for the keyring';
  return status === 404 && code === 'company-not-found' ? '404 for the company' : 'let through';
}

const ends = ({ route }: Cell): boolean => route.operationId === 'delete-company';
const isRefused = (cell: Cell): boolean => expected(cell) !== 'let through';
/** What is refused comes first and must change nothing; what ends a company comes last. */
const order = (cell: Cell): number => (isRefused(cell) ? 0 : ends(cell) ? 2 : 1);

const cells = routes
  .flatMap((route): Cell[] => {
    const companies = route.path.includes('{companyId}') ? [{ company: OWN }, { company: FOREIGN }] : [{}];
    return Object.keys(callers).flatMap((caller) => companies.map((where) => ({ route, caller, ...where })));
  })
  .sort((a, b) => order(a) - order(b));

const titleOf = (cell: Cell): string =>
  [cell.route.operationId, cell.caller, ...(cell.company === undefined ? [] : [cell.company]), expected(cell)].join(
    ' · ',
  );

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
    .replace('{timer}', 'sweep')
    .replace(/\{\w+\}/, 'one')
    .replace(/\{\w+\}/, 'two');

const call = (route: Cell['route'], company: string, as?: Claims): Promise<ApiAnswer> =>
  api.call(route.method, pathOf(route.path, company), as ? { as } : {});

/** All that is stored but the record of what was refused, and what says that its head is to be signed. */
const stored = (): unknown =>
  [...api.store.dump()].filter(({ table, rowKey }) => table !== 'events' && !rowKey.startsWith('head|'));

test('every route is in the table of roles, and nothing else', () => {
  expect(routes.map((route) => route.operationId).sort()).toEqual(Object.keys(MAY).sort());
});

test('of every route that asks for a token is said how far one that is confined must reach', () => {
  const asking = Object.keys(MAY).filter((id) => MAY[id] !== 'open');
  expect(Object.values(REACHES).flat().sort()).toEqual(asking.sort());
});

test.each(cells.map((cell) => [titleOf(cell), cell] as const))('%s', async (_title, cell) => {
  const before = stored();
  const answer = await call(cell.route, cell.company ?? OWN, callers[cell.caller]);
  expect(classOf(answer)).toBe(expected(cell));
  expect(answer.status).not.toBe(500);
  if (isRefused(cell)) expect(stored()).toEqual(before);
  if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="keyswitch"');
});

describe.each(
  routes.filter(({ path }) => path.includes('{companyId}')).map((route) => [route.operationId, route] as const),
)('%s', (operationId, route) => {
  if (MAY[operationId] === 'open') return;

  test('for a CompanyAdmin, another company is exactly like one that does not exist', async () => {
    const [foreign, absent] = [await call(route, FOREIGN, adminOf(OWN)), await call(route, NOBODY, adminOf(OWN))];
    expect([foreign.status, absent.status]).toEqual([404, 404]);
    expect(JSON.stringify(foreign.body).replaceAll(FOREIGN, NOBODY)).toBe(JSON.stringify(absent.body));
  });

  test('to a token without any of the roles says nothing of whether there is such a company', async () => {
    const [there, absent] = [await call(route, OWN, OTHER), await call(route, NOBODY, OTHER)];
    expect([there.status, absent.status]).toEqual([403, 403]);
    expect(JSON.stringify(there.body).replaceAll(OWN, NOBODY)).toBe(JSON.stringify(absent.body));
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
