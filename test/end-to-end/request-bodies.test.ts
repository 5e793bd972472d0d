// Bodies and headers of any size and kind, against the running app: what nobody in particular sends costs it no memory, no call that
// waits without end, and no socket beyond loopback.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FunctionsHost } from '../../local/functions-host/host-process.ts';
import { send, type RawAnswer } from '../attacks/raw-request.ts';
import { listeningOf, LOOPBACK_HEX } from '../local/functions-host/listening.ts';
import { startRun } from './harness.ts';
import type { Run } from './run.ts';

const MIB = 1_048_576;
const PATH = '/api/v1/companies/chunks';
/** The host closes the connection under what is still being sent, which may be seen before its answer is. */
const REFUSED_BY_HOST: unknown[] = [500, 'ECONNRESET', 'EPIPE'];
const onLinux = test.runIf(process.platform === 'linux');

let run: Run;
let host: FunctionsHost;
let token: string;
beforeAll(async () => {
  run = await startRun();
  const [first] = run.environment.hosts;
  if (!first) throw new Error('no host lives');
  host = first;
  token = run.environment.mintApiToken({ roles: ['Keyswitch.VendorAdmin'] });
});
afterAll(() => run.close());

const inPieces = (json: unknown, padding = 0): Buffer[] => {
  const text = Buffer.from(JSON.stringify(json).padEnd(padding));
  return [text.subarray(0, 5), text.subarray(5)];
};

test('a body that comes in pieces has reached the app', async () => {
  const put = await send(host.url, 'PUT', PATH, { token, chunks: inPieces({ displayName: 'In pieces' }) });
  expect([put.status, JSON.parse(put.text)]).toMatchObject([201, { displayName: 'In pieces' }]);
});

test('a compressed body is 415 and says why', async () => {
  const rawBody = gzipSync('{"displayName":"x"}');
  const answer = await send(host.url, 'PUT', PATH, { token, rawBody, headers: { 'content-encoding': 'gzip' } });
  expect([answer.status, answer.code, answer.headers['accept-encoding']]).toEqual([
    415,
    'unsupported-media-type',
    'identity',
  ]);
});

test('every answer announces its length: JSON, a refusal, a page, an area without a page, and none where there is nothing', async () => {
  await send(host.url, 'PUT', PATH, { token, rawBody: '{"displayName":"Ä"}' });
  const places = [PATH, '/api/v1/companies/none', '/consent/none', '/portal/x', '/api/nothing'];
  for (const place of places) {
    const answer = await send(host.url, 'GET', place, { token });
    expect([place, answer.headers['content-length'], answer.headers['transfer-encoding']]).toEqual([
      place,
      String(Buffer.byteLength(answer.text)),
      undefined,
    ]);
  }
});

test('through the host HEAD answers as GET does without the body, and methods that nobody takes get our 405 and not the host’s', async () => {
  for (const place of [
    PATH,
    '/api/v1/health/live',
    '/api/v1/openapi.json',
    '/consent/none',
    '/api/v1/companies/none',
  ]) {
    const [got, head] = [await send(host.url, 'GET', place, { token }), await send(host.url, 'HEAD', place, { token })];
    expect([place, head.status, head.text]).toEqual([place, got.status, '']);
    for (const name of ['content-length', 'content-type', 'etag', 'cache-control', 'x-ms-error-code'])
      expect([place, name, head.headers[name]]).toEqual([place, name, got.headers[name]]);
  }
  for (const method of ['TRACE', 'QUERY', 'PURGE', 'PATCH', 'OPTIONS', 'M-SEARCH']) {
    const answer = await send(host.url, method, PATH, { token });
    expect([method, answer.status, answer.headers['allow']]).toEqual([method, 405, 'PUT, GET, HEAD, DELETE']);
    expect(answer.requestId).toMatch(/./);
  }
});

test('a body over the limit is 413 in our shape, in pieces or announced, also where the app has stopped reading', async () => {
  const body = { displayName: 'x' };
  for (const size of [1.2 * MIB, 3 * MIB]) {
    const chunked = await send(host.url, 'PUT', PATH, { token, chunks: inPieces(body, size) });
    expect([chunked.status, chunked.code]).toEqual([413, 'body-too-large']);
    const announced = await send(host.url, 'PUT', PATH, { token, rawBody: JSON.stringify(body).padEnd(size) });
    expect([announced.status, announced.code]).toEqual([413, 'body-too-large']);
  }
});

