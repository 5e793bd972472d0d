// What a company demands of its own keys and keyrings: its admins' word alone, judged where something new begins.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyForbids, readPolicy } from '../../../shared/domain/company-policy.ts';
import { followKeyVersion } from '../../../shared/operations/watch/follow-key-version.ts';
import { adminOf, Api, backend, connect, CUSTOMER_HOST, CUSTOMER_KEY, registerCompany, vendor } from './api.ts';
import type { ApiAnswer } from './api-answer.ts';
import type { Cells } from '../../../shared/store/tables.ts';

const COMPANY = '/companies/acme';
const admin = adminOf('acme');
const MAIN = { provider: 'azure-key-vault', connectionId: 'main' };
const MANAGED = { provider: 'managed' };
const OPEN = { vendorKey: 'allowed', keyringsPerProvider: 'any' };

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
});
afterEach(() => api.close());

const put = (path: string, body: object, as = admin): Promise<ApiAnswer> =>
  api.call('PUT', COMPANY + path, { as, body });
const demand = (policy: object): Promise<ApiAnswer> => put('/policy', { ...OPEN, ...policy });
const switchTo = (switchId: string, target: object, keyringId = 'default'): Promise<ApiAnswer> =>
  put(`/keyrings/${keyringId}/switches/${switchId}`, target);
const code = ({ status, headers }: ApiAnswer): string => `${status} ${headers.get('x-ms-error-code') ?? ''}`.trim();
const providerOf = async (keyringId: string): Promise<unknown> =>
  (await api.call('GET', `${COMPANY}/keyrings/${keyringId}`, { as: admin })).body['provider'];
const testOf = async (): Promise<readonly [unknown, string]> => {
  const { body } = await api.call('POST', `${COMPANY}/connections/main/test`, { as: admin });
  return [body['status'], JSON.stringify(body)];
};

describe('the policy of a company', () => {
  it('demands nothing until its admin says so, and is then as it was said, recorded', async () => {
    expect((await api.call('GET', `${COMPANY}/policy`, { as: vendor })).body).toEqual(OPEN);
    const policy = { vendorKey: 'forbidden', keyringsPerProvider: 'one', minRsaBits: 3072 };
    expect((await put('/policy', policy)).body).toEqual(policy);
    expect((await api.call('GET', `${COMPANY}/policy`, { as: vendor })).body).toEqual(policy);
    expect((await put('/policy', OPEN)).body).toEqual(OPEN);
    const { body } = await api.call('GET', `${COMPANY}/events`, { as: admin });
    const events = body['value'] as unknown as { readonly action: string }[];
    expect(events.filter(({ action }) => action === 'company.policy')).toHaveLength(2);
  });

  it('is no word of the vendor, and survives the vendor’s own change of the company', async () => {
    expect(code(await put('/policy', OPEN, vendor))).toBe('403 forbidden');
    await demand({ vendorKey: 'forbidden' });
    await api.call('PUT', COMPANY, { as: vendor, body: { displayName: 'Acme Ltd', features: ['customer-keys'] } });
    expect((await api.call('GET', `${COMPANY}/policy`, { as: vendor })).body['vendorKey']).toBe('forbidden');
  });

  it.each([{ minRsaBits: 1024 }, { minRsaBits: '4096' }, { vendorKey: 'never' }, { keyringsPerProvider: 2 }, { x: 1 }])(
    'is refused where it says what there is not: %j',
    async (part) => {
      expect(code(await demand(part))).toBe('400 invalid-request');
    },
  );

  it('reads as the strictest where its row cannot be read', () => {
    const strictest = { vendorKey: 'forbidden', keyringsPerProvider: 'one', minRsaBits: 4096 };
    for (const stored of [undefined, 'x', [], 7]) expect(readPolicy(stored)).toEqual(strictest);
    expect(readPolicy({ vendorKey: 'allowd', minRsaBits: 1 })).toEqual(strictest);
    expect(readPolicy(OPEN)).toEqual({ ...OPEN, minRsaBits: undefined });
  });

  it('that allows one keyring counts those of the same provider alone', () => {
    const one = { vendorKey: 'allowed', keyringsPerProvider: 'one' } as const;
    const other = { provider: 'azure-key-vault', connectionId: 'other' };
    expect(policyForbids(one, { ref: MAIN, others: [MANAGED] })).toBeUndefined();
    expect(policyForbids(one, { ref: MAIN, others: [{ provider: 'aws-kms', connectionId: 'x' }] })).toBeUndefined();
    expect(policyForbids(one, { ref: MAIN, others: [other] })).toMatchObject({ code: 'policy-forbids' });
    expect(policyForbids(one, { ref: MANAGED, others: [MANAGED, other] })).toBeUndefined();
  });
});

