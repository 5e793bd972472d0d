import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createPipelineRequest } from '@azure/core-rest-pipeline';
import { expect, onTestFinished, test } from 'vitest';
import { boundedHttps, NoAnswer } from '../../shared/adapters/https/bounded-https.ts';

const CALLS_AT_ONCE = 300;
const CALLS_IN_ALL = 900;

/** Its address, until the test is over. */
async function served(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('calls beyond the connections to a service wait for one and are answered, and no connection is made anew', async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end('answer'));
  server.on('connection', () => (connections += 1));
  const url = await served(server);
  const client = boundedHttps({ maxBytes: 1_000, timeoutMs: 30_000 });
  for (let calls = 0; calls < CALLS_IN_ALL; calls += CALLS_AT_ONCE) {
    const answers = await Promise.all(
      Array.from({ length: CALLS_AT_ONCE }, () =>
        client.sendRequest(createPipelineRequest({ url, allowInsecureConnection: true })),
      ),
    );
    expect(answers.every(({ bodyAsText }) => bodyAsText === 'answer')).toBe(true);
  }
  expect(connections).toBeLessThan(CALLS_AT_ONCE / 2);
});

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n';
/** What a server says at once, and whether it then goes on, a byte at a time. */
const SILENCES = [
  { step: 'after the connection', says: '', drips: false },
  { step: 'in the status line', says: 'HTTP/1.1 2', drips: false },
  { step: 'in the headers', says: HEAD, drips: false },
  { step: 'in headers that go on for ever', says: `${HEAD}X-Long: `, drips: true },
  { step: 'after the headers', says: `${HEAD}\r\n`, drips: false },
  { step: 'in a body that goes on for ever', says: `${HEAD}\r\n`, drips: true },
];

test.each(SILENCES)(
  'an answer that stops $step ends in time, and 200 of them leave nothing behind',
  async (silence) => {
    const sockets = new Set<Socket>();
    const server = createTcpServer((socket) => {
      sockets.add(socket);
      const drip = silence.drips ? setInterval(() => socket.write('x'), 5) : undefined;
      socket
        .on('error', () => undefined)
        .once('close', () => {
          clearInterval(drip);
          sockets.delete(socket);
        });
      socket.resume().write(silence.says);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const client = boundedHttps({ maxBytes: 100_000, timeoutMs: 300 });
    const calls = Array.from({ length: 200 }, () =>
      client
        .sendRequest(createPipelineRequest({ url, allowInsecureConnection: true }))
        .catch((error: unknown) => error),
    );
    const ends = await Promise.race([Promise.all(calls), delay(3_000, ['too late'])]);
    expect(new Set(ends.map((end) => (end instanceof NoAnswer ? end.code : end)))).toEqual(new Set(['ETIMEDOUT']));
    // One or two may be on their way to nobody: they are idle, and go as idle ones do.
    await expect.poll(() => sockets.size, { timeout: 20_000 }).toBeLessThan(10);
  },
);

test('a call that was given up before it went out does not go out', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  const url = await served(server);
  const client = boundedHttps({ maxBytes: 1_000, timeoutMs: 30_000 });
  const request = createPipelineRequest({ url, allowInsecureConnection: true, abortSignal: AbortSignal.abort() });
  await expect(client.sendRequest(request)).rejects.toThrow(NoAnswer);
  await client.sendRequest(createPipelineRequest({ url, allowInsecureConnection: true }));
  expect(asked).toBe(1);
});
