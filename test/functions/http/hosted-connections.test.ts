// A connection to a key that the vendor hosts, as its admins meet it over HTTP.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TENANT_ID } from '../../fakes/fake-token-issuer.ts';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, registerCompany, vendor } from './api.ts';

const HOST = 'hosted-acme.vault.azure.net';
const body = { vaultUri: `https://${HOST}`, keyName: 'acme-key', credential: { kind: 'vendor-hosted' } };

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  for (const id of ['acme', 'globex']) await registerCompany(api, id);
  api.vaults.addVault({ host: HOST, tenantId: TENANT_ID });
  api.vaults.addKey({ host: HOST, keyName: 'acme-key' });
});
afterEach(() => api.close());

const call = (method: string, path: string, as = vendor, sent?: object): Promise<ApiAnswer> =>
  api.call(method, path, { as, ...(sent ? { body: sent } : {}) });
const outcome = ({ status, headers }: ApiAnswer): string => `${status} ${headers.get('x-ms-error-code') ?? ''}`.trim();

it('shows whose the whole vault is, and lets it go only while nothing uses it', async () => {
  await call('PUT', '/companies/acme/connections/hosted', vendor, body);
  for (const name of ['*', '%2A']) {
    expect((await call('GET', `/vault-claims/${HOST}/${name}`)).body).toMatchObject({
      keyName: '*',
      companyId: 'acme',
    });
  }
  const tested = await call('POST', '/companies/acme/connections/hosted/test', adminOf('acme'), {});
  expect(tested.body['status']).toBe('green');
  const target = { provider: 'azure-key-vault', connectionId: 'hosted' };
  const ordered = await call('PUT', '/companies/acme/keyrings/default/switches/s1', adminOf('acme'), target);
  expect(outcome(ordered)).toBe('202');
  expect(outcome(await call('DELETE', `/vault-claims/${HOST}/*`))).toBe('409 vault-claim-in-use');
  await api.work();
  const keyring = await call('GET', '/companies/acme/keyrings/default');
  expect(keyring.body['provider']).toEqual(target);
});

it('holds a switch whose vault was let go, until the vendor enters it again', async () => {
  await call('PUT', '/companies/acme/connections/hosted', vendor, body);
  await call('POST', '/companies/acme/connections/hosted/test', adminOf('acme'), {});
  expect(outcome(await call('DELETE', `/vault-claims/${HOST}/*`))).toBe('204');
  const target = { provider: 'azure-key-vault', connectionId: 'hosted' };
  await call('PUT', '/companies/acme/keyrings/default/switches/s1', adminOf('acme'), target);
  await api.work();
  const held = await call('GET', '/companies/acme/keyrings/default/switches/s1');
  expect(JSON.stringify(held.body)).toContain('vault-key-unclaimed');
  expect(held.body['status']).not.toBe('Succeeded');
  expect(outcome(await call('PUT', '/companies/acme/connections/hosted', vendor, body))).toBe('200');
  await call('POST', '/companies/acme/keyrings/default/switches/s1/retry', adminOf('acme'), {});
  await api.work();
  expect((await call('GET', '/companies/acme/keyrings/default')).body['provider']).toEqual(target);
});