test('an announced body over the limit of the host is the host’s own 500', async () => {
  const answer = await send(host.url, 'PUT', PATH, { token, rawBody: Buffer.alloc(4 * MIB + 1) }).then(
    ({ status, text }) => (text === '' ? status : text),
    (error: unknown) => (error as NodeJS.ErrnoException).code,
  );
  expect(REFUSED_BY_HOST).toContain(answer);
});

/** Peak of what the process has resident, in bytes. */
const residentOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

/** Sends 95 MiB, as fast as they are taken, and answers what came back, be it before the end. */
function flood(headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(host.url);
    const asking = request({ hostname, port, method: 'PUT', path: PATH, headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    asking.on('error', (error) => reject(error));
    const piece = Buffer.alloc(65_536, ' ');
    let left = 95 * 16;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!asking.write(piece)) return void asking.once('drain', more);
      }
      asking.end();
    };
    more();
  });
}

onLinux.each([
  ['in pieces', { 'content-type': 'application/json' }, [401]],
  ['announced', { 'content-type': 'application/json', 'content-length': String(95 * MIB) }, REFUSED_BY_HOST],
] as const)(
  '95 MiB from nobody, %s, raise the memory of the host by at most 32 MiB',
  async (_how, headers, answers) => {
    const before = residentOf(host.pid);
    const answered = await flood(headers).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
    expect(answers).toContain(answered);
    expect(residentOf(host.pid) - before).toBeLessThan(32 * MIB);
    expect((await send(host.url, 'GET', PATH, { token })).status).toBe(200);
  },
);

test('a header that is not ASCII, which the host does not pass on, is answered all the same, and costs nobody else anything', async () => {
  const [odd, even] = await Promise.all([
    send(host.url, 'GET', PATH, { token, headers: { 'x-any': Buffer.from('Łukasz').toString('latin1') } }),
    send(host.url, 'GET', PATH, { token }),
  ]);
  expect([odd.status, odd.text, even.status]).toEqual([500, '', 200]);
});

test('headers cannot be chosen by the query', async () => {
  const query = `Headers=${encodeURIComponent(JSON.stringify({ authorization: `Bearer ${token}` }))}`;
  const spelt = (name: string): Promise<RawAnswer> =>
    send(host.url, 'GET', `${PATH}?${query.replace('Headers', name)}`);
  for (const name of ['Headers', 'headers', 'QUERY']) expect((await spelt(name)).status).toBeOneOf([400, 401]);
  const link = await send(host.url, 'GET', `/consent/callback?state=a&${query}`);
  expect([link.status, link.code]).toEqual([400, 'invalid-request']);
});

test('headers cannot be chosen by the body, also where none is expected', async () => {
  const chosen = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-forwarded-for': '6.6.6.6' };
  const body = { displayName: 'Chosen', Headers: chosen };
  for (const method of ['GET', 'DELETE', 'PUT']) {
    expect((await send(host.url, method, PATH, { body })).status).toBe(401);
  }
  const nobody = run.environment.mintApiToken({ roles: ['Keyswitch.DataKeys'] });
  const headers = { ...chosen, authorization: `Bearer ${nobody}` };
  const refused = await send(host.url, 'DELETE', PATH, { token: nobody, body: { Headers: headers } });
  expect(refused.status).toBe(403);
  const { body: record } = await run.call<{ value: { requestId: string; from: string }[] }>('GET', '/events');
  expect(record.value.filter(({ requestId }) => requestId === refused.requestId).map(({ from }) => from)).toEqual(['']);
});

test('a parameter of the path is what the path says, however the query or the body spell it', async () => {
  const shown = await send(host.url, 'GET', `${PATH}?COMPANYID=other`, { token });
  expect([shown.status, shown.text.includes('query.COMPANYID')]).toEqual([400, true]);
  const body = { displayName: 'Still', COMPANYID: 'other' };
  const put = await send(host.url, 'PUT', PATH, { token, body });
  expect([put.status, put.text.includes('body.COMPANYID')]).toEqual([400, true]);
});

onLinux('nothing listens beyond loopback', () => {
  const addresses = listeningOf(host.pid);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(address.split(':')[0]).toBe(LOOPBACK_HEX);
});
