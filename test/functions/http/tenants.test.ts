// Tenants over the API: who may, what is answered, and a switch that says for whom it waits.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseExportRecipient } from '../../../shared/domain/export-recipient.ts';
import type { TenantRef } from '../../../shared/domain/tenant.ts';
import { destinationOf } from '../../../shared/operations/tenants/destination.ts';
import { MAX_CALLS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import { verifyTenant } from '../../../shared/operations/switches/verify-tenant.ts';
import { actorNamed } from '../../fakes/actors.ts';
import { keyFixture } from '../../fixtures/key-fixtures.ts';
import { speakerOf } from '../../operations/tenants/tenant-rig.ts';
import type { Json } from './api-answer.ts';
import { adminOf, Api, auditor, BASE_URL, connect, vendor, registerCompany } from './api.ts';

const ENTRA: TenantRef = { kind: 'microsoft-365', tenantId: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' };
const GOOGLE: TenantRef = { kind: 'google-workspace', tenantId: 'contoso.com' };
const TENANTS = '/companies/acme/tenants';
const pathOf = ({ kind, tenantId }: TenantRef): string => `${TENANTS}/${kind}/${tenantId}`;
const SWITCH = '/companies/acme/keyrings/default/switches/first';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
});
afterEach(() => api.close());

const listed = async (query = ''): Promise<Json> => (await api.call('GET', `${TENANTS}${query}`, { as: auditor })).body;

describe('a tenant', () => {
  test('is registered once, by its id in lower case, read and removed', async () => {
    const path = `${TENANTS}/microsoft-365/${ENTRA.tenantId.toUpperCase()}`;
    const made = await api.call('PUT', path, { as: vendor, headers: { 'if-none-match': '*' } });
    expect([made.status, made.body]).toEqual([201, { ...ENTRA, registeredAt: '2026-01-01T00:00:00.000Z' }]);
    const again = await api.call('PUT', pathOf(ENTRA), { as: vendor, body: {} });
    expect([again.status, again.headers.get('etag')]).toEqual([200, made.headers.get('etag')]);
    const read = await api.call('GET', pathOf(ENTRA), { as: adminOf('acme') });
    expect([read.status, read.body]).toEqual([200, made.body]);
    const etag = read.headers.get('etag') ?? '';
    const unchanged = await api.call('GET', pathOf(ENTRA), { as: auditor, headers: { 'if-none-match': etag } });
    expect(unchanged.status).toBe(304);
    const gone = await api.call('DELETE', pathOf(ENTRA), { as: vendor, headers: { 'if-match': etag } });
    expect(gone.status).toBe(204);
    expect((await api.call('GET', pathOf(ENTRA), { as: vendor })).body['error']?.['code']).toBe('tenant-not-found');
  });

  test('is listed page by page, in the order of kinds and ids', async () => {
    for (const tenant of [ENTRA, GOOGLE]) await api.call('PUT', pathOf(tenant), { as: vendor });
    const first = await listed('?maxpagesize=1');
    expect(first).toMatchObject({ value: [GOOGLE], nextLink: expect.stringContaining(BASE_URL) as string });
    const rest = await api.call('GET', first['nextLink'] as unknown as string, { as: adminOf('acme') });
    expect(rest.body).toMatchObject({ value: [ENTRA] });
    expect(rest.body['nextLink']).toBeUndefined();
  });

  test.each([
    ['PUT', 'an admin of the company', adminOf('acme')],
    ['DELETE', 'an admin of the company', adminOf('acme')],
    ['PUT', 'an auditor', auditor],
    ['DELETE', 'an auditor', auditor],
  ])('takes no %s from %s', async (method, _, as) => {
    expect((await api.call(method, pathOf(ENTRA), { as })).status).toBe(403);
    expect(await listed()).toEqual({ value: [] });
  });

  test.each([
    ['github', 'contoso.com', 'path.kind'],
    ['Microsoft-365', ENTRA.tenantId, 'path.kind'],
    ['microsoft-365', 'contoso.com', 'path.tenantId'],
    ['google-workspace', 'Contoso.com', 'path.tenantId'],
    ['google-workspace', 'contoso.com%7Cx', 'path.tenantId'],
  ])('of kind %s and id %s is no tenant', async (kind, tenantId, target) => {
    for (const method of ['PUT', 'GET', 'DELETE']) {
      const answer = await api.call(method, `${TENANTS}/${kind}/${tenantId}`, { as: vendor });
      expect([answer.status, answer.body['error']?.['code']]).toEqual([400, 'invalid-request']);
      expect(JSON.stringify(answer.body)).toContain(`"${target}"`);
    }
    expect(await listed()).toEqual({ value: [] });
  });

  test('is told with its id when its condition does not hold', async () => {
    const answer = await api.call('PUT', pathOf(GOOGLE), { as: vendor, headers: { 'if-match': '*' } });
    expect([answer.status, answer.body['error']?.['message']]).toEqual([
      412,
      "The tenant 'google-workspace/contoso.com' is not as If-Match or If-None-Match ask.",
    ]);
  });
});

