import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { compactDecrypt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { recordDataKeyCalls } from '../../../shared/operations/audit/data-key-calls.ts';
import { MAX_CALLS_PER_MINUTE } from '../../../shared/store/call-limit.ts';
import { parseExport } from '../../../shared/domain/company-key-export.ts';
import { keyFixture } from '../../fixtures/key-fixtures.ts';
import { openWrapped } from '../../../scripts/recover/open-wrapped.ts';
import type { ApiAnswer, Json } from './api-answer.ts';
import { adminOf, Api, auditor, backend, BASE_URL, connect, vendor, registerCompany } from './api.ts';

const ring = '/companies/acme/keyrings/default';
const admin = adminOf('acme');
const passphrase = 'a passphrase of some words';
const { privateKey, publicKey } = keyFixture('rsa-2048-4');
const jwk = publicKey.export({ format: 'jwk' });

let api: Api;
beforeAll(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
  await registerCompany(api, 'globex');
  await connect(api, 'acme', 'main');
});
afterAll(() => api.close());

const ask = (body: unknown, options: Parameters<Api['call']>[2] = {}): Promise<ApiAnswer> =>
  api.call('POST', `${ring}/export`, { as: admin, body, ...options });
const codeOf = (answer: ApiAnswer): unknown => answer.body['error']?.['code'];
const targetsOf = (answer: ApiAnswer): unknown[] =>
  (answer.body['error']?.['details'] as unknown as { target: string }[]).map(({ target }) => target);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: Json | undefined): Json[] => value as unknown as Json[];

let switches = 0;
/** There and back again: an allowance each time. */
async function switchOver(): Promise<void> {
  switches += 1;
  const body = switches % 2 === 1 ? { provider: 'azure-key-vault', connectionId: 'main' } : { provider: 'managed' };
  expect((await api.call('PUT', `${ring}/switches/s${switches}`, { as: admin, body })).status).toBe(202);
  await api.work();
}

