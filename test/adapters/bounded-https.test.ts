import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPipelineRequest } from '@azure/core-rest-pipeline';
import { expect, onTestFinished, test } from 'vitest';
import { boundedHttps } from '../../shared/adapters/bounded-https.ts';

const CALLS_AT_ONCE = 300;
const CALLS_IN_ALL = 900;

test('calls beyond the connections to a service wait for one and are answered, and no connection is made anew', async () => {
  let connections = 0;
  const server = createServer((_, response) => response.end('answer'));
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
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