describe('the vendor’s key, forbidden', () => {
  beforeEach(() => demand({ vendorKey: 'forbidden' }));

  it('takes no new keyring and no switch, until the company allows it again', async () => {
    expect(code(await put('/keyrings/second', {}))).toBe('409 policy-forbids');
    expect(code(await switchTo('there', MAIN))).toBe('202');
    await api.work();
    expect(code(await put('/keyrings/second', {}))).toBe('201');
    expect(await providerOf('second')).toEqual(MAIN);
    expect(code(await put('/keyrings/third', { provider: MANAGED }))).toBe('409 policy-forbids');
    expect(code(await switchTo('back', MANAGED))).toBe('409 policy-forbids');
    await demand({});
    expect(code(await switchTo('back', MANAGED))).toBe('202');
  });

  it('takes back what is on its way: a cancel is free', async () => {
    expect(code(await switchTo('there', MAIN))).toBe('202');
    const cancelled = await api.call('POST', `${COMPANY}/keyrings/default/switches/there/cancel`, { as: admin });
    expect(code(cancelled)).toBe('200');
    await api.work();
    expect(await providerOf('default')).toEqual(MANAGED);
  });
});

it('one keyring for each provider: no second is made under it or switched to it, also while the first is on its way', async () => {
  await put('/keyrings/second', {});
  await demand({ keyringsPerProvider: 'one' });
  expect(code(await switchTo('there', MAIN))).toBe('202');
  expect(code(await switchTo('there', MAIN, 'second'))).toBe('409 policy-forbids');
  await api.work();
  expect(code(await put('/keyrings/third', {}))).toBe('409 policy-forbids');
  expect(code(await put('/keyrings/third', { provider: MANAGED }))).toBe('201');
  expect(code(await api.call('POST', `${COMPANY}/keyrings/default/rekey`, { as: admin }))).toBe('202');
});

describe('in the tables, whose writer lifts it', () => {
  const row = (): Cells => api.store.peek('companies', 'acme', 'company')?.cells ?? {};
  const write = (cells: Cells): void => {
    api.store.tamper('companies', 'acme', 'company', cells);
  };
  const FORGED = '409 row-forged';
  const forgedRows = async (): Promise<readonly string[]> => {
    const { body } = await api.call('GET', `${COMPANY}/events`, { as: admin });
    const events = body['value'] as unknown as { readonly action: string; readonly target: string }[];
    return events.filter(({ action }) => action === 'security.row-forged').map(({ target }) => target);
  };
  const LIFTED: readonly (readonly [string, (cells: Cells) => Cells])[] = [
    ['taken away', ({ policy: _, ...cells }) => cells],
    ['taken away with its seal', ({ policy: _, policySeal: _seal, ...cells }) => cells],
    ['replaced', (cells) => ({ ...cells, policy: JSON.stringify(OPEN) })],
    ['softened', (cells) => ({ ...cells, policy: String(cells['policy']).replace('3072', '2048') })],
    ['under the seal of the features', (cells) => ({ ...cells, policySeal: cells['featuresSeal'] })],
    ['under no seal that can be read', (cells) => ({ ...cells, policySeal: 'x' })],
  ];

  it.each(LIFTED)(
    '%s: nothing begins, each try is a security event, and the company’s word mends it',
    async (_, lift) => {
      await demand({ vendorKey: 'forbidden', minRsaBits: 3072 });
      write(lift(row()));
      api.vaults.calls.length = 0;
      expect(code(await put('/keyrings/second', {}))).toBe(FORGED);
      expect(code(await put('/keyrings/second', { provider: MANAGED }, vendor))).toBe(FORGED);
      expect(code(await switchTo('there', MAIN))).toBe(FORGED);
      expect(code(await api.call('POST', `${COMPANY}/connections/main/test`, { as: admin }))).toBe(FORGED);
      expect(api.vaults.calls.filter(({ operation }) => operation !== 'publicKey')).toEqual([]);
      expect(await forgedRows()).toContain('company');
      await api.call('PUT', COMPANY, {
        as: vendor,
        body: { displayName: 'Acme Ltd', features: ['customer-keys', 'federated'] },
      });
      expect(code(await switchTo('there', MAIN))).toBe(FORGED);
      await demand({ vendorKey: 'forbidden' });
      expect(code(await switchTo('there', MAIN))).toBe('202');
    },
  );

  it('copied with its seal from another company, it is forged', async () => {
    await registerCompany(api, 'globex');
    await demand({ vendorKey: 'forbidden' });
    const { policy: _, ...own } = row();
    write({ ...own, policySeal: api.store.peek('companies', 'globex', 'company')?.cells['policySeal'] });
    expect(code(await put('/keyrings/second', {}))).toBe(FORGED);
  });

  it('moves nothing that is in force: callers and views go on, and a key in use is looked at', async () => {
    await switchTo('there', MAIN);
    await api.work();
    await demand({ minRsaBits: 4096 });
    write(LIFTED[0]![1](row()));
    const made = await api.call('POST', `${COMPANY}/keyrings/default/datakeys`, { as: backend, body: { keys: [{}] } });
    expect(code(made)).toBe('200');
    expect((await api.call('GET', `${COMPANY}/policy`, { as: vendor })).body).toEqual(OPEN);
    expect(await providerOf('default')).toEqual(MAIN);
  });

  it('said again as it seems to be, it is sealed: what is stored without a seal is no answer', async () => {
    const { policySeal: _, ...cells } = row();
    write(cells);
    expect(code(await demand({}))).toBe('200');
    expect(code(await put('/keyrings/second', {}))).toBe('201');
  });

  it('put back as it was before, it is genuine: that is a known limit', async () => {
    const before = row();
    await demand({ vendorKey: 'forbidden' });
    write(before);
    expect(code(await put('/keyrings/second', {}))).toBe('201');
  });
});