describe('an export', () => {
  const plaintexts = new Map<string, string>();
  beforeAll(async () => {
    const keys = [16, 32, 64].map((length) => ({
      keyId: `k${length}`,
      plaintext: randomBytes(length).toString('base64url'),
    }));
    for (const { keyId, plaintext } of keys) plaintexts.set(keyId, plaintext);
    expect((await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys } })).status).toBe(200);
  });

  test('is refused before the first switch, and given once after it; what it holds opens the listed keys', async () => {
    const early = await ask({ publicKey: jwk });
    expect([early.status, codeOf(early)]).toEqual([409, 'tenants-unverified']);
    await switchOver();
    const answer = await ask({ publicKey: { ...jwk, kid: 'mine', use: 'enc', alg: 'RSA-OAEP-256', ext: true } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({
      format: 'keyswitch.company-key-export.1',
      keyringId: 'default',
      versions: [2],
    });
    const { plaintext, protectedHeader } = await compactDecrypt(text(answer.body['jwe']), privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'mine' });
    const content = parseExport(plaintext);
    if (!content.ok) throw new Error(content.error);
    const page = await api.call('GET', `${ring}/datakeys?wrapped=true`, { as: admin });
    const opened = list(page.body['value']).map((value) => {
      const result = openWrapped(content.value, { place: '', value });
      return result.ok ? ([result.value.keyId, result.value.key.toString('base64url')] as const) : result.error;
    });
    expect(opened.toSorted()).toEqual([...plaintexts].toSorted());
    const again = await ask({ publicKey: jwk });
    expect([again.status, codeOf(again)]).toEqual([409, 'tenants-unverified']);
  });

  test('goes to the holder of an EC key, and to whoever knows the passphrase', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    await switchOver();
    const toKey = await ask({ publicKey: pair.publicKey.export({ format: 'jwk' }) });
    expect((await compactDecrypt(text(toKey.body['jwe']), pair.privateKey)).protectedHeader.alg).toBe('ECDH-ES');
    await switchOver();
    const byPassphrase = await ask({ passphrase });
    const opened = await compactDecrypt(text(byPassphrase.body['jwe']), Buffer.from(passphrase), {
      keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
      maxPBES2Count: 210_000,
    });
    expect(parseExport(opened.plaintext).ok).toBe(true);
  });

  test('is in no row and no log line, and neither is its passphrase', async () => {
    await switchOver();
    const answer = await ask({ passphrase });
    const stored = [...api.store.dump()].map(({ cells }) =>
      Object.values(cells).map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('utf8') : cell)),
    );
    const kept = JSON.stringify([stored, api.log.entries]);
    for (const secret of [passphrase, text(answer.body['jwe'])]) expect(kept).not.toContain(secret);
    const events = await api.call('GET', '/companies/acme/events?maxpagesize=1000', { as: admin });
    const exported = list(events.body['value']).filter((event) => text(event['action']) === 'company-key.export');
    expect(exported.at(-1)?.['detail']).toEqual({
      algorithm: 'PBES2-HS512+A256KW',
      by: 'allowance',
      companyKeyVersion: switches + 1,
      recipient: 'passphrase',
      round: 0,
    });
  });

  test('is refused while a switch is unfinished', async () => {
    const body = switches % 2 === 0 ? { provider: 'azure-key-vault', connectionId: 'main' } : { provider: 'managed' };
    await api.call('PUT', `${ring}/switches/unfinished`, { as: admin, body });
    const refused = await ask({ publicKey: jwk });
    expect([refused.status, codeOf(refused)]).toEqual([409, 'switch-in-progress']);
    await api.call('POST', `${ring}/switches/unfinished/cancel`, { as: admin });
    await api.work();
  });

  test.each([
    ['vendor admin', vendor],
    ['backend', backend],
    ['auditor', auditor],
  ])('is not for a %s', async (_, as) => {
    expect((await ask({ publicKey: jwk }, { as })).status).toBe(403);
  });

  test('of another company is of one that does not exist', async () => {
    const refused = await ask({ publicKey: jwk }, { as: adminOf('globex') });
    expect([refused.status, codeOf(refused)]).toEqual([404, 'company-not-found']);
  });

  test('is asked for at most thirty times a minute', async () => {
    api.clock.advance(60_000);
    const statuses: number[] = [];
    for (let i = 0; i <= MAX_CALLS_PER_MINUTE; i += 1) statuses.push((await ask({ publicKey: jwk })).status);
    expect(statuses).toEqual([...Array.from({ length: MAX_CALLS_PER_MINUTE }, () => 409), 429]);
    expect((await api.call('POST', '/companies/acme/connections/main/test', { as: admin })).status).toBe(200);
  });
});

describe('a request for an export that is not valid', () => {
  beforeEach(() => api.clock.advance(60_000));

  test.each([
    ['nothing to encrypt to', {}, ['body.publicKey']],
    ['both', { publicKey: jwk, passphrase }, ['body.publicKey']],
    ['a short passphrase', { passphrase: 'short-secret' }, ['body.passphrase']],
    ['a passphrase that is no text', { passphrase: 7 }, ['body.passphrase']],
    [
      'a private key',
      { publicKey: privateKey.export({ format: 'jwk' }) },
      ['d', 'p', 'q', 'dp', 'dq', 'qi'].map((name) => `body.publicKey.${name}`),
    ],
    [
      'a key that is too small',
      { publicKey: { ...jwk, n: Buffer.alloc(128, 0xff).toString('base64url') } },
      ['body.publicKey.n'],
    ],
    ['a key without a type', { publicKey: { n: jwk.n, e: jwk.e } }, ['body.publicKey.kty']],
    ['a key for signatures', { publicKey: { ...jwk, use: 'sig' } }, ['body.publicKey.use']],
    ['a field too many', { passphrase, iterations: 1 }, ['body.iterations']],
  ])('is refused, and named: %s', async (_, body, targets) => {
    const refused = await ask(body);
    expect([refused.status, codeOf(refused)]).toEqual([400, 'invalid-request']);
    expect(targetsOf(refused).toSorted()).toEqual([...targets].sort());
    expect(JSON.stringify(refused.body)).not.toContain('short-secret');
  });

  test('cannot be repeated by an Idempotency-Key: no answer is kept', async () => {
    expect((await ask({ passphrase }, { headers: { 'idempotency-key': 'k' } })).status).toBe(400);
  });
});