test('a switch names the tenants that it waits for and whose move it is, and goes through when the last is verified', async () => {
  await connect(api, 'acme', 'main');
  for (const tenant of [ENTRA, GOOGLE]) await api.call('PUT', pathOf(tenant), { as: vendor });
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  const begun = await api.call('PUT', SWITCH, { as: adminOf('acme'), body });
  expect(begun.body['unverifiedTenants']).toEqual([GOOGLE, ENTRA]);
  await api.work();
  const waiting = await api.call('GET', SWITCH, { as: adminOf('acme') });
  expect(waiting.body).toMatchObject({
    state: 'pending-verification',
    unverifiedTenants: [GOOGLE, ENTRA],
    waitsFor: { reason: 'tenant-unverified', owner: 'company-admin' },
  });

  const approval = { for: 'switch', keyringId: 'default', switchId: 'first' } as const;
  const there = await destinationOf(api.services, { companyId: 'acme', approval });
  const destination = there.ok ? there.value.digest : '';
  for (const tenant of [ENTRA, GOOGLE]) {
    const admin = { id: `${tenant.tenantId}/an-admin`, name: 'Ann', ...speakerOf(tenant) };
    const verified = { companyId: 'acme', approval, ...tenant, destination, admin };
    expect((await verifyTenant(api.services, verified, actorNamed('browser'))).ok).toBe(true);
  }
  await api.work();
  const done = await api.call('GET', SWITCH, { as: adminOf('acme') });
  expect(done.body).toMatchObject({ state: 'completed', unverifiedTenants: [] });
  expect(done.body['waitsFor']).toBeUndefined();
});

test('a company that is removed takes its tenants, and what was said for them, along', async () => {
  await connect(api, 'acme', 'main');
  await api.call('PUT', pathOf(ENTRA), { as: vendor });
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', SWITCH, { as: adminOf('acme'), body });
  const approval = { for: 'switch', keyringId: 'default', switchId: 'first' } as const;
  const there = await destinationOf(api.services, { companyId: 'acme', approval });
  const destination = there.ok ? there.value.digest : '';
  const verified = {
    companyId: 'acme',
    approval,
    ...ENTRA,
    destination,
    admin: { id: `${ENTRA.tenantId}/an-admin`, name: 'Ann' },
  };
  await verifyTenant(api.services, verified, actorNamed('browser'));
  const rows = (): string[] =>
    [...api.store.dump()].map(({ rowKey }) => rowKey).filter((key) => /^(tenant|verification)\|/.test(key));
  expect(rows()).toHaveLength(2);
  await api.work();
  expect((await api.call('DELETE', '/companies/acme', { as: vendor })).status).toBe(204);
  expect(rows()).toEqual([]);
});

describe('a look for tenants anew', () => {
  test('is asked for by the company, recorded for the vendor to hear of, and counted', async () => {
    for (let call = 0; call < MAX_CALLS_PER_MINUTE; call += 1)
      expect((await api.call('POST', `${TENANTS}/refresh`, { as: adminOf('acme') })).status).toBe(204);
    expect((await api.call('POST', `${TENANTS}/refresh`, { as: adminOf('acme') })).status).toBe(429);
    const { body } = await api.call('GET', '/companies/acme/events', { as: auditor });
    const actions = (body['value'] as unknown as { readonly action: string }[]).map(({ action }) => action);
    expect(actions.filter((action) => action === 'tenants.refresh-asked')).toHaveLength(MAX_CALLS_PER_MINUTE);
    expect((await listed())['value']).toEqual([]);
  });

  test('of a company that is not there is not found', async () => {
    expect((await api.call('POST', '/companies/none/tenants/refresh', { as: vendor })).status).toBe(404);
  });
});

