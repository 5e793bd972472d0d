// To which companies and keyrings a token is confined, in every form that an issuer puts them into one; and what such a token is refused.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuse, type Caller } from '../../../functions/http/kernel/caller.ts';
import { CONFINING_ROLE, confinementOf, MAX_CONFINED_PLACES } from '../../../functions/http/kernel/confinement.ts';
import type { Role } from '../../../functions/http/kernel/roles.ts';
import { Api, backend, connect, CUSTOMER_HOST, CUSTOMER_KEY, registerCompany, vendor } from './api.ts';

const CLAIM = 'extn.companies';
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `company-${index}`);

/** As text: `acme: whole, globex: a b`. */
function read(claims: Readonly<Record<string, unknown>>): string {
  const confinement = confinementOf(claims, CLAIM);
  if (confinement.type !== 'to') return confinement.type;
  const places = [...confinement.places];
  return places.map(([id, within]) => `${id}: ${within === 'whole' ? within : [...within].join(' ')}`).join(', ');
}

describe('what a token names', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['nothing', {}, 'none'],
    ['one company, as a string', { [CLAIM]: 'acme' }, 'acme: whole'],
    ['one company, as an array, as of an attribute of a directory extension', { [CLAIM]: ['acme'] }, 'acme: whole'],
    ['several, as an array', { [CLAIM]: ['acme', 'globex'] }, 'acme: whole, globex: whole'],
    [
      'several, as one string, as a constant of a claims policy',
      { [CLAIM]: ' acme globex, x ' },
      'acme: whole, globex: whole, x: whole',
    ],
    ['a keyring', { [CLAIM]: 'acme/payroll' }, 'acme: payroll'],
    ['keyrings of a company', { [CLAIM]: ['acme/b', 'globex', 'acme/a'] }, 'acme: b a, globex: whole'],
    ['a company and a keyring of it: all of it', { [CLAIM]: ['acme/a', 'acme', 'acme/b'] }, 'acme: whole'],
    ['the same one twice', { [CLAIM]: ['acme', 'acme'] }, 'acme: whole'],
    ['an app role of a company', { roles: ['Keyswitch.DataKeys', `${CONFINING_ROLE}acme`] }, 'acme: whole'],
    ['an app role of a keyring', { roles: [`${CONFINING_ROLE}acme/payroll`] }, 'acme: payroll'],
    ['both, together', { [CLAIM]: 'globex', roles: [`${CONFINING_ROLE}acme`] }, 'globex: whole, acme: whole'],
    ['other roles only', { roles: ['Keyswitch.DataKeys', 'Keyswitch.CompanyAdmin', 7] }, 'none'],
    ['a role that is spelt almost right', { roles: ['keyswitch.company.acme'] }, 'unreadable'],
    ['a role with another sign', { roles: ['Keyswitch.DataKeys', 'Keyswitch.Company/acme'] }, 'unreadable'],
    ['a role with a low line', { roles: ['Keyswitch.DataKeys', 'Keyswitch_Company.acme'] }, 'unreadable'],
    ['another claim', { 'extn.company': 'acme', EXTN_COMPANIES: 'acme' }, 'none'],
    [
      'as many as it may',
      { [CLAIM]: many(MAX_CONFINED_PLACES) },
      many(MAX_CONFINED_PLACES)
        .map((id) => `${id}: whole`)
        .join(', '),
    ],
  ])('%s', (_, claims, places) => {
    expect(read(claims)).toBe(places);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['an empty string', { [CLAIM]: '' }],
    ['blanks', { [CLAIM]: ' , ' }],
    ['an empty array', { [CLAIM]: [] }],
    ['null', { [CLAIM]: null }],
    ['a number', { [CLAIM]: 7 }],
    ['true', { [CLAIM]: true }],
    ['an object', { [CLAIM]: { acme: true } }],
    ['arrays in an array', { [CLAIM]: [['acme']] }],
    ['an array with something that is no text', { [CLAIM]: ['acme', null] }],
    ['JSON as text', { [CLAIM]: '["acme"]' }],
    ['every company', { [CLAIM]: '*' }],
    ['a company in capitals', { [CLAIM]: 'ACME' }],
    ['a company with a blank before it', { [CLAIM]: [' acme'] }],
    ['several in one element of an array', { [CLAIM]: ['acme globex'] }],
    ['an empty company', { [CLAIM]: ['/payroll'] }],
    ['an empty keyring', { [CLAIM]: ['acme/'] }],
    ['more than a keyring', { [CLAIM]: ['acme/payroll/x'] }],
    ['a path upwards', { [CLAIM]: ['acme/..'] }],
    ['one good and one bad', { [CLAIM]: ['acme', 'no_company'] }],
    ['a bad one beside a good app role', { [CLAIM]: '', roles: [`${CONFINING_ROLE}acme`] }],
    ['an app role that names nothing', { roles: [CONFINING_ROLE] }],
    ['an app role in capitals', { roles: [`${CONFINING_ROLE}ACME`] }],
    ['one more than it may', { [CLAIM]: many(MAX_CONFINED_PLACES + 1) }],
    ['so many that Entra has put them elsewhere', { _claim_names: { [CLAIM]: 'src1' }, _claim_sources: {} }],
  ])('and what cannot be read is told as that, never as all: %s', (_, claims) => {
    expect(read(claims)).toBe('unreadable');
  });
});

