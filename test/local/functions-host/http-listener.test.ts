import { expect, test } from 'vitest';
import { listenOnLoopback } from '../../../local/functions-host/http-listener.ts';

test('who calls before there is an app is answered when there is one', async () => {
  const listener = await listenOnLoopback(0);
  const early = fetch(listener.url);
  listener.serve((_request, response) => void response.end('answered'));
  expect(await (await early).text()).toBe('answered');
  expect(await (await fetch(listener.url)).text()).toBe('answered');
  listener.close();
});

test('a port that is taken is told at once', async () => {
  const listener = await listenOnLoopback(0);
  await expect(listenOnLoopback(Number(new URL(listener.url).port))).rejects.toThrow('EADDRINUSE');
  listener.close();
});
