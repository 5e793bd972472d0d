// Routes that let a confined token through without a company or keyring in their path: each answers it of what it is confined to, and of nothing else.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Role } from '../../../functions/http/kernel/roles.ts';
import { routes } from '../../../functions/http/routes.ts';
import { Api, connect, CUSTOMER_HOST, CUSTOMER_KEY, registerCompany, vendor } from './api.ts';

const CLAIM_OF_ACME = `/vault-claims/${CUSTOMER_HOST}/${CUSTOMER_KEY}`;
const NO_CLAIM = '404 vault-claim-not-found';
const CALLS: Readonly<Record<string, readonly [method: string, path: string, body?: object]>> = {
  'list-companies': ['GET', '/companies'],
  'get-vault-claim': ['GET', CLAIM_OF_ACME],
  'release-vault-claim': ['DELETE', CLAIM_OF_ACME],
  'create-data-keys-by-default': ['POST', '/companies/acme/datakeys', { keys: [{ keyId: 'a' }] }],
  'unwrap-data-keys-by-default': ['POST', '/companies/acme/unwrap', { keyIds: ['a'] }],
};

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  for (const id of ['acme', 'globex']) await registerCompany(api, id);
  await api.call('PUT', '/companies/acme/keyrings/payroll', { as: vendor, body: {} });
  await connect(api, 'acme', 'main');
});
afterAll(() => api.close());

/** How it went, and which companies and keyrings the answer names. */
async function told(operationId: string, role: Role, places: readonly string[]): Promise<string> {
  const [method = '', path = '', body] = CALLS[operationId] ?? [];
  const as = { roles: [`Keyswitch.${role}`], extension_companies: [...places] };
  const answer = await api.call(method, path, { as, ...(body ? { body } : {}) });
  const text = JSON.stringify(answer.body);
  const named = ['acme', 'globex', 'default', 'payroll'].filter((name) => text.includes(`"${name}"`));
  return [answer.status, answer.headers.get('x-ms-error-code') ?? [], named].flat().join(' ');
}

it('are these', () => {
  const own = routes.filter(({ reaches }) => reaches === 'own').map(({ operationId }) => operationId);
  expect(own.sort()).toEqual(Object.keys(CALLS).sort());
});

it.each<[string, Role, readonly string[], string]>([
  ['list-companies', 'VendorAdmin', ['acme'], '200 acme default'],
  ['list-companies', 'Auditor', ['acme/payroll', 'acme'], '200 acme default'],
  ['list-companies', 'VendorAdmin', ['acme/default'], '200'],
  ['list-companies', 'Auditor', ['acme/payroll', 'acme/default'], '200'],
  ['list-companies', 'Auditor', ['acme/default', 'globex'], '200 globex default'],
  ['get-vault-claim', 'VendorAdmin', ['acme'], '200 acme'],
  ['get-vault-claim', 'VendorAdmin', ['acme/payroll', 'acme'], '200 acme'],
  ['get-vault-claim', 'VendorAdmin', ['acme/default'], NO_CLAIM],
  ['get-vault-claim', 'VendorAdmin', ['globex'], NO_CLAIM],
  ['get-vault-claim', 'VendorAdmin', ['globex', 'acme/default'], NO_CLAIM],
  ['release-vault-claim', 'VendorAdmin', ['acme/default'], NO_CLAIM],
  ['release-vault-claim', 'VendorAdmin', ['globex', 'acme/default'], NO_CLAIM],
  ['release-vault-claim', 'VendorAdmin', ['acme'], '204'],
  ['create-data-keys-by-default', 'DataKeys', ['acme/default'], '200 default'],
  ['create-data-keys-by-default', 'DataKeys', ['acme/payroll'], '403 token-confined'],
  ['unwrap-data-keys-by-default', 'DataKeys', ['acme/default'], '200 default'],
  ['unwrap-data-keys-by-default', 'DataKeys', ['acme/payroll'], '403 token-confined'],
])('%s, a %s of %j: %s', async (operationId, role, places, expected) => {
  expect(await told(operationId, role, places)).toBe(expected);
});