describe('a token', () => {
  const caller = (claims: Readonly<Record<string, unknown>>, ...roles: Role[]): Caller => ({
    roles: new Set(roles),
    subject: 'entra:x',
    confinement: confinementOf(claims, CLAIM),
  });
  const ROUTE = { roles: ['VendorAdmin', 'DataKeys'] as const };
  const of = (companyId: string, keyringId?: string) => ({
    ...ROUTE,
    companyId,
    ...(keyringId === undefined ? {} : { keyringId }),
  });

  it.each([
    ['that names a company reaches it', 'acme', of('acme', 'any'), undefined],
    ['that names a company reaches no other', 'acme', of('globex'), 'unknown-company'],
    ['that names a keyring reaches it', 'acme/a', of('acme', 'a'), undefined],
    ['that names a keyring reaches no other of the company', 'acme/a', of('acme', 'b'), 'unknown-keyring'],
    ['that names a keyring does not reach the company', 'acme/a', of('acme'), 'token-confined'],
    ['that names a keyring reaches none of that name elsewhere', 'acme/a', of('globex', 'a'), 'unknown-company'],
    ['that names a company does nothing that concerns all', 'acme', ROUTE, 'token-confined'],
    ['that names a company is answered of its own', 'acme', { ...ROUTE, isShared: true }, undefined],
    ['that names none reaches all', undefined, of('globex', 'b'), undefined],
    ['that names none does what concerns all', undefined, ROUTE, undefined],
    ['that cannot be read reaches nothing', '*', of('acme', 'a'), 'confinement-unreadable'],
    ['that cannot be read is answered of nothing', '*', { ...ROUTE, isShared: true }, 'confinement-unreadable'],
  ])('%s', (_, named, access, refused) => {
    const claims = named === undefined ? {} : { [CLAIM]: named };
    expect(refuse(caller(claims, 'VendorAdmin'), access)?.type).toBe(refused);
    expect(refuse(caller(claims, 'DataKeys'), access)?.type).toBe(refused);
  });

  it('of a company’s admin is confined as well, if it says so', () => {
    const admin = { ...caller({ [CLAIM]: 'globex' }, 'CompanyAdmin'), companyId: 'acme' };
    const access = { roles: ['CompanyAdmin'] as const, companyId: 'acme' };
    expect(refuse(admin, access)).toEqual({ type: 'unknown-company', companyId: 'acme' });
    expect(refuse({ ...admin, confinement: { type: 'none' } }, access)).toBeUndefined();
  });

  it('that names none is refused where its role must be confined, and taken where it need not', () => {
    const mustBe = new Set<Role>(['DataKeys']);
    const at = of('acme', 'a');
    expect(refuse(caller({}, 'DataKeys'), at, mustBe)).toEqual({ type: 'confinement-required' });
    expect(refuse(caller({}, 'VendorAdmin', 'DataKeys'), at, mustBe)).toEqual({ type: 'confinement-required' });
    expect(refuse(caller({}, 'VendorAdmin'), at, mustBe)).toBeUndefined();
    expect(refuse(caller({ [CLAIM]: 'acme' }, 'DataKeys'), at, mustBe)).toBeUndefined();
  });

  it('without any of the roles is told nothing of its confinement', () => {
    expect(refuse(caller({ [CLAIM]: '*' }), of('acme'))?.type).toBe('forbidden');
  });
});

