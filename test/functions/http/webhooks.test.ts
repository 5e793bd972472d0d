// Webhooks through the API, as a company's admin and the vendor call it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweepNotifications } from '../../../shared/operations/notifications/sweep-notifications.ts';
import { adminOf, Api, registerCompany, vendor } from './api.ts';

const URL_OF_HOOK = 'https://hooks.acme.com/keyswitch';
const ONE = '/companies/acme/webhooks/siem';
const acme = adminOf('acme');

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  for (const companyId of ['acme', 'globex']) await registerCompany(api, companyId);
});
afterEach(() => api.close());

const put = (path = ONE, body: object = { url: URL_OF_HOOK }, as = acme) => api.call('PUT', path, { as, body });

describe('a webhook', () => {
  it('shows its secret in the answer that makes it, and never again', async () => {
    const made = await put();
    expect(made).toMatchObject({ status: 201, body: { webhookId: 'siem', signature: 'v1', state: 'on', types: [] } });
    expect(made.body['verifier']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const again = await put();
    expect([again.status, again.body['verifier']]).toEqual([200, undefined]);
    const shown = await api.call('GET', ONE, { as: acme });
    expect(JSON.stringify(shown.body)).not.toContain('whsec_');
    expect((await api.call('GET', '/companies/acme/webhooks', { as: acme })).body['value']).toHaveLength(1);
  });

  it('of Ed25519 shows its public key whenever it is asked for', async () => {
    const made = await put(ONE, { url: URL_OF_HOOK, signature: 'v1a' });
    expect(made.body['verifier']).toMatch(/^whpk_/);
    const { keys } = (await api.call('GET', ONE, { as: acme })).body as unknown as { keys: { publicKey: string }[] };
    expect(keys[0]?.publicKey).toBe(made.body['verifier']);
  });

  it('keeps its kind of signature, and changes its address only as If-Match asks', async () => {
    const made = await put();
    const other = await put(ONE, { url: URL_OF_HOOK, signature: 'v1a' });
    expect([other.status, other.body['error']?.['target']]).toEqual([400, 'body.signature']);
    const stale = { 'If-Match': '"stale"' };
    const changed = { as: acme, body: { url: 'https://new.acme.com/' } };
    expect((await api.call('PUT', ONE, { ...changed, headers: stale })).status).toBe(412);
    const current = { 'If-Match': made.headers.get('etag') ?? '' };
    expect((await api.call('PUT', ONE, { ...changed, headers: current })).status).toBe(200);
  });

  it('asks for types of events that there are: one that is misspelt would be waited for in vain', async () => {
    for (const type of ['vault.state-changed', 'vault.revoke', 'valt.*'])
      expect(await put(ONE, { url: URL_OF_HOOK, types: ['vault.healthy', type] })).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid-request', details: [{ target: 'body.types' }] } },
      });
    const types = ['vault.revoked', 'switch.*', 'security.key-substituted'];
    expect(await put(ONE, { url: URL_OF_HOOK, types })).toMatchObject({ status: 201, body: { types } });
  });

  it('is one of ten at most', async () => {
    for (let nth = 0; nth < 10; nth += 1) expect((await put(`/companies/acme/webhooks/w${nth}`)).status).toBe(201);
    expect(await put('/companies/acme/webhooks/one-more')).toMatchObject({
      status: 409,
      body: { error: { code: 'too-many-webhooks' } },
    });
  });

  it.each([
    ['http://hooks.acme.com/', 'webhook-not-https'],
    ['https://127.0.0.1/', 'webhook-host-not-public'],
    ['https://hooks.acme.com:8080/', 'webhook-port-not-allowed'],
    ['https://a:b@hooks.acme.com/', 'webhook-url-invalid'],
  ])('does not lead to %s: %s, and nothing is stored or sent', async (url, code) => {
    const refused = await put(ONE, { url });
    expect(refused).toMatchObject({ status: 400, body: { error: { code, target: 'body.url' } } });
    expect((await api.call('GET', ONE, { as: acme })).status).toBe(404);
    expect(api.receivers.attempts).toEqual([]);
  });

  it('of another company is neither made, read, tested, rotated nor deleted', async () => {
    await put('/companies/globex/webhooks/siem', undefined, adminOf('globex'));
    const calls: [string, string][] = [
      ['PUT', ''],
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
      ['POST', '/redeliver'],
      ['GET', '/deliveries'],
      ['GET', '/dead-letters'],
    ];
    for (const [method, rest] of calls) {
      const body = method === 'PUT' ? { body: { url: URL_OF_HOOK } } : {};
      const answer = await api.call(method, `/companies/globex/webhooks/siem${rest}`, { as: acme, ...body });
      expect([method, rest, answer.status, answer.body['error']?.['code']]).toEqual([
        method,
        rest,
        404,
        'company-not-found',
      ]);
    }
    expect((await api.call('GET', '/webhooks', { as: acme })).status).toBe(403);
    expect(api.receivers.attempts).toEqual([]);
  });

  it('is tested at once: what its receiver does is a result', async () => {
    await put();
    expect((await api.call('POST', `${ONE}/test`, { as: acme })).body).toMatchObject({ status: 'taken' });
    expect(api.receivers.at('hooks.acme.com')).toMatchObject([{ type: 'webhook.test', data: { companyId: 'acme' } }]);
    api.receivers.fail('hooks.acme.com', 'webhook-redirected');
    expect(await api.call('POST', `${ONE}/test`, { as: acme })).toMatchObject({
      status: 200,
      body: { status: 'failed', failure: { code: 'webhook-redirected', owner: 'company-admin' } },
    });
  });

  it('says how far it was told, and what was given up, which is sent again on request', async () => {
    await put();
    api.receivers.fail('hooks.acme.com', 'webhook-refused');
    await api.call('PUT', '/companies/acme/keyrings/second', { as: vendor, body: {} });
    await sweepNotifications(api.services);
    const deliveries = await api.call('GET', `${ONE}/deliveries`, { as: acme });
    expect(deliveries.body['value']).toMatchObject([{ companyId: 'acme', attempts: 1, code: 'webhook-refused' }]);
    for (let hours = 0; hours < 75; hours += 1) {
      api.clock.advance(3_600_000);
      await sweepNotifications(api.services);
    }
    const dead = `${ONE}/dead-letters`;
    const letters = (await api.call('GET', dead, { as: acme })).body['value'] as unknown as { type: string }[];
    expect(letters.map(({ type }) => type)).toContain('keyring.create');
    api.receivers.heal('hooks.acme.com');
    expect((await api.call('POST', `${ONE}/redeliver`, { as: acme })).status).toBe(204);
    await sweepNotifications(api.services);
    expect((await api.call('GET', dead, { as: acme })).body['value']).toEqual([]);
    expect(api.receivers.at('hooks.acme.com').map(({ type }) => type)).toContain('keyring.create');
  });

  it('of the vendor is told of all companies; what it is told leads to the event', async () => {
    expect((await put('/webhooks/ops', { url: 'https://hooks.vendor.com/' }, vendor)).status).toBe(201);
    api.clock.advance(1_000);
    await api.call('PUT', '/companies/globex/keyrings/second', { as: vendor, body: {} });
    await sweepNotifications(api.services);
    const told = api.receivers.at('hooks.vendor.com').find(({ type }) => type === 'keyring.create');
    const event = await api.call('GET', String(told?.data['link']), { as: vendor });
    expect(event).toMatchObject({ status: 200, body: { id: told?.id, action: 'keyring.create' } });
  });

  it('goes with what it was told of', async () => {
    await put();
    await sweepNotifications(api.services);
    expect((await api.call('DELETE', ONE, { as: acme })).status).toBe(204);
    const left = [...api.store.dump()].filter(({ partitionKey }) => partitionKey.startsWith('webhook|'));
    expect(left).toEqual([]);
    expect((await api.call('GET', ONE, { as: acme })).status).toBe(404);
  });
});
