// What the vendor lets a company have: asked where something new begins, and never of what is in force or of a way out.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, connect, registerCompany, vendor } from './api.ts';

const COMPANY = '/companies/acme';
const RING = `${COMPANY}/keyrings/default`;
const admin = adminOf('acme');
const CONNECTION = {
  vaultUri: 'https://contoso.vault.azure.net',
  keyName: 'another-key',
  credential: { kind: 'federated' },
};
const TO_MAIN = { provider: 'azure-key-vault', connectionId: 'main' };

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
});
afterEach(() => api.close());

const limit = (features: readonly string[]): Promise<ApiAnswer> =>
  api.call('PUT', COMPANY, { as: vendor, body: { features } });
const put = (path: string, body: unknown): Promise<ApiAnswer> => api.call('PUT', COMPANY + path, { as: admin, body });
const post = (path: string): Promise<ApiAnswer> => api.call('POST', RING + path, { as: admin });
const outcome = ({ status, headers }: ApiAnswer): string => `${status} ${headers.get('x-ms-error-code') ?? ''}`.trim();
const MAY_NOT = '409 feature-not-enabled';

async function switched(): Promise<void> {
  await connect(api, 'acme', 'main');
  expect(outcome(await put('/keyrings/default/switches/there', TO_MAIN))).toBe('202');
  await api.work();
  expect((await api.call('GET', RING, { as: admin })).body['provider']).toEqual(TO_MAIN);
}

it('a company has every feature until the vendor says which, and again after `all`', async () => {
  expect((await api.call('GET', COMPANY, { as: admin })).body).not.toHaveProperty('features');
  expect((await limit(['customer-keys', 'federated'])).body['features']).toEqual(['customer-keys', 'federated']);
  expect((await api.call('GET', COMPANY, { as: admin })).body['features']).toEqual(['customer-keys', 'federated']);
  const renamed = await api.call('PUT', COMPANY, { as: vendor, body: { displayName: 'Acme Ltd' } });
  expect(renamed.body['features']).toEqual(['customer-keys', 'federated']);
  expect((await limit(['all'])).body).not.toHaveProperty('features');
});

it.each([
  ['a name that no feature has', ['customer-key']],
  ['a text', 'customer-keys'],
  ['a feature that comes more often than there are features', Array.from({ length: 9 }, () => 'federated')],
])('%s is refused', async (_, features) => {
  expect(outcome(await api.call('PUT', COMPANY, { as: vendor, body: { features } }))).toBe('400 invalid-request');
});

it('an admin of the company gives itself none', async () => {
  expect(outcome(await put('', { features: ['all'] }))).toBe('403 forbidden');
});

it.each<[string, readonly string[], string]>([
  ['none', [], MAY_NOT],
  ['customer-keys without the kind of credential', ['customer-keys'], MAY_NOT],
  ['the kind of credential alone', ['federated', 'more-keyrings'], MAY_NOT],
  ['both', ['customer-keys', 'federated'], '201'],
])('a connection takes customer-keys and its kind of credential: %s', async (_, features, expected) => {
  await limit(features);
  expect(outcome(await put('/connections/new', CONNECTION))).toBe(expected);
});

it('a connection is pointed nowhere else once customer-keys is taken away, and the same again is no change', async () => {
  await put('/connections/new', CONNECTION);
  await limit([]);
  expect(outcome(await put('/connections/new', { ...CONNECTION, keyName: 'elsewhere' }))).toBe(MAY_NOT);
  expect(outcome(await put('/connections/new', CONNECTION))).toBe('200');
  expect(outcome(await api.call('DELETE', `${COMPANY}/connections/new`, { as: admin }))).toBe('204');
});

it('a switch to a vault of its own takes them as well', async () => {
  await connect(api, 'acme', 'main');
  await limit(['more-keyrings']);
  expect(outcome(await put('/keyrings/default/switches/there', TO_MAIN))).toBe(MAY_NOT);
  await limit(['all']);
  expect(outcome(await put('/keyrings/default/switches/there', TO_MAIN))).toBe('202');
});

