// The list of companies as they stand: over an index that acts keep, and that the timer repairs.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { standingRow } from '../../../shared/store/rows/standing-rows.ts';
import { STANDING_PARTITION, foundByRowKey } from '../../../shared/store/rows/row-keys.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import type { Json } from './api-answer.ts';
import { adminOf, Api, auditor, BASE_URL, connect, CUSTOMER_HOST, registerCompany, vendor } from './api.ts';

let api: Api;
/** Whether the index can be written. */
let isAway = false;
/** Partitions of which rows were listed. */
const listed: string[] = [];
beforeEach(async () => {
  isAway = false;
  const tables = (store: FakeTables) =>
    tablesBut(store, {
      list: (query) => {
        listed.push(`${query.table}/${query.partitionKey}`);
        return store.list(query);
      },
      write: (table, partitionKey, writes) =>
        isAway && partitionKey === STANDING_PARTITION
          ? Promise.reject(new StoreUnavailable('planted'))
          : store.write(table, partitionKey, writes),
    });
  api = await Api.start({ tables });
});
afterEach(() => api.close());

interface Standing {
  readonly companyId: string;
  readonly state: string;
}

/** Page by page, to the end. */
async function find(query: string): Promise<Standing[]> {
  const found: Standing[] = [];
  let path: string | undefined = `/operations/companies${query}`;
  while (path !== undefined) {
    const { body }: { body: Json } = await api.call('GET', path, { as: auditor });
    found.push(...(body['value'] as unknown as Standing[]));
    path = (body['nextLink'] as unknown as string | undefined)?.slice(BASE_URL.length);
  }
  return found;
}
const idsOf = async (query: string): Promise<string[]> => (await find(query)).map(({ companyId }) => companyId);
const sweep = () => api.call('POST', '/operations/timers/sweep/run', { as: vendor });

const underOwnKey = async (companyId: string): Promise<void> => {
  await registerCompany(api, companyId);
  await connect(api, companyId, 'main');
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', `/companies/${companyId}/keyrings/default/switches/s1`, { as: adminOf(companyId), body });
  await api.work();
};
const check = (companyId: string) =>
  api.call('POST', `/companies/${companyId}/connections/main/check`, { as: adminOf(companyId) });

test('a company is found at once when it is made, by its new name when that changes, and no more when it is deleted', async () => {
  await registerCompany(api, 'acme');
  expect(await find('')).toEqual([{ companyId: 'acme', displayName: 'acme', state: 'vendor-key' }]);
  await api.call('PUT', '/companies/acme', { as: vendor, body: { displayName: 'Tailspin Toys' } });
  expect([await idsOf('?q=toys'), await idsOf('?q=ac'), await idsOf('?q=globex')]).toEqual([['acme'], ['acme'], []]);
  await api.call('DELETE', '/companies/acme', { as: vendor });
  expect([await idsOf(''), await idsOf('?q=toys')]).toEqual([[], []]);
  const left = [...api.store.dump()].filter(({ partitionKey }) => partitionKey === STANDING_PARTITION);
  expect(left).toEqual([]);
});

test('a vault that is revoked is found by state, owner and code as soon as the check has seen it, and again when it is back', async () => {
  await registerCompany(api, 'other');
  await underOwnKey('acme');
  api.vaults.fail({ host: CUSTOMER_HOST, operation: 'any', failure: 'key-disabled' });
  const { body } = await check('acme');
  expect(body['state']).toBe('revoked');
  const owner = body['owner'] as unknown as string;
  for (const query of [
    '?state=revoked',
    `?owner=${owner}`,
    '?code=key-disabled',
    `?state=revoked&code=key-disabled&q=ac`,
  ])
    expect(await idsOf(query)).toEqual(['acme']);
  expect(await idsOf('?state=vendor-key&code=key-disabled')).toEqual([]);
  api.vaults.heal();
  api.clock.advance(60_000);
  await check('acme');
  expect([await idsOf('?state=revoked'), await idsOf('?state=healthy')]).toEqual([[], ['acme']]);
});

test('a switch that is blocked is found within a minute, by the timer, and so is its end', async () => {
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
  api.vaults.fail({ host: CUSTOMER_HOST, operation: 'any', failure: 'key-disabled' });
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', '/companies/acme/keyrings/default/switches/s1', { as: adminOf('acme'), body });
  await api.work();
  await sweep();
  expect(await find('?state=blocked')).toMatchObject([{ companyId: 'acme', code: 'key-disabled' }]);
  api.vaults.heal();
  await api.call('POST', '/companies/acme/keyrings/default/switches/s1/retry', { as: vendor, body: {} });
  await api.work();
  await sweep();
  expect([await idsOf('?state=blocked'), await idsOf('?state=healthy')]).toEqual([[], ['acme']]);
});

test('what the index missed, was left in it or was damaged is repaired by the timer, and meanwhile nothing false is told', async () => {
  isAway = true;
  await registerCompany(api, 'missed');
  isAway = false;
  await registerCompany(api, 'acme');
  await registerCompany(api, 'damaged');
  api.store.tamper('health', STANDING_PARTITION, standingRow.key({ companyId: 'damaged' }), {
    format: 1,
    state: 'fine',
  });
  api.store.tamper('health', STANDING_PARTITION, foundByRowKey('state', 'revoked', 'acme'), { format: 1 });
  expect([await idsOf(''), await idsOf('?state=revoked')]).toEqual([['acme'], []]);
  await sweep();
  expect(await idsOf('')).toEqual(['acme', 'damaged', 'missed']);
});

test('pages lead on to the end, each company once, and read nothing but the index', async () => {
  for (const id of ['one', 'two', 'three', 'four', 'five']) await registerCompany(api, `tail-${id}`);
  listed.length = 0;
  for (const query of ['?maxpagesize=2', '?maxpagesize=1&q=tail', '?maxpagesize=2&state=vendor-key'])
    expect((await idsOf(query)).toSorted()).toEqual(['tail-five', 'tail-four', 'tail-one', 'tail-three', 'tail-two']);
  expect(new Set(listed)).toEqual(new Set([`health/${STANDING_PARTITION}`]));
});

test('a continuation of another list is refused', async () => {
  const skiptoken = Buffer.from('state|revoked|acme').toString('base64url');
  const refused = await api.call('GET', `/operations/companies?state=healthy&skiptoken=${skiptoken}`, { as: auditor });
  expect(refused.status).toBe(400);
});

const countsNow = async (): Promise<Readonly<Record<string, number>>> => {
  const { companies } = (await api.call('GET', '/operations/status', { as: auditor })).body;
  const counts = Object.entries(companies as unknown as Readonly<Record<string, number>>);
  return Object.fromEntries(counts.filter(([, many]) => many > 0));
};

test('companies are counted by state as they move', async () => {
  for (const id of ['one', 'two']) await registerCompany(api, id);
  await underOwnKey('acme');
  await sweep();
  expect(await countsNow()).toEqual({ 'vendor-key': 2, healthy: 1 });
  api.vaults.fail({ host: CUSTOMER_HOST, operation: 'any', failure: 'key-disabled' });
  await check('acme');
  await api.call('DELETE', '/companies/two', { as: vendor });
  expect(await countsNow()).toEqual({ 'vendor-key': 1, revoked: 1 });
});