describe('the list of data keys with their wrapped form', () => {
  const path = `${ring}/datakeys?wrapped=true`;

  test('is for the company’s admin, page by page, and stays in no cache', async () => {
    const seen: Json[] = [];
    let next: string | undefined = `${BASE_URL}${path}&maxpagesize=1`;
    while (next !== undefined) {
      const page: ApiAnswer = await api.call('GET', next, { as: admin });
      expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
      seen.push(...list(page.body['value']));
      next = page.body['nextLink'] as unknown as string | undefined;
    }
    expect(seen.map((key) => key['keyId']).toSorted()).toEqual(['k16', 'k32', 'k64']);
    for (const { keyId, wrapped } of seen as { keyId?: unknown; wrapped?: unknown }[]) {
      const row = [...api.store.dump()].find(({ table, rowKey }) => table === 'datakeys' && rowKey === keyId);
      expect(wrapped).toBe(Buffer.from(row?.cells['blob'] as Uint8Array).toString('base64url'));
    }
  });

  test('is counted, call by call and key by key', async () => {
    api.clock.advance(60_000);
    await api.call('GET', path, { as: admin });
    api.clock.advance(60_000);
    expect(await recordDataKeyCalls(api.services)).toBeGreaterThan(0);
    const events = await api.call('GET', '/companies/acme/events?maxpagesize=1000', { as: admin });
    const counts = list(events.body['value']).findLast((event) => text(event['action']) === 'data-keys.calls');
    expect(Object.entries(counts?.['detail'] ?? {})).toEqual(
      expect.arrayContaining([
        [expect.stringMatching(/^list-wrapped-data-keys: calls answered by /), 1],
        [expect.stringMatching(/^list-wrapped-data-keys: keys copied by /), 3],
      ]),
    );
  });

  test.each([
    ['vendor admin', vendor],
    ['auditor', auditor],
    ['backend', backend],
  ])('is not for a %s, which is recorded', async (_, as) => {
    const refused = await api.call('GET', path, { as });
    expect([refused.status, codeOf(refused)]).toEqual([403, 'forbidden']);
    const events = await api.call('GET', '/events?maxpagesize=1000', { as: vendor });
    expect(list(events.body['value']).at(-1)).toMatchObject({ action: 'access.refused', target: 'list-data-keys' });
  });

  test('is not for the admin of another company, who learns nothing of this one', async () => {
    const refused = await api.call('GET', path, { as: adminOf('globex') });
    expect([refused.status, codeOf(refused)]).toEqual([404, 'company-not-found']);
  });

  test('is asked for by one word only', async () => {
    for (const value of ['false', '1', 'TRUE', '']) {
      const refused = await api.call('GET', `${ring}/datakeys?wrapped=${value}`, { as: admin });
      expect([refused.status, ...targetsOf(refused)]).toEqual([400, 'query.wrapped']);
    }
  });

  test('leaves the list without it as it was: for vendor and auditor, and without any wrapped form', async () => {
    const page = await api.call('GET', `${ring}/datakeys`, { as: auditor });
    expect(list(page.body['value']).some((key) => 'wrapped' in key)).toBe(false);
    expect(page.headers.get('cache-control')).toBe('private, no-cache');
    expect((await api.call('GET', `${ring}/datakeys`, { as: admin })).status).toBe(403);
  });
});