it('more keyrings than the first take more-keyrings, and those that are there stay', async () => {
  await put('/keyrings/second', {});
  await limit(['customer-keys']);
  expect(outcome(await put('/keyrings/third', {}))).toBe(MAY_NOT);
  expect(outcome(await put('/keyrings/second', { isDefault: true }))).toBe('200');
  expect(outcome(await api.call('PUT', '/companies/globex', { as: vendor, body: { features: [] } }))).toBe('201');
  expect(outcome(await api.call('GET', '/companies/globex/keyrings/default', { as: vendor }))).toBe('200');
});

it('what is in force stays, and every way out is free: re-key, export, switch back', async () => {
  await switched();
  await limit([]);
  const exported = { as: admin, body: { passphrase: 'a passphrase that is long enough, and more' } };
  expect(outcome(await api.call('POST', `${RING}/export`, exported))).toBe('200');
  expect(outcome(await post('/rekey'))).toBe('202');
  await api.work();
  expect(outcome(await put('/keyrings/default/switches/back', { provider: 'managed' }))).toBe('202');
  await api.work();
  expect((await api.call('GET', RING, { as: admin })).body['provider']).toEqual({ provider: 'managed' });
  expect(outcome(await put('/keyrings/default/switches/again', TO_MAIN))).toBe(MAY_NOT);
});

it('a switch that is under way goes on, and can be cancelled', async () => {
  await connect(api, 'acme', 'main');
  await put('/keyrings/default/switches/there', TO_MAIN);
  await limit([]);
  expect(outcome(await put('/keyrings/default/switches/there', TO_MAIN))).toBe('202');
  expect(outcome(await post('/switches/there/cancel'))).toBe('200');
  await api.work();
  expect((await api.call('GET', RING, { as: admin })).body['provider']).toEqual({ provider: 'managed' });
});

it.each(['no JSON', '{"customer-keys":true}', '["customer-keys", 7, "unknown"]'])(
  'what cannot be read of a row is forged, and is shown as no feature and never as all: %s',
  async (cell) => {
    const row = api.store.peek('companies', 'acme', 'company');
    api.store.tamper('companies', 'acme', 'company', { ...row?.cells, features: cell });
    expect(outcome(await put('/connections/new', CONNECTION))).toBe('409 row-forged');
    const shown = (await api.call('GET', COMPANY, { as: admin })).body['features'];
    expect(shown).toEqual(cell.startsWith('[') ? ['customer-keys'] : []);
  },
);

it('lifted in the tables, they are forged: nothing that takes one begins, until the vendor says them again', async () => {
  await limit(['customer-keys', 'federated']);
  const { features: _, ...cells } = api.store.peek('companies', 'acme', 'company')?.cells ?? {};
  const lifted = [cells, { ...cells, features: JSON.stringify(['more-keyrings']) }, { ...cells, featuresSeal: 'x' }];
  for (const row of lifted) {
    api.store.tamper('companies', 'acme', 'company', row);
    expect(outcome(await put('/keyrings/second', {}))).toBe('409 row-forged');
    expect(outcome(await put('/connections/main', CONNECTION))).toBe('409 row-forged');
  }
  const { body } = await api.call('GET', `${COMPANY}/events`, { as: admin });
  const events = body['value'] as unknown as { readonly action: string; readonly target: string }[];
  expect(events.find(({ action }) => action === 'security.row-forged')?.target).toBe('company');
  // The company's own word signs nothing of the vendor's.
  const policy = { vendorKey: 'allowed', keyringsPerProvider: 'one' };
  expect(outcome(await put('/policy', policy))).toBe('200');
  expect(outcome(await put('/keyrings/second', {}))).toBe('409 row-forged');
  await limit(['all']);
  expect(outcome(await put('/connections/main', CONNECTION))).toBe('201');
});
