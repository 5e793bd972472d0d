import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../functions/http/kernel/body.ts';
import { type Tables } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import type { ApiAnswer } from './api-answer.ts';
import { adminOf, Api, backend, vendor, registerCompany } from './api.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  await registerCompany(api, 'acme');
});
afterEach(() => api.close());

const codeOf = (answer: ApiAnswer): unknown => answer.body['error']?.['code'];
const detailsOf = (answer: ApiAnswer): string[] =>
  (answer.body['error']?.['details'] as unknown as { code: string; target: string }[]).map(
    ({ code, target }) => `${code} ${target}`,
  );

describe('a request that is not valid', () => {
  test('has every fault named, unknown fields too, and no value repeated', async () => {
    const body = { keyName: 7, credential: { kind: 'secret-text' }, colour: 'secret-text' };
    const answer = await api.call('PUT', '/companies/acme/connections/UPPER?x=1', { as: vendor, body });
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe('invalid-request');
    expect(detailsOf(answer).sort()).toEqual([
      'invalid-value body.credential.kind',
      'invalid-value body.keyName',
      'invalid-value path.connectionId',
      'missing-field body.vaultUri',
      'unknown-field body.colour',
      'unknown-field query.x',
    ]);
    expect(JSON.stringify(answer.body)).not.toContain('secret-text');
  });

  test('has a field named that its kind of credential does not have', async () => {
    const body = {
      vaultUri: 'https://contoso.vault.azure.net',
      keyName: 'k',
      credential: { kind: 'federated', extra: 1 },
    };
    const answer = await api.call('PUT', '/companies/acme/connections/main', { as: vendor, body });
    expect(detailsOf(answer)).toEqual(['unknown-field body.credential.extra']);
  });

  test.each([
    ['a line separator', 'a\u2028b', 'U+2028 at offset 1'],
    ['a paragraph separator', 'ab\u2029', 'U+2029 at offset 2'],
    ['half a pair', 'a\ud800b', 'U+D800 at offset 1'],
    ['the other half', '\udfff', 'U+DFFF at offset 0'],
    ['an override', 'Acme \u202egpj.exe', 'U+202E at offset 5'],
    ['a space of no width', '\u200b', 'U+200B at offset 0'],
    ['a byte order mark', '\ufeffAcme', 'U+FEFF at offset 0'],
    ['a noncharacter', '\ufffe', 'U+FFFE at offset 0'],
    ['a control character', 'a\u0000', 'U+0000 at offset 1'],
    ['only spaces', '   ', 'a character that can be seen'],
    ['only joiners', '\u200d\u200c', 'a character that can be seen'],
  ])('with %s in a name says where', async (_name, displayName, message) => {
    const answer = await api.call('PUT', '/companies/acme', { as: vendor, body: { displayName } });
    expect([answer.status, ...detailsOf(answer)]).toEqual([400, 'invalid-value body.displayName']);
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  test('with what cannot be seen in a word of a public key says where', async () => {
    const publicKey = { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'a\u2028' };
    const path = '/companies/acme/keyrings/default/export';
    const answer = await api.call('POST', path, { as: adminOf('acme'), body: { publicKey } });
    expect([answer.status, ...detailsOf(answer)]).toEqual([400, 'invalid-value body.publicKey.kid']);
  });

  test('names a key that is no base64url by its place, never by its text', async () => {
    const keys = [{}, { plaintext: 'not+base64/url=AAAAAAAAA' }, { plaintext: 'AAAA' }];
    const answer = await api.call('POST', '/companies/acme/keyrings/default/datakeys', { as: backend, body: { keys } });
    expect(answer.status).toBe(400);
    expect(detailsOf(answer)).toContain('invalid-value body.keys.1.plaintext');
    expect(detailsOf(answer)).toContain('invalid-value body.keys.2.plaintext');
    expect(JSON.stringify(answer.body)).not.toContain('not+base64');
  });

  test('with more than a thousand keys is refused as a whole', async () => {
    const keyIds = Array.from({ length: 1001 }, (_, index) => `k${index}`);
    const path = '/companies/acme/keyrings/default/unwrap';
    expect((await api.call('POST', path, { as: backend, body: { keyIds } })).status).toBe(400);
  });

  test('that only the operation can judge has its faults named by the same places', async () => {
    const keys = [{ keyId: 'twice' }, { keyId: 'twice' }];
    const twice = await api.call('POST', '/companies/acme/keyrings/default/datakeys', { as: backend, body: { keys } });
    expect([twice.status, ...detailsOf(twice)]).toEqual([400, 'invalid-value body.keys.1.keyId']);
    const lost = await api.call('GET', '/companies/acme/keyrings/default/datakeys?skiptoken=AAAA', { as: vendor });
    expect([lost.status, ...detailsOf(lost)]).toEqual([400, 'invalid-value query.skiptoken']);
    for (const path of ['/events', '/companies/acme/events']) {
      const events = await api.call('GET', `${path}?skiptoken=x`, { as: vendor });
      expect([events.status, ...detailsOf(events)]).toEqual([400, 'invalid-value query.skiptoken']);
    }
  });

  test('with a field named __proto__ has it named like any other', async () => {
    const rawBody = '{"displayName":"x","__proto__":{"defaultKeyring":"y"}}';
    const answer = await api.call('PUT', '/companies/acme', { as: vendor, rawBody });
    expect(answer.status).toBe(400);
  });

  test('with a query parameter given twice is refused', async () => {
    const answer = await api.call('GET', '/companies?maxpagesize=1&maxpagesize=2', { as: vendor });
    expect(detailsOf(answer)).toEqual(['invalid-value query.maxpagesize']);
  });

  test.each(['0', '201', '99999', '1e2', '-1', ''])(
    'with a page size of %j is refused, with one reason',
    async (size) => {
      const answer = await api.call('GET', `/companies?maxpagesize=${size}`, { as: vendor });
      expect([answer.status, ...detailsOf(answer)]).toEqual([400, 'invalid-value query.maxpagesize']);
    },
  );
});

describe('a body', () => {
  const put = (options: Parameters<Api['call']>[2]): Promise<ApiAnswer> =>
    api.call('PUT', '/companies/acme', { as: vendor, ...options });

  test.each(['{', '{"displayName":"a"', '\u0000'])('that is not JSON (%j) is 400 malformed-json', async (rawBody) => {
    const answer = await put({ rawBody });
    expect(answer.status).toBe(400);
    expect(codeOf(answer)).toBe('malformed-json');
  });

  test('that is not UTF-8 is 400 malformed-json', async () => {
    expect(codeOf(await put({ rawBody: new Uint8Array([0x22, 0xff, 0x22]) }))).toBe('malformed-json');
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', ''])(
    'of type %j is 415',
    async (type) => {
      expect((await put({ rawBody: '{}', headers: { 'content-type': type } })).status).toBe(415);
    },
  );

  test.each([
    ['gzip', gzipSync('{}')],
    ['gzip', '{}'],
    ['br', '{}'],
    ['identity, gzip', '{}'],
  ])('in %s is 415, and says so', async (encoding, rawBody) => {
    const answer = await put({ rawBody, headers: { 'content-encoding': encoding } });
    expect([answer.status, codeOf(answer)]).toEqual([415, 'unsupported-media-type']);
    expect(answer.body['error']?.['target']).toBe('header.Content-Encoding');
    expect(answer.headers.get('accept-encoding')).toBe('identity');
  });

  test('that says it is not compressed is taken', async () => {
    expect((await put({ rawBody: '{}', headers: { 'content-encoding': 'identity' } })).status).toBe(200);
  });

  test('of application/json with charset utf-8 is taken', async () => {
    const headers = { 'content-type': 'application/json; charset=UTF-8' };
    expect((await put({ rawBody: '{}', headers })).status).toBe(200);
  });

  test('of more than 1 MiB is 413 before it is parsed, whatever its length claims to be', async () => {
    const rawBody = 'x'.repeat(MAX_BODY_BYTES + 1);
    expect((await put({ rawBody })).status).toBe(413);
    expect((await put({ rawBody: '{}', headers: { 'content-length': String(MAX_BODY_BYTES + 1) } })).status).toBe(413);
  });

  test('that is missing where one is needed is named', async () => {
    const answer = await put({});
    expect(answer.status).toBe(400);
    expect(detailsOf(answer)).toEqual(['missing-field body']);
  });

  test('with a field, sent to an action without fields, has it named', async () => {
    const path = '/companies/acme/keyrings/default/switches/s1/cancel';
    const answer = await api.call('POST', path, { as: vendor, body: { force: true } });
    expect(detailsOf(answer)).toEqual(['unknown-field body.force']);
  });
});

describe('conditions', () => {
  test('If-None-Match: * makes only, If-Match changes only what is still as it was', async () => {
    const first = await api.call('GET', '/companies/acme', { as: vendor });
    const etag = first.headers.get('etag')!;
    expect(etag).toMatch(/^"[\w-]+"$/);
    const put = (headers: Record<string, string>, displayName: string): Promise<ApiAnswer> =>
      api.call('PUT', '/companies/acme', { as: vendor, headers, body: { displayName } });
    expect((await put({ 'if-none-match': '*' }, 'again')).status).toBe(412);
    const changed = await put({ 'if-match': etag }, 'changed');
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
    const stale = await put({ 'if-match': etag }, 'stale');
    expect(stale.status).toBe(412);
    expect(codeOf(stale)).toBe('precondition-failed');
    expect((await put({ 'if-match': '*' }, 'any')).status).toBe(200);
    const absent = { as: vendor, headers: { 'if-match': '*' }, body: {} };
    expect((await api.call('PUT', '/companies/initech', absent)).status).toBe(412);
  });

  test('an entity tag that carries a star is not the star', async () => {
    const headers = { 'if-match': `"${Buffer.from('*').toString('base64url')}"` };
    const answer = await api.call('PUT', '/companies/acme', { as: vendor, headers, body: {} });
    expect([answer.status, codeOf(answer)]).toEqual([412, 'precondition-failed']);
  });

  test('If-None-Match of what one has answers 304 without a body', async () => {
    const first = await api.call('GET', '/companies/acme', { as: vendor });
    const headers = { 'if-none-match': `"other", ${first.headers.get('etag')!}` };
    expect((await api.call('GET', '/companies/acme', { as: vendor, headers })).status).toBe(304);
    expect((await api.call('GET', '/companies/acme', { as: vendor, headers: { 'if-none-match': '"x"' } })).status).toBe(
      200,
    );
  });

  test.each([
    ['PUT', '/companies/acme', { 'if-match': 'W/"weak"' }],
    ['PUT', '/companies/acme', { 'if-match': '"a", "b"' }],
    ['PUT', '/companies/acme', { 'if-none-match': '"a"' }],
    ['PUT', '/companies/acme', { 'if-none-match': '*', 'if-match': '*' }],
    ['DELETE', '/companies/acme', { 'if-none-match': '*' }],
    ['POST', '/companies/acme/keyrings/default/rekey', { 'if-match': '"a"' }],
    ['POST', '/companies/acme/keyrings/default/rekey', { 'idempotency-key': 'with space' }],
    ['POST', '/companies/acme/connections/c1/test', { 'idempotency-key': 'k' }],
  ])('that cannot be honoured are refused: %s %s %j', async (method, path, headers) => {
    const body = method === 'DELETE' ? {} : { body: {} };
    const answer = await api.call(method, path, { as: vendor, headers: headers, ...body });
    expect(answer.status).toBe(400);
    expect(answer.body['error']?.['details']?.[0]?.['target']).toMatch(/^header\./);
  });
});

describe('a path that is not described', () => {
  test.each(['/nothing', '/companies/acme/nothing', '/companies/acme/keyrings/default/switches/s/explode', '/'])(
    '%s is 404 in the shape of every error',
    async (path) => {
      const answer = await api.call('GET', path);
      expect(answer.status).toBe(404);
      expect(codeOf(answer)).toBe('route-not-found');
    },
  );

  test('is 405 with Allow when another method would do', async () => {
    const answer = await api.call('PATCH', '/companies/acme', { as: vendor, body: {} });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('PUT, GET, HEAD, DELETE');
    expect((await api.call('DELETE', '/Companies/acme/KEYRINGS/default/rekey')).headers.get('allow')).toBe('POST');
  });
});

describe('Keyswitch-Actor', () => {
  test('is recorded as asserted, beside who asked', async () => {
    const headers = { 'keyswitch-actor': 'jane@acme.example' };
    const answer = await api.call('POST', '/companies/acme/keyrings/default/rekey', { as: vendor, headers });
    expect(answer.status).toBe(202);
    const rows = [...api.store.dump()].filter(
      ({ table, rowKey }) => table === 'companies' && rowKey.startsWith('switch|'),
    );
    expect(rows.map(({ cells }) => cells['requestedBy'])).toEqual([
      'entra:7e5d0000-0000-4000-8000-00000000beef asserting "jane@acme.example"',
    ]);
  });

  test('gives no right', async () => {
    const headers = { 'keyswitch-actor': 'Keyswitch.VendorAdmin' };
    expect((await api.call('PUT', '/companies/acme', { as: adminOf('acme'), headers, body: {} })).status).toBe(403);
  });

  test.each([
    'Zoë Müller',
    '山田 太郎',
    'Sinéad O’Brien',
    'Łukasz, admin',
    'a+b/c@x',
    '🔑',
    'x'.repeat(256),
    '🔑'.repeat(256),
  ])('is recorded as the name that was meant: %s', async (name) => {
    const headers = { 'keyswitch-actor': encodeURIComponent(name) };
    await api.call('POST', '/companies/acme/keyrings/default/rekey', { as: vendor, headers });
    const rows = [...api.store.dump()].filter(
      ({ table, rowKey }) => table === 'companies' && rowKey.startsWith('switch|'),
    );
    expect(rows.map(({ cells }) => cells['requestedBy'])).toEqual([
      `entra:7e5d0000-0000-4000-8000-00000000beef asserting ${JSON.stringify(name)}`,
    ]);
  });

  test.each([
    ['nothing', '', '1 to 256 characters'],
    ['257 characters', 'x'.repeat(257), '1 to 256 characters'],
    ['257 encoded characters', '%C3%A9'.repeat(257), '1 to 256 characters'],
    ['the most bytes and one', '%F0%9F%94%91'.repeat(256) + 'x', '1 to 256 characters'],
    ['bytes that are not ASCII', 'Zo\u00ebl', 'percent-encoded UTF-8'],
    ['UTF-8 that was read as Latin-1', 'Zo\u00c3\u00abl', 'percent-encoded UTF-8'],
    ['a space', 'Ann Lee', 'a space is %20'],
    ['a plus, which is a space to some', 'Ann+Lee', 'a plus %2B'],
    ['two names', 'ann, bob', 'one header'],
    ['half an escape', 'Ann%2', 'percent-encoded UTF-8'],
    ['an escape of no number', 'Ann%GG', 'percent-encoded UTF-8'],
    ['Latin-1', 'Zo%EBl', 'is not UTF-8'],
    ['UTF-8 that is too long', '%C0%AF', 'is not UTF-8'],
    ['half a pair', '%ED%A0%80', 'is not UTF-8'],
    ['a control character', 'Ann%0ALee', 'U+000A at offset 3'],
    ['NUL', '%00', 'U+0000 at offset 0'],
    ['an override', 'Ann%E2%80%AEeeL', 'U+202E at offset 3'],
    ['a space that cannot be seen', 'Ann%E2%80%8BLee', 'U+200B at offset 3'],
    ['only spaces', '%20%C2%A0', 'a character that can be seen'],
  ])('is refused by name with %s', async (_name, actor, message) => {
    const headers = { 'keyswitch-actor': actor };
    const answer = await api.call('GET', '/companies/acme', { as: vendor, headers });
    expect([answer.status, ...detailsOf(answer)]).toEqual([400, 'invalid-value header.Keyswitch-Actor']);
    expect(JSON.stringify(answer.body)).toContain(message);
  });

  test('is refused if there are two of it', async () => {
    const headers = new Headers({ 'keyswitch-actor': 'ann' });
    headers.append('keyswitch-actor', 'bob');
    const answer = await api.call('GET', '/companies/acme', { as: vendor, headers: Object.fromEntries(headers) });
    expect([answer.status, ...detailsOf(answer)]).toEqual([400, 'invalid-value header.Keyswitch-Actor']);
  });
});

describe('links', () => {
  const FORGED = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };

  test('of a page lead to the address of the settings, whatever host the request names', async () => {
    await registerCompany(api, 'globex');
    const url = 'https://evil.example/api/v1/companies?maxpagesize=1';
    const answer = await api.call('GET', url, { as: vendor, headers: FORGED });
    expect(answer.body['nextLink']).toMatch(/^https:\/\/keyswitch\.example\/api\/v1\/companies\?/);
  });

  test('to work under way lead there too', async () => {
    const url = 'https://evil.example/api/v1/companies/acme/keyrings/default/rekey';
    const answer = await api.call('POST', url, { as: vendor, headers: FORGED });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('operation-location')).toMatch(
      /^https:\/\/keyswitch\.example\/api\/v1\/companies\/acme\/keyrings\/default\/switches\//,
    );
  });
});

describe('tokens', () => {
  test.each(['Basic YTpi', 'Bearer', 'Bearer a b', `Bearer ${'a'.repeat(20_000)}`, 'Bearer not-a-token'])(
    'that are none (%.20s…) are 401 with the reason in the challenge',
    async (authorization) => {
      const answer = await api.call('GET', '/companies/acme', { headers: { authorization } });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="keyswitch", error="invalid_token"/);
    },
  );

  test('cannot be checked while their issuer is away: 503, not 401; keys that were had go on being used', async () => {
    api.issuer.failWith = 500;
    expect((await api.call('GET', '/companies/acme', { as: vendor })).status).toBe(200);
    const cold = await Api.start();
    cold.issuer.failWith = 500;
    const refused = await cold.call('GET', '/companies/acme', { as: vendor });
    expect(refused.status).toBe(503);
    expect(codeOf(refused)).toBe('identity-provider-unavailable');
    await cold.close();
  });

  test('are in no log line and no answer', async () => {
    const secret = await api.issuer.sign({ sub: 'x' });
    const answer = await api.call('GET', '/companies/acme', { headers: { authorization: `Bearer ${secret}` } });
    expect(answer.status).toBe(401);
    expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain(secret.slice(0, 40));
    expect(JSON.stringify(api.log.entries)).not.toContain(secret.slice(0, 40));
  });
});

