import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApiClient, type Call } from '../../../local/demo/api-client.ts';

const CALL: Call = { token: 't', method: 'GET', path: '/x' };

let server: Server;
let url: string;
let deadUrl: string;
let answer: { status: number; body: string; cut?: boolean };
let asked: number;

async function listen(): Promise<{ server: Server; url: string }> {
  const listening = createServer((_, response) => {
    asked += 1;
    if (answer.cut === true) response.destroy();
    else response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return { server: listening, url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}` };
}

beforeEach(async () => {
  asked = 0;
  answer = { status: 200, body: '{"a":1}' };
  const dead = await listen();
  deadUrl = dead.url;
  await new Promise((resolve) => dead.server.close(resolve));
  ({ server, url } = await listen());
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

test('a host that is down is passed over, also while other calls are made', async () => {
  const api = new ApiClient([deadUrl, url]);
  const answers = await Promise.all(Array.from({ length: 40 }, () => api.call(CALL)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(api.brokenConnections).toBe(20);
});

test('an answer is an answer, whatever it says', async () => {
  answer = { status: 503, body: '{"error":{"code":"store-unavailable"}}' };
  const api = new ApiClient([url]);
  expect(await api.call(CALL)).toEqual({ status: 503, body: { error: { code: 'store-unavailable' } } });
  expect(asked).toBe(1);
  await expect(api.must(CALL)).rejects.toThrow('GET /x answered 503');
});

test('with no host left it fails, and says why', async () => {
  answer.cut = true;
  const api = new ApiClient([deadUrl, url]);
  await expect(api.call(CALL)).rejects.toThrow('fetch failed');
  expect(asked).toBeGreaterThan(1);
});
