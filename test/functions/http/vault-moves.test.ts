// A vault in force that was moved to another Entra tenant, over the API: by whose word an administrator there is asked, and what a connection then shows.
import { parse } from 'node-html-parser';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminOf, Api, connect, CUSTOMER_HOST, CUSTOMER_KEY, CUSTOMER_TENANT, vendor, registerCompany } from './api.ts';
import { consentByPages } from './consent-pages.ts';

const NEW_TENANT = '44444444-4444-4444-8444-444444444444';
const PATH = '/companies/acme/connections/main';
const as = adminOf('acme');

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
  const target = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', '/companies/acme/keyrings/default/switches/first', { as, body: target });
  await api.work();
  api.vaults.addVault({ host: CUSTOMER_HOST, tenantId: NEW_TENANT });
  api.vaults.addKey({ host: CUSTOMER_HOST, keyName: CUSTOMER_KEY, fixture: 'rsa-2048-2' });
});
afterEach(() => api.close());

test('the admin of the company has the new tenant asked, whose pages name the old one, and a test ends the move', async () => {
  const granted = await consentByPages(api, { path: PATH, as, tenantId: NEW_TENANT });
  expect([granted.status, granted.html?.includes(CUSTOMER_TENANT)]).toEqual([200, true]);
  const moving = await api.call('GET', PATH, { as });
  expect(moving.body).toMatchObject({ tenantId: CUSTOMER_TENANT, movingTo: NEW_TENANT });
  expect((await api.call('POST', `${PATH}/test`, { as, body: {} })).body['status']).toBe('green');
  const moved = (await api.call('GET', PATH, { as })).body;
  expect(moved).toMatchObject({ tenantId: NEW_TENANT, movedFrom: [CUSTOMER_TENANT] });
  expect(moved).not.toHaveProperty('movingTo');
});

test('the page of a consent has the command that lets the principal in the new tenant use the key', async () => {
  const granted = await consentByPages(api, { path: PATH, as, tenantId: NEW_TENANT });
  const command = parse(granted.html ?? '').querySelector('pre')?.text ?? '';
  const principal = /--assignee-object-id ([0-9a-f-]{36}) /.exec(command)?.[1] ?? 'none';
  expect(command).toContain(`az keyvault show --name ${CUSTOMER_HOST.split('.')[0]} `);
  expect(command).toContain(`/keys/${CUSTOMER_KEY}<`);
  // In the command, and among what was granted.
  expect(granted.html?.split(principal)).toHaveLength(3);
});

test('the vendor gets no link, unless its word is enough in this deployment', async () => {
  const refused = await api.call('POST', `${PATH}/consent`, { as: vendor });
  expect([refused.status, refused.body['error']?.['code']]).toEqual([403, 'company-admin-only']);
  Object.assign(api.services, { vendorMaySwitch: true });
  expect((await api.call('POST', `${PATH}/consent`, { as: vendor })).status).toBe(200);
});