describe('when something is wrong on our side', () => {
  const broken = (error: Error): ((store: FakeTables) => Tables) => {
    return (store) => ({
      read: () => Promise.reject(error),
      list: () => Promise.reject(error),
      write: store.write.bind(store),
    });
  };

  test('the store being away is 503 with Retry-After', async () => {
    const away = await Api.start({ tables: broken(new StoreUnavailable('table storage')) });
    const answer = await away.call('GET', '/companies', { as: vendor });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(codeOf(answer)).toBe('store-unavailable');
    expect((await away.call('GET', '/health/live')).status).toBe(200);
    await away.close();
  });

  test('a load balancer learns without a token whether it can work, and nothing else; the operator learns why not', async () => {
    const away = await Api.start({ tables: broken(new StoreUnavailable('table storage: 503')) });
    for (const caller of [{}, { as: vendor }, { headers: { authorization: 'Bearer x' } }]) {
      const probed = await away.call('GET', '/health/ready', caller);
      expect([probed.status, probed.headers.get('retry-after')]).toEqual([503, '5']);
      expect(probed.body).toEqual({ error: { code: 'not-ready', message: 'Keyswitch cannot work now; ask again.' } });
      expect((await api.call('GET', '/health/ready', caller)).body).toEqual({ status: 'ok' });
    }
    const told = await away.call('GET', '/health', { as: vendor });
    expect([told.status, told.body]).toMatchObject([
      200,
      { status: 'not-ready', reason: expect.stringContaining('table storage: 503') as string },
    ]);
    expect((await away.call('GET', '/health')).status).toBe(401);
    await away.close();
  });

  test('a store that goes away while keys are made leaves some made, as the description says, and a repeat has them all', async () => {
    let isAway = true;
    const half = await Api.start({
      tables: (store) => ({
        read: store.read.bind(store),
        list: store.list.bind(store),
        write: (table, partitionKey, writes) =>
          isAway && table === 'datakeys' && partitionKey.endsWith('|1')
            ? Promise.reject(new StoreUnavailable('planted'))
            : store.write(table, partitionKey, writes),
      }),
    });
    isAway = false;
    await registerCompany(half, 'acme');
    isAway = true;
    const ring = '/companies/acme/keyrings/default';
    const keyIds = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    const create = (): Promise<ApiAnswer> =>
      half.call('POST', `${ring}/datakeys`, {
        as: backend,
        headers: { 'idempotency-key': 'once' },
        body: { keys: keyIds.map((keyId) => ({ keyId })) },
      });
    const outcomes = ({ body }: ApiAnswer): Readonly<Record<string, string | undefined>> => {
      const keys = body['keys'] as unknown as { keyId: string; plaintext?: string }[];
      return Object.fromEntries(keys.map(({ keyId, plaintext }) => [keyId, plaintext]));
    };
    expect(codeOf(await create())).toBe('store-unavailable');
    const made = outcomes(await half.call('POST', `${ring}/unwrap`, { as: backend, body: { keyIds } }));
    expect(new Set(Object.values(made).map((plaintext) => plaintext !== undefined))).toEqual(new Set([true, false]));
    isAway = false;
    const repeated = outcomes(await create());
    for (const [keyId, plaintext] of Object.entries(made)) {
      if (plaintext !== undefined) expect(repeated[keyId]).toBe(plaintext);
      expect(repeated[keyId]).toBeDefined();
    }
    const described = JSON.stringify(half.description.document);
    expect(described.includes('but for 500 and 503 `store-unavailable`, after which some may have been')).toBe(true);
    await half.close();
  });

  test('a store that never tells what became of a write is away, not busy with others', async () => {
    const deaf = await Api.start({
      tables: (store) => ({
        read: store.read.bind(store),
        list: store.list.bind(store),
        write: (table, ...rest) =>
          table === 'companies' ? Promise.resolve({ outcome: 'unknown' }) : store.write(table, ...rest),
      }),
    });
    const answer = await deaf.call('PUT', '/companies/globex', { as: vendor, body: { displayName: 'Globex' } });
    expect([answer.status, codeOf(answer), answer.headers.get('retry-after')]).toEqual([503, 'store-unavailable', '5']);
    await deaf.close();
  });

  test('a bug is 500 with the request id and nothing of the inside; the log has the rest', async () => {
    const buggy = await Api.start({ tables: broken(new TypeError('the inside of it')) });
    const answer = await buggy.call('GET', '/companies/acme', { as: vendor });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('inside of it');
    expect(JSON.stringify(answer.body)).toContain(answer.headers.get('x-ms-request-id'));
    const logged = buggy.log.entries.find(({ event }) => event === 'http.bug');
    expect(logged?.detail).toMatchObject({
      message: 'the inside of it',
      requestId: answer.headers.get('x-ms-request-id'),
    });
    await buggy.close();
  });
});