describe('a change under an ETag', () => {
  const change = async (headers: Record<string, string>): Promise<ApiAnswer> =>
    api.call('PUT', `${COMPANY}/policy`, { as: admin, body: OPEN, headers });

  it('is made if the company is as it was read, and not otherwise', async () => {
    const read = (await api.call('GET', `${COMPANY}/policy`, { as: admin })).headers.get('etag')!;
    const put = await api.call('PUT', `${COMPANY}/policy`, {
      as: admin,
      body: { ...OPEN, minRsaBits: 3072 },
      headers: { 'If-Match': read },
    });
    expect(code(put)).toBe('200');
    expect(put.headers.get('etag')).not.toBe(read);
    expect(code(await change({ 'If-Match': read }))).toBe('412 precondition-failed');
    expect(code(await change({ 'If-None-Match': '*' }))).toBe('412 precondition-failed');
    expect(code(await change({ 'If-Match': put.headers.get('etag')! }))).toBe('200');
  });
});

describe('the size of keys', () => {
  const newKey = (fixture: 'rsa-2048-1' | 'rsa-3072-1'): unknown =>
    api.vaults.addKey({ host: CUSTOMER_HOST, keyName: CUSTOMER_KEY, fixture });

  it('is judged at a test, by the stricter of deployment and company', async () => {
    expect((await testOf())[0]).toBe('green');
    await demand({ minRsaBits: 3072 });
    const [status, told] = await testOf();
    expect([status, told]).toEqual(['failed', expect.stringContaining('3072 are asked for')]);
    newKey('rsa-3072-1');
    expect((await testOf())[0]).toBe('green');
  });

  it('is judged at a switch, also if the key was tested before it was demanded', async () => {
    await demand({ minRsaBits: 3072 });
    expect(code(await switchTo('there', MAIN))).toBe('202');
    await api.work();
    const { body } = await api.call('GET', `${COMPANY}/keyrings/default/switches/there`, { as: admin });
    expect(JSON.stringify(body)).toContain('key-too-small');
    expect(await providerOf('default')).toEqual(MANAGED);
  });

  it('is judged before a new version is followed; the one in force serves on', async () => {
    await switchTo('there', MAIN);
    await api.work();
    await demand({ minRsaBits: 3072 });
    newKey('rsa-2048-1');
    const follow = () =>
      followKeyVersion(
        api.services,
        { companyId: 'acme', keyringId: 'default', ref: MAIN },
        { by: 'keyswitch', from: '', requestId: '' },
      );
    expect(await follow()).toMatchObject({ ok: false, error: { failure: { code: 'key-too-small' } } });
    expect((await testOf())[0]).toBe('green');
    newKey('rsa-3072-1');
    expect(await follow()).toMatchObject({ ok: true, value: { rewrapped: 1 } });
  });

  it('is judged at a new keyring under the company’s own key', async () => {
    await switchTo('there', MAIN);
    await api.work();
    await demand({ minRsaBits: 4096 });
    expect(code(await put('/keyrings/second', {}))).toBe('409 key-too-small');
    expect(code(await put('/keyrings/second', { provider: MANAGED }))).toBe('201');
  });
});
