import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientAddress } from '../../../functions/http/kernel/caller.ts';
import { recordDataKeyCalls } from '../../../shared/operations/audit/data-key-calls.ts';
import { chainToBody } from '../../../functions/http/resources/events/bodies.ts';
import { sweepHeads } from '../../../shared/operations/audit/sign-heads.ts';
import { verifyEvents, type ChainPiece } from '../../../shared/operations/audit/verify-events.ts';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { adminOf, Api, auditor, backend, connect, vendor, registerCompany, type CallOptions } from './api.ts';

interface EventShown {
  readonly sequence: number;
  readonly action: string;
  readonly by: string;
  readonly from: string;
  readonly requestId: string;
  readonly target: string;
  readonly outcome: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly hash: string;
}

const MINUTE_MS = 60_000;
const RING = '/companies/acme/keyrings/default';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
});
afterEach(() => api.close());

async function eventsOf(path = '/companies/acme/events'): Promise<readonly EventShown[]> {
  const listed = await api.call('GET', path, { as: auditor });
  expect(listed.status).toBe(200);
  return listed.body['value'] as unknown as readonly EventShown[];
}

const actionsOf = async (path?: string): Promise<string[]> => (await eventsOf(path)).map(({ action }) => action);
const refusalsIn = async (path: string): Promise<readonly EventShown[]> =>
  (await eventsOf(path)).filter(({ action }) => action === 'access.refused');

describe('what was done', () => {
  test('is listed with who did it, whom that asserted to act for, and from where', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9:51234', 'keyswitch-actor': 'Ann' };
    const put = await api.call('PUT', `/companies/acme/keyrings/second`, { as: vendor, body: {}, headers });
    const event = (await eventsOf()).find(
      ({ action, target }) => action === 'keyring.create' && target.endsWith('second'),
    );
    expect(event).toMatchObject({ from: '203.0.113.9', outcome: 'done', target: 'keyring|second' });
    expect(event?.by).toMatch(/ asserting "Ann"$/);
    expect(event?.requestId).toBe(put.headers.get('x-ms-request-id'));
  });

  test('has every step of a switch, the orders of its admin and what the product did by itself', async () => {
    await connect(api, 'acme', 'main');
    const body = { provider: 'azure-key-vault', connectionId: 'main' };
    for (const [method, path, sent] of [
      ['PUT', 's1', body],
      ['POST', 's1/pause', undefined],
      ['POST', 's1/resume', undefined],
    ] as const) {
      await api.call(method, `${RING}/switches/${path}`, { as: adminOf('acme'), ...(sent ? { body: sent } : {}) });
    }
    await api.work();
    expect(await actionsOf()).toEqual([
      'company.put',
      'keyring.create',
      'connection.put',
      'connection.test',
      'switch.start',
      'switch.prepared',
      'switch.completed',
    ]);
    expect((await eventsOf()).at(-1)).toMatchObject({ by: 'keyswitch', detail: { provider: 'azure-key-vault:main' } });
  });

  test('has nothing of a call that changes nothing, nor of one that is refused', async () => {
    const before = await actionsOf();
    await api.call('PUT', '/companies/acme', { as: vendor, body: { displayName: 'acme' } });
    await api.call('DELETE', '/companies/acme/connections/none', { as: adminOf('acme') });
    await api.call('PUT', `${RING}/switches/s1`, { as: adminOf('acme'), body: { provider: 'managed' } });
    expect(await actionsOf()).toEqual(before);
  });

  test('stays when the company is deleted, under an id that is never used again', async () => {
    await api.call('DELETE', '/companies/acme', { as: vendor });
    const gone = await api.call('GET', '/companies/acme', { as: vendor });
    expect([gone.status, gone.headers.get('x-ms-error-code')]).toEqual([410, 'company-closed']);
    const first = ['company.put', 'keyring.create', 'company.delete', 'company.deleted'];
    expect(await actionsOf()).toEqual(first);
    const again = await api.call('PUT', '/companies/acme', { as: vendor, body: {} });
    expect([again.status, again.headers.get('x-ms-error-code')]).toEqual([410, 'company-closed']);
    expect((await api.call('DELETE', '/companies/acme', { as: vendor })).status).toBe(204);
    expect(await actionsOf()).toEqual(first);
    const checked = await api.call('GET', '/companies/acme/events/verify', { as: auditor });
    expect(checked.body).toMatchObject({ status: 'intact', head: { sequence: 4 } });
  });

  test('of companies, closed ones are listed only if asked for, over all pages', async () => {
    await registerCompany(api, 'beta');
    await api.call('DELETE', '/companies/acme', { as: vendor });
    const idsOf = async (path: string): Promise<unknown[]> => {
      const page = await api.call('GET', path, { as: vendor });
      const value = page.body['value'] as unknown as { companyId: string; state: string; closedAt?: string }[];
      const next = page.body['nextLink'] as unknown as string | undefined;
      const own = value.map(({ companyId, state, closedAt }) => [companyId, state, closedAt !== undefined]);
      return next === undefined ? own : [...own, ...(await idsOf(next))];
    };
    expect(await idsOf('/companies?maxpagesize=1')).toEqual([['beta', 'active', false]]);
    expect(await idsOf('/companies?maxpagesize=1&closed=true')).toEqual([
      ['acme', 'closed', true],
      ['beta', 'active', false],
    ]);
  });

  test('goes on from page to page', async () => {
    const first = await api.call('GET', '/companies/acme/events?maxpagesize=1', { as: auditor });
    const next = await api.call('GET', first.body['nextLink'] as unknown as string, { as: auditor });
    expect(next.body['value']).toMatchObject([{ sequence: 2 }]);
  });
});

