import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FunctionsHost } from '../../../local/functions-host/host-process.ts';
import { send } from '../../attacks/raw-request.ts';
import { createFixture, type Fixture } from './fixture.ts';

let fixture: Fixture;
let host: FunctionsHost;

beforeAll(async () => {
  fixture = await createFixture();
  host = await fixture.start({ env: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' } });
});

afterAll(() => fixture.close());

const call = (path: string, init?: RequestInit): Promise<Response> => fetch(`${host.url}${path}`, init);

/** A line of the host's log comes by another way than its answers, and may come after them. */
const logged = (isIt: (line: string) => boolean): Promise<void> =>
  expect.poll(() => host.lines.some(isIt), { timeout: 30_000 }).toBe(true);

test('a request reaches its function with parameters, query, headers and body', async () => {
  const response = await call('/api/v1/things/a%20b?x=1&x=2&y=%26', {
    method: 'POST',
    body: 'hello',
    headers: { 'X-Test': 'yes' },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('x-fixture')).toBe('yes');
  expect(response.headers.get('set-cookie')).toBe('state=a%20b; samesite=strict; httponly');
  expect(await response.json()).toEqual({
    url: `${host.url}/api/v1/things/a%20b?x=1&x=2&y=%26`,
    method: 'POST',
    params: { thingId: 'a b' },
    query: { x: '1,2', y: '&' },
    bodyLength: 5,
    header: 'yes',
  });
});

test('routes are matched without regard to case, in the order of the names of functions', async () => {
  expect(await (await call('/API/V1/Things/Special')).text()).toBe('literal');
  expect(await (await call('/api/v1/things/special/')).text()).toBe('literal');
  expect(await (await call('/api/v1/Things/Other')).json()).toMatchObject({ params: { thingId: 'Other' } });
  expect(await (await call('/api/v1/files/a/b%2Fc/d')).json()).toMatchObject({ params: { rest: 'a/b%2Fc/d' } });
});

test('the root is the host’s own page, whatever the method, unless it is turned off', async () => {
  const page = await call('/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html']);
  expect((await call('/', { method: 'POST', body: 'x' })).status).toBe(200);
  const without = await fixture.start({ env: { AzureWebJobsDisableHomepage: 'True' } });
  const answer = await fetch(without.url);
  expect([answer.status, await answer.text()]).toEqual([204, '']);
});

test('an unknown route, an empty segment and a method that no trigger has are not found', async () => {
  const answers = await Promise.all([
    call('/api/v1/none'),
    call('/v1/things/1'),
    call('/api/v1/things//'),
    call('/api/v1/things/1/2'),
    call('/api/v1/things/1', { method: 'PATCH' }),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([404, 404, 404, 404, 404]);
});

test('a Host header that no address can have is answered 400', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = request(`${host.url}/api/v1/things/1`, { headers: { host: 'a<b>' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once('error', reject);
    asked.end();
  });
  expect(status).toBe(400);
});

test('HEAD answers with the headers of GET and no body', async () => {
  const response = await call('/api/v1/things/1', { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(10);
  expect(await response.text()).toBe('');
});

test('an announced body over the limit is the host’s own 500, before the function sees it; within it, it is passed whole', async () => {
  const beyond = await call('/api/v1/things/1', { method: 'PUT', body: 'x'.repeat(1001) });
  expect([beyond.status, await beyond.text()]).toEqual([500, '']);
  await logged((line) => line.includes('Request body too large'));
  const within = await call('/api/v1/things/1', { method: 'PUT', body: 'x'.repeat(1000) });
  expect(await within.json()).toMatchObject({ bodyLength: 1000 });
});

test('a body that does not announce its length is dropped', async () => {
  const streamed = new ReadableStream({
    start: (controller) => {
      controller.enqueue(Buffer.alloc(600));
      controller.close();
    },
  });
  const chunked = await call('/api/v1/things/1', { method: 'PUT', body: streamed, duplex: 'half' });
  expect(await chunked.json()).toMatchObject({ bodyLength: 0 });
});

test('headers are UTF-8: what a Headers object cannot hold fails the invocation, what is not UTF-8 is 400', async () => {
  const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  const within = await send(host.url, 'POST', '/api/v1/things/1', {
    rawBody: Buffer.from('x'),
    headers: { 'x-test': bytes('Jürgen') },
  });
  expect(JSON.parse(within.text)).toMatchObject({ header: 'Jürgen' });
  const beyond = await send(host.url, 'POST', '/api/v1/things/1', { headers: { 'x-any': bytes('Łukasz') } });
  expect([beyond.status, beyond.text]).toEqual([500, '']);
  await logged((line) => line.includes('Cannot convert argument to a ByteString'));
  expect((await send(host.url, 'POST', '/api/v1/things/1', { headers: { 'x-any': 'Jürgen' } })).status).toBe(400);
});

test('a function that answers nothing gives 204, one that throws 500 without the reason', async () => {
  expect((await call('/api/nothing')).status).toBe(204);
  const broken = await call('/api/broken');
  expect([broken.status, await broken.text()]).toEqual([500, '']);
  await logged((line) => line.includes('handler broke'));
});

test('a function key opens its level and no other', async () => {
  const withKey = (key: string): RequestInit => ({ headers: { 'x-functions-key': key } });
  const { functionKey, masterKey } = host;
  expect((await call('/api/locked')).status).toBe(401);
  expect((await call('/api/locked', withKey(functionKey))).status).toBe(200);
  expect((await call(`/api/locked?code=${functionKey}`)).status).toBe(200);
  expect((await call('/api/locked-admin', withKey(functionKey))).status).toBe(401);
  expect((await call('/api/locked-admin', withKey(masterKey))).status).toBe(200);
});

test('hooks run around an invocation and may change its result', async () => {
  expect(await (await call('/api/hooked')).text()).toBe('hooked true');
  await logged((line) => line.endsWith('[information] Function.hooked: a line of the handler'));
  expect(fixture.journal()[0]?.kind).toBe('app-start');
});
