// Calls that name no keyring: they go to the one that is the company's default when they come.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { adminOf, Api, backend, registerCompany, vendor } from './api.ts';
import type { ApiAnswer } from './api-answer.ts';

const COMPANY = '/companies/acme';
let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await api.call('PUT', `${COMPANY}/keyrings/payroll`, { as: vendor, body: {} });
});
afterEach(() => api.close());

const makeDefault = (keyringId: string): Promise<ApiAnswer> =>
  api.call('PUT', `${COMPANY}/keyrings/${keyringId}`, { as: adminOf('acme'), body: { isDefault: true } });
const create = (path: string, keyId: string, headers: Record<string, string> = {}, as = backend): Promise<ApiAnswer> =>
  api.call('POST', `${COMPANY}${path}/datakeys`, { as, headers, body: { keys: [{ keyId }] } });
const unwrap = (path: string, keyId: string, as = backend): Promise<ApiAnswer> =>
  api.call('POST', `${COMPANY}${path}/unwrap`, { as, body: { keyIds: [keyId] } });
const code = ({ headers }: ApiAnswer): string | null => headers.get('x-ms-error-code');
const keysOf = ({ body }: ApiAnswer): readonly { readonly outcome: string; readonly plaintext?: string }[] =>
  body['keys'] as unknown as { readonly outcome: string; readonly plaintext?: string }[];

it('keys are made in the default keyring, which the answer names, and opened from there by either call', async () => {
  const made = await create('', 'one');
  expect(made.body['keyringId']).toBe('default');
  const [{ plaintext } = {}] = keysOf(made);
  for (const path of ['', '/keyrings/default']) {
    expect(keysOf(await unwrap(path, 'one'))).toMatchObject([{ outcome: 'unwrapped', plaintext }]);
  }
  expect(keysOf(await unwrap('/keyrings/payroll', 'one'))).toMatchObject([{ outcome: 'not-found' }]);
});

it('an answer says in which keyring was looked, so that a key of an earlier default is not taken for lost', async () => {
  await create('', 'one');
  expect((await unwrap('', 'one')).body['keyringId']).toBe('default');
  await makeDefault('payroll');
  expect((await unwrap('', 'one')).body).toEqual({
    keyringId: 'payroll',
    keys: [{ outcome: 'not-found', keyId: 'one' }],
  });
});

it('another default is felt by the next call; what was made before is where it was', async () => {
  await create('', 'before');
  await makeDefault('payroll');
  expect((await create('', 'after')).body['keyringId']).toBe('payroll');
  expect(keysOf(await unwrap('', 'before'))).toMatchObject([{ outcome: 'not-found' }]);
  expect(keysOf(await unwrap('/keyrings/default', 'before'))).toMatchObject([{ outcome: 'unwrapped' }]);
  expect(keysOf(await unwrap('', 'after'))).toMatchObject([{ outcome: 'unwrapped' }]);
});

it('an Idempotency-Key is the same by either call, and makes no keys in another keyring', async () => {
  const once = { 'idempotency-key': 'once' };
  const [first, again] = [await create('', 'one', once), await create('/keyrings/default', 'one', once)];
  expect(keysOf(again)).toEqual(keysOf(first));
  await makeDefault('payroll');
  const moved = await create('', 'one', once);
  expect([moved.status, code(moved)]).toEqual([409, 'idempotency-key-reused']);
  expect(keysOf(await unwrap('', 'one'))).toMatchObject([{ outcome: 'not-found' }]);
});

it('a token that is confined to a keyring goes there alone, whatever the default is', async () => {
  const as = { ...backend, extension_companies: 'acme/payroll' };
  const refused = [await create('', 'one', {}, as), await unwrap('', 'one', as)];
  expect(refused.map((answer) => [answer.status, code(answer)])).toEqual([
    [403, 'token-confined'],
    [403, 'token-confined'],
  ]);
  expect(JSON.stringify(refused.map(({ body }) => body))).not.toContain('default');
  await makeDefault('payroll');
  expect((await create('', 'one', {}, as)).body['keyringId']).toBe('payroll');
  expect(keysOf(await unwrap('', 'one', as))).toMatchObject([{ outcome: 'unwrapped' }]);
});

it('a company that is not there is told as that', async () => {
  const answer = await api.call('POST', '/companies/nobody/unwrap', { as: backend, body: { keyIds: ['k'] } });
  expect([answer.status, code(answer)]).toEqual([404, 'company-not-found']);
});