describe('a call that is refused', () => {
  const forbidden: CallOptions = { as: backend };

  test('for its role is recorded in the chain of no company', async () => {
    expect((await api.call('GET', '/companies/acme', forbidden)).status).toBe(403);
    expect(await refusalsIn('/events')).toMatchObject([
      { target: 'get-company', outcome: 'refused', detail: { code: 'forbidden', asked: 'acme' } },
    ]);
  });

  test("for another's company is recorded in the caller's own chain, and makes none for a name that was made up", async () => {
    await api.call('GET', '/companies/made-up', { as: adminOf('acme') });
    expect(await refusalsIn('/companies/acme/events')).toMatchObject([
      { target: 'get-company', detail: { code: 'unknown-company', asked: 'made-up' } },
    ]);
    expect((await api.call('GET', '/companies/made-up/events', { as: auditor })).status).toBe(404);
  });

  test('without a token is not recorded: it is nobody', async () => {
    await api.call('GET', '/companies/acme');
    expect(await refusalsIn('/events')).toEqual([]);
  });

  test('because somebody has forged a row is a security event, by whoever met it', async () => {
    const rowKey = companyKeyRowKey('default', 1);
    const row = api.store.peek('companies', 'acme', rowKey);
    api.store.tamper('companies', 'acme', rowKey, { ...row?.cells, wraps: '[]' });
    await api.call('POST', `${RING}/datakeys`, { as: backend, body: { keys: [{}] } });
    expect((await eventsOf()).at(-1)).toMatchObject({
      action: 'security.row-forged',
      outcome: 'detected',
      detail: {},
    });
  });
});

describe('calls for data keys', () => {
  test('are counted by caller and outcome, and a minute is recorded when it is over', async () => {
    const body = { keys: [{ keyId: 'k1' }, { keyId: 'k2' }] };
    await api.call('POST', `${RING}/datakeys`, { as: backend, body });
    for (let count = 0; count < 3; count += 1) {
      await api.call('POST', `${RING}/unwrap`, { as: backend, body: { keyIds: ['k1', 'none'] } });
    }
    await api.call('DELETE', `${RING}/datakeys/none`, { as: backend });
    expect(await recordDataKeyCalls(api.services)).toBe(0);
    api.clock.advance(MINUTE_MS);
    expect(await recordDataKeyCalls(api.services)).toBe(1);
    const event = (await eventsOf()).at(-1);
    expect(event).toMatchObject({
      action: 'data-keys.calls',
      by: 'keyswitch',
      outcome: 'counted',
      target: 'instance-1',
    });
    const { minute, ...counts } = event?.detail ?? {};
    expect(minute).toBe('2026-01-01T00:00:00.000Z');
    expect(Object.entries(counts).map(([name, count]) => [name.replace(/ by .*/, ''), count])).toEqual([
      ['create-data-keys: calls answered', 1],
      ['create-data-keys: keys created', 2],
      ['delete-data-key: calls refused, not-found', 1],
      ['unwrap-data-keys: calls answered', 3],
      ['unwrap-data-keys: keys not-found', 3],
      ['unwrap-data-keys: keys unwrapped', 3],
    ]);
    // What may be unusual is the keys that were answered, and no other count.
    const habit = [...api.store.dump()].find(({ rowKey }) => rowKey === '!unwraps');
    expect(habit?.cells).toMatchObject({ keys: 3 });
    expect(await recordDataKeyCalls(api.services)).toBe(0);
  });

  test('write no table as they are counted', async () => {
    await api.call('POST', `${RING}/datakeys`, { as: backend, body: { keys: [{ keyId: 'k1' }] } });
    const before = JSON.stringify([...api.store.dump()]);
    await api.call('POST', `${RING}/unwrap`, { as: backend, body: { keyIds: ['k1'] } });
    expect(JSON.stringify([...api.store.dump()])).toBe(before);
  });

  test('for a company that is not there are not counted', async () => {
    await api.call('POST', '/companies/made-up/keyrings/default/unwrap', { as: backend, body: { keyIds: ['k1'] } });
    api.clock.advance(MINUTE_MS);
    expect(await recordDataKeyCalls(api.services)).toBe(0);
  });
});