describe('a link to approve an export', () => {
  const { kty, n, e } = keyFixture('rsa-2048-4').publicKey.export({ format: 'jwk' });
  const publicKey = { kty, n, e };
  const ask = (recipient: unknown): ReturnType<Api['call']> => {
    const body = { for: 'export', keyringId: 'default', recipient };
    return api.call('POST', `${pathOf(ENTRA)}/verify`, { as: adminOf('acme'), body });
  };
  beforeEach(() => api.call('PUT', pathOf(ENTRA), { as: vendor }));

  test('names its recipient: a public key by its thumbprint, or a passphrase, which nobody says', async () => {
    const parsed = parseExportRecipient({ publicKey: { ...publicKey, kty: 'RSA' } });
    const thumbprint = parsed.ok && parsed.value.type === 'public-key' ? parsed.value.thumbprint : '';
    for (const recipient of [{ type: 'public-key', publicKey }, { type: 'passphrase' }]) {
      expect((await ask(recipient)).status).toBe(200);
    }
    const events = await api.call('GET', '/companies/acme/events', { as: adminOf('acme') });
    const asked = (events.body['value'] as unknown as Json[]).filter(
      ({ action }) => (action as unknown) === 'tenant.request-verification',
    );
    expect(asked.map(({ detail }) => detail)).toEqual([
      { approval: `export|default|0|${thumbprint}` },
      { approval: 'export|default|0|passphrase' },
    ]);
  });

  test.each<[string, unknown, string]>([
    ['no recipient', undefined, 'body.recipient'],
    ['a kind that there is not', { type: 'anybody' }, 'body.recipient.type'],
    ['no key', { type: 'public-key' }, 'body.recipient.publicKey'],
    ['a passphrase that is said', { type: 'passphrase', passphrase: 'x' }, 'body.recipient.passphrase'],
    [
      'a key that no export takes',
      { type: 'public-key', publicKey: { ...publicKey, e: 'AQ' } },
      'body.recipient.publicKey.e',
    ],
  ])('is not made for %s', async (_, recipient, target) => {
    const refused = await ask(recipient);
    expect([refused.status, refused.body['error']?.['code']]).toEqual([400, 'invalid-request']);
    expect(JSON.stringify(refused.body)).toContain(`"${target}"`);
  });
});

describe('a switch that the vendor orders', () => {
  const toVault = { provider: 'azure-key-vault', connectionId: 'main' };
  const order = async (): Promise<Json> => (await api.call('PUT', SWITCH, { as: vendor, body: toVault })).body;
  const view = async (): Promise<Json> => {
    await api.work();
    return (await api.call('GET', SWITCH, { as: auditor })).body;
  };
  const waiting = { state: 'pending-verification', waitsFor: { reason: 'company-admin', owner: 'company-admin' } };

  beforeEach(() => connect(api, 'acme', 'main'));

  test('in a company without tenants waits for an admin of the company, and for nobody else', async () => {
    expect(await order()).toMatchObject(waiting);
    expect(await view()).toMatchObject(waiting);
    const refused = await api.call('POST', `${SWITCH}/confirm`, { as: vendor });
    expect([refused.status, refused.body['error']?.['code']]).toEqual([403, 'forbidden']);
    expect((await api.call('POST', `${SWITCH}/retry`, { as: vendor, body: { direction: 'forward' } })).status).toBe(
      202,
    );
    await api.call('PUT', pathOf(ENTRA), { as: vendor });
    await api.call('DELETE', pathOf(ENTRA), { as: vendor });
    expect(await view()).toMatchObject(waiting);
    expect((await api.call('POST', `${SWITCH}/confirm`, { as: adminOf('acme') })).status).toBe(202);
    expect(await view()).toMatchObject({ waitsFor: { reason: 'tenant-unverified' } });
    expect((await api.call('POST', `${SWITCH}/confirm`, { as: adminOf('acme') })).status).toBe(202);
  });

  test('goes through once it is confirmed, which is recorded', async () => {
    await order();
    await api.call('POST', `${SWITCH}/confirm`, { as: adminOf('acme') });
    expect(await view()).toMatchObject({ state: 'completed' });
    const events = (await api.call('GET', '/companies/acme/events', { as: auditor })).body['value'];
    expect(events).toContainEqual(expect.objectContaining({ action: 'switch.confirm', outcome: 'done' }));
  });

  test('can be cancelled instead', async () => {
    await order();
    await api.call('POST', `${SWITCH}/cancel`, { as: adminOf('acme') });
    const { state, waitsFor } = await view();
    expect([state, waitsFor]).toEqual(['cancelled', undefined]);
    const late = await api.call('POST', `${SWITCH}/confirm`, { as: adminOf('acme') });
    expect(late.body['error']?.['code']).toBe('switch-ended');
  });

  test('waits for an admin of the company where there are tenants too, which the vendor has registered, and then for those', async () => {
    await api.call('PUT', pathOf(GOOGLE), { as: vendor });
    expect(await order()).toMatchObject({ ...waiting, unverifiedTenants: [GOOGLE] });
    await api.call('POST', `${SWITCH}/confirm`, { as: adminOf('acme') });
    expect(await view()).toMatchObject({ waitsFor: { reason: 'tenant-unverified' } });
  });

  test('needs nobody where the setting says so, which is recorded', async () => {
    Object.assign(api.services, { vendorMaySwitch: true });
    await order();
    expect(await view()).toMatchObject({ state: 'completed' });
    const events = (await api.call('GET', '/companies/acme/events', { as: auditor })).body['value'];
    const detail = expect.objectContaining({ vendorMaySwitch: true }) as object;
    expect(events).toContainEqual(expect.objectContaining({ action: 'switch.start', detail }));
  });
});