describe('a partner, whose token names some of the companies', () => {
  const partner = { ...vendor, extension_companies: ['acme', 'globex', 'not-there-yet'] };
  const ids = ({ body }: Awaited<ReturnType<Api['call']>>): unknown =>
    (body['value'] as unknown as { readonly companyId: string }[]).map(({ companyId }) => companyId);
  let api: Api;
  beforeAll(async () => {
    api = await Api.start();
    for (const id of ['acme', 'contoso', 'globex', 'tailspin']) await registerCompany(api, id);
    await connect(api, 'acme', 'main');
  });
  afterAll(() => api.close());

  it('lists these alone, page by page', async () => {
    expect(ids(await api.call('GET', '/companies', { as: partner }))).toEqual(['acme', 'globex']);
    const first = await api.call('GET', '/companies?maxpagesize=1', { as: partner });
    expect(ids(first)).toEqual(['acme']);
    const second = await api.call('GET', first.body['nextLink'] as unknown as string, { as: partner });
    expect(ids(second)).toEqual(['globex']);
    expect(ids(await api.call('GET', '/companies', { as: vendor }))).toHaveLength(4);
  });

  it('registers one that its token names, and no other', async () => {
    const put = (id: string) => api.call('PUT', `/companies/${id}`, { as: partner, body: {} });
    expect((await put('fabrikam')).status).toBe(404);
    expect((await put('not-there-yet')).status).toBe(201);
  });

  it('sees claims of its own companies’ keys, and releases no other', async () => {
    const claim = `/vault-claims/${CUSTOMER_HOST}/${CUSTOMER_KEY}`;
    const elsewhere = { ...vendor, extension_companies: 'globex' };
    expect((await api.call('GET', claim, { as: partner })).body['companyId']).toBe('acme');
    const [hidden, absent] = [
      await api.call('GET', claim, { as: elsewhere }),
      await api.call('GET', claim.replace(CUSTOMER_KEY, 'no-such-key'), { as: elsewhere }),
    ];
    expect(JSON.stringify(hidden.body).replaceAll(CUSTOMER_KEY, 'no-such-key')).toBe(JSON.stringify(absent.body));
    expect((await api.call('DELETE', claim, { as: elsewhere })).status).toBe(404);
    expect((await api.call('GET', claim, { as: vendor })).status).toBe(200);
    expect((await api.call('DELETE', claim, { as: partner })).status).toBe(204);
  });

  it('is refused what concerns all companies, and that is recorded', async () => {
    const refused = await api.call('GET', '/events', { as: partner });
    expect([refused.status, refused.body['error']?.['code']]).toEqual([403, 'token-confined']);
    const { body } = await api.call('GET', '/events', { as: vendor });
    const events = body['value'] as unknown as {
      readonly action: string;
      readonly detail: { readonly code?: string };
    }[];
    expect(events.filter(({ action }) => action === 'access.refused').map(({ detail }) => detail.code)).toContain(
      'token-confined',
    );
  });

  it('makes no keyring default, nor a new one, by a token that is confined to a keyring', async () => {
    const as = { ...vendor, extension_companies: 'acme/default' };
    const put = await api.call('PUT', '/companies/acme/keyrings/default', { as, body: { isDefault: true } });
    expect([put.status, put.body['error']?.['code']]).toEqual([403, 'token-confined']);
    expect((await api.call('GET', '/companies/acme/keyrings/default', { as })).status).toBe(200);
  });

  it('a backend that is confined to a keyring unwraps there, and is told of no other', async () => {
    const as = { roles: [...(backend['roles'] as string[]), 'Keyswitch.Company.acme/default'] };
    const unwrap = (company: string, keyring: string) =>
      api.call('POST', `/companies/${company}/keyrings/${keyring}/unwrap`, { as, body: { keyIds: ['k'] } });
    expect((await unwrap('acme', 'default')).status).toBe(200);
    await api.call('PUT', '/companies/acme/keyrings/other', { as: vendor, body: {} });
    const [hidden, absent] = [await unwrap('acme', 'other'), await unwrap('acme', 'absent')];
    expect(hidden.status).toBe(404);
    expect(JSON.stringify(hidden.body).replaceAll('other', 'absent')).toBe(JSON.stringify(absent.body));
    expect((await unwrap('globex', 'default')).body['error']?.['code']).toBe('company-not-found');
  });
});