describe('the check of a chain', () => {
  test('is of a company, of what is of no company, and of a head that is known from the log', async () => {
    await api.call('GET', '/companies/acme', { as: backend });
    await sweepHeads(api.services);
    const logged = api.log.entries.filter(({ event }) => event === 'events.head-signed').map(({ detail }) => detail);
    expect(logged.map((detail) => detail?.['companyId']).sort()).toEqual(['_system', 'acme']);
    for (const [path, company] of [
      ['/companies/acme/events/verify', 'acme'],
      ['/events/verify', '_system'],
    ] as const) {
      const head = logged.find((detail) => detail?.['companyId'] === company);
      const query = `?head=${String(head?.['sequence'])}-${String(head?.['hash'])}`;
      expect((await api.call('GET', path + query, { as: auditor })).body['status']).toBe('intact');
      const other = `?head=1-${'0'.repeat(64)}`;
      const broken = await api.call('GET', path + other, { as: auditor });
      expect(broken.body).toMatchObject({ status: 'broken', problems: [{ code: 'rewritten', sequence: 1 }] });
    }
  });

  test('begins behind a signed head if it is asked to, and says where to go on if it is asked to go on', async () => {
    await sweepHeads(api.services);
    const { detail } = api.log.entries.find(
      (entry) => entry.event === 'events.head-signed' && entry.detail?.['companyId'] === 'acme',
    )!;
    const { sequence, hash } = detail as { sequence: number; hash: string };
    const from = `?from=${sequence}-${hash}`;
    const path = '/companies/acme/events/verify';
    expect((await api.call('GET', path + from, { as: auditor })).body).toMatchObject({
      status: 'intact',
      head: { sequence },
    });
    const other = await api.call('GET', `${path}?from=${sequence}-${'0'.repeat(64)}`, { as: auditor });
    expect(other.body['status']).toBe('broken');
    const piece = await verifyEvents(api.services, { companyId: 'acme' }, { maxRows: 1 });
    const { nextLink } = chainToBody((piece as { value: ChainPiece }).value, 'https://app.example/api/v1/x');
    const next = await api.call('GET', `${path}${new URL(nextLink!).search}`, { as: auditor });
    expect(next.body).toMatchObject({ status: 'intact', head: { sequence } });
    const made = await api.call('GET', `${path}?skiptoken=bm9uZQ`, { as: auditor });
    expect([made.status, made.body['error']?.['code']]).toEqual([400, 'invalid-request']);
  });

  test.each(['?head=1', `?head=${'0'.repeat(64)}`, `?head=0-${'0'.repeat(64)}`, '?sequence=1'])(
    'refuses %s',
    async (query) => {
      expect((await api.call('GET', `/companies/acme/events/verify${query}`, { as: auditor })).status).toBe(400);
    },
  );
});

describe('the address of a client', () => {
  test.each([
    [null, ''],
    ['', ''],
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:51234', '203.0.113.9'],
    ['198.51.100.1, 203.0.113.9:51234', '203.0.113.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['203.0.113.9, <script>', ''],
    ['unknown', ''],
  ])('of %s is %s', (header, address) => {
    expect(clientAddress(header)).toBe(address);
  });
});
