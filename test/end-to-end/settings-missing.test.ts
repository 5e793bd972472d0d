// The product without its settings: whoever looks at the host must see that the load failed, and why.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startHost, type FunctionsHost } from '../../local/functions-host/host-process.ts';
import { LOG_LIMIT } from './harness.ts';

let host: FunctionsHost;
beforeAll(async () => {
  const env = { KEYSWITCH_SHARD_COUNT: 'many', KEYSWITCH_VENDOR_NAME: 'Fabrikam' };
  host = await startHost({ bundleDir: inject('bundleDirs').product, program: inject('hostProgram'), env });
});
afterAll(() => host.kill('SIGKILL'));

test('the load is reported as failed, each thing that is wrong is a line of its own, and each line is an error', async () => {
  // The last line of a start.
  await expect.poll(() => host.lines.some((line) => line.includes('0 functions found')), LOG_LIMIT).toBe(true);
  const of = (category: string): string[] => host.lines.filter((line) => line.includes(`] ${category}: `));
  expect(of('Host.Startup').some((line) => line.includes('[error]') && line.includes('failed to index'))).toBe(true);
  const lines = of('Host.Function.Console');
  for (const name of ['KEYSWITCH_SHARD_COUNT', 'KEYSWITCH_API_AUDIENCE', 'AZURE_CLIENT_ID']) {
    expect(lines.filter((line) => line.includes(` ${name}:`))).toHaveLength(1);
  }
  expect(lines.filter((line) => !line.includes('[error]'))).toEqual([]);
});

test('no function runs: nothing is half configured', async () => {
  expect(host.functions).toEqual([]);
  for (const path of ['/api/v1/health/live', '/portal', '/consent/callback']) {
    expect((await fetch(host.url + path)).status).toBe(404);
  }
});
