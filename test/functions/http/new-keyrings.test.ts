// Where a new keyring's key is: with that of the default keyring, unless another is named under which the company is already.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminOf, Api, backend, connect, CUSTOMER_HOST, registerCompany, vendor } from './api.ts';
import type { ApiAnswer, Json } from './api-answer.ts';

const COMPANY = '/companies/acme';
const admin = adminOf('acme');
const MAIN = { provider: 'azure-key-vault', connectionId: 'main' };
const MANAGED = { provider: 'managed' };

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
});
afterEach(() => api.close());

const put = (keyringId: string, body: object = {}): Promise<ApiAnswer> =>
  api.call('PUT', `${COMPANY}/keyrings/${keyringId}`, { as: admin, body });
const code = ({ status, headers }: ApiAnswer): string => `${status} ${headers.get('x-ms-error-code') ?? ''}`.trim();
const usedBy = async (): Promise<Json | undefined> =>
  (await api.call('GET', `${COMPANY}/connections/main`, { as: admin })).body['usedBy'];

async function switchTo(keyringId: string, switchId: string, target: object): Promise<void> {
  const path = `${COMPANY}/keyrings/${keyringId}/switches/${switchId}`;
  expect(code(await api.call('PUT', path, { as: admin, body: target }))).toBe('202');
  await api.work();
  expect((await api.call('GET', path, { as: admin })).body['state']).toBe('completed');
}

const made = async (keyringId: string): Promise<string> => {
  const created = await api.call('POST', `${COMPANY}/keyrings/${keyringId}/datakeys`, {
    as: backend,
    body: { keys: [{ keyId: 'one' }] },
  });
  return code(created);
};

describe('while the default keyring is under the vendor’s key', () => {
  it('a new one is so too', async () => {
    expect((await put('second')).body['provider']).toEqual(MANAGED);
  });

  it('none is made under a connection that no keyring is under: a switch asks those who must agree', async () => {
    expect(code(await put('second', { provider: MAIN }))).toBe('409 connection-not-in-force');
    expect(code(await put('second', { provider: { ...MAIN, connectionId: 'absent' } }))).toBe(
      '409 connection-not-in-force',
    );
    expect(code(await api.call('GET', `${COMPANY}/keyrings/second`, { as: admin }))).toBe('404 keyring-not-found');
    expect(await usedBy()).toEqual([]);
  });
});

describe('while the default keyring is under the company’s own key', () => {
  beforeEach(() => switchTo('default', 'there', MAIN));

  it('a new one is so too, keeps the connection, and is served and refused by that vault', async () => {
    const second = await put('second');
    expect([second.status, second.body['provider']]).toEqual([201, MAIN]);
    expect(await usedBy()).toEqual(['keyrings/default', 'keyrings/second']);
    expect(await made('second')).toBe('200');
    await switchTo('default', 'back', MANAGED);
    expect(await usedBy()).toEqual(['keyrings/second']);
    expect(code(await api.call('DELETE', `${COMPANY}/connections/main`, { as: admin }))).toBe('409 connection-in-use');
    api.clock.advance(10_000);
    api.vaults.fail({ operation: 'unwrap', host: CUSTOMER_HOST, failure: 'access-denied-rbac' });
    expect(await made('second')).toMatch(/^409 access-denied/);
    expect(await made('default')).toBe('200');
  });

  it('a new one is made under the vendor’s key if that is named, and the same again is the same', async () => {
    expect((await put('second', { provider: MANAGED })).body['provider']).toEqual(MANAGED);
    expect(code(await put('second', { provider: MANAGED }))).toBe('200');
    expect(code(await put('second'))).toBe('200');
    const there = await put('second', { provider: MAIN });
    expect(code(there)).toBe('409 keyring-exists');
    expect(JSON.stringify(there.body)).toContain('order a switch to move it');
    expect(await usedBy()).toEqual(['keyrings/default']);
  });

  it('none is made while the vault denies, and nothing is left of it', async () => {
    api.vaults.fail({ operation: 'unwrap', host: CUSTOMER_HOST, failure: 'access-denied-rbac' });
    expect(code(await put('second'))).toMatch(/^409 access-denied/);
    api.vaults.heal();
    expect(await usedBy()).toEqual(['keyrings/default']);
    expect(code(await put('second'))).toBe('201');
  });

  it('a keyring whose row was made to name another provider leads nowhere', async () => {
    const row = api.store.peek('companies', 'acme', 'keyring|default');
    api.store.tamper('companies', 'acme', 'keyring|default', { ...row?.cells, inForceConnectionId: 'other' });
    expect(code(await put('second'))).toBe('409 row-forged');
  });

  it('a switch of one keyring leaves the others where they are', async () => {
    await put('second');
    await made('second');
    await switchTo('second', 'back', MANAGED);
    expect((await api.call('GET', `${COMPANY}/keyrings/default`, { as: vendor })).body['provider']).toEqual(MAIN);
    expect(await usedBy()).toEqual(['keyrings/default']);
  });
});
