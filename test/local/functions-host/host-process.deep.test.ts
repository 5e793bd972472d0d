import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FunctionsHost } from '../../../local/functions-host/host-process.ts';
import { createFixture, isAlive, until, type Fixture } from './fixture.ts';

let fixture: Fixture;

beforeEach(async () => {
  fixture = await createFixture();
});

afterEach(() => fixture.close());

/** A line of the host's log comes by another way than its answers, and may come after them. */
const logged = (host: FunctionsHost, isIt: (line: string) => boolean): Promise<void> =>
  expect.poll(() => host.lines.some(isIt), { timeout: 30_000 }).toBe(true);

test('an app that throws before its first function leaves a host without functions, which calls nothing of it a failure', async () => {
  const host = await fixture.start({ env: { FIXTURE_FAIL: 'first' } });
  expect(host.functions).toEqual([]);
  expect((await fetch(`${host.url}/api/v1/things/1`)).status).toBe(404);
  await logged(host, (line) => line.endsWith('[information] Host.Function.Console:   - FIRST'));
  expect(host.lines.filter((line) => line.includes('failed'))).toEqual([]);
});

test('an app that throws after one leaves a host without functions too, and the load is reported as failed', async () => {
  const host = await fixture.start({ env: { FIXTURE_FAIL: 'later' } });
  expect(host.functions).toEqual([]);
  expect((await fetch(`${host.url}/api/v1/things/1`)).status).toBe(404);
  await logged(host, (line) => line.endsWith('[error] Host.Function.Console:   - a failed LATER'));
  const why =
    'Worker failed to index functions. Worker was unable to load entry point "functions/main.js": the settings are wrong';
  await logged(host, (line) => line.includes(`[error] Host.Startup: ${why}`));
});

const SCHEDULE_REFUSED =
  "The schedule expression 'every minute' was not recognized as a valid cron expression or timespan string.";

test.each([
  ['a schedule that is none', { FIXTURE_SCHEDULE: 'every minute' }, ['tick'], SCHEDULE_REFUSED],
  [
    'a queue that names a setting which is not there',
    { FIXTURE_BUS__fullyQualifiedNamespace: 'nowhere.servicebus.windows.net' },
    ['work', 'dead'],
    "Microsoft.Azure.WebJobs.Host: '%FIXTURE_QUEUE%' does not resolve to a value.",
  ],
  [
    'a connection without a namespace',
    { FIXTURE_BUS: 'yes', FIXTURE_QUEUE: 'queue' },
    ['work', 'dead'],
    "Service Bus account connection string 'FIXTURE_BUS' does not exist.",
  ],
])('%s puts its functions in error, and the others go on', async (_, env, inError, why) => {
  const host = await fixture.start({ env: { ...env } });
  for (const name of inError) {
    const said = `[error] Host.Startup: The '${name}' function is in error: Microsoft.Azure.WebJobs.Host: Error indexing method 'Functions.${name}'.`;
    await logged(host, (line) => line.includes(said) && line.includes(why));
    await logged(host, (line) => line.endsWith(`Function 'Functions.${name}' failed indexing and will be disabled.`));
  }
  expect((await fetch(`${host.url}/api/hooked`)).status).toBe(200);
  const headers = { 'x-functions-key': host.masterKey };
  const fired = await fetch(`${host.url}/admin/functions/tick`, { method: 'POST', headers });
  expect(fired.status).toBe(inError.includes('tick') ? 404 : 202);
});

test('a timer that never comes round ends nothing', async () => {
  const host = await fixture.start({ env: { FIXTURE_SCHEDULE: '0 0 0 31 2 *' }, timers: true });
  expect((await fetch(`${host.url}/api/hooked`)).status).toBe(200);
  expect(fixture.journal().filter(({ kind }) => kind === 'tick')).toEqual([]);
});

test('an app knows the address of its own host when it is loaded, unless it was given another', async () => {
  const KEYSWITCH_PUBLIC_URL = 'https://keyswitch.example';
  const hosts = await Promise.all([fixture.start(), fixture.start(), fixture.start({ env: { KEYSWITCH_PUBLIC_URL } })]);
  const told = await Promise.all(hosts.map(async ({ url }) => (await fetch(`${url}/api/address`)).json()));
  const [one, other, given] = hosts.map(({ url }) => ({
    WEBSITE_HOSTNAME: new URL(url).host,
    KEYSWITCH_PUBLIC_URL: url,
  }));
  expect(told).toEqual([one, other, { ...given, KEYSWITCH_PUBLIC_URL }]);
});

test('several hosts run side by side, and one killed comes back at the same address', async () => {
  const [one, other] = await Promise.all([fixture.start(), fixture.start()]);
  expect(one.pid).not.toBe(other.pid);
  expect((await other.kill('SIGKILL')).signal).toBe('SIGKILL');
  expect((await fetch(`${one.url}/api/hooked`)).status).toBe(200);
  const again = await other.restart();
  expect(again.url).toBe(other.url);
  expect((await fetch(`${again.url}/api/hooked`)).status).toBe(200);
  await again.kill('SIGKILL');
});

test('SIGTERM lets a request under way finish, then the app is told and the host ends with 0', async () => {
  const host = await fixture.start();
  const slow = fetch(`${host.url}/api/slow?gate=${fixture.gate}`);
  await until(() => fixture.journal().some((entry) => entry.kind === 'slow-started'));
  const exit = host.kill();
  fixture.openGate();
  expect(await (await slow).text()).toBe('done');
  expect(await exit).toEqual({ code: 0, signal: null });
  expect(fixture.journal().map((entry) => entry.kind)).toEqual([
    'app-start',
    'slow-started',
    'slow-ended',
    'app-terminate',
  ]);
});

test('an app that does not end within its five seconds is ended', async () => {
  const host = await fixture.start({ env: { FIXTURE_TERMINATE: 'never' } });
  expect(await host.kill()).toEqual({ code: 0, signal: null });
  await logged(host, (line) => line.includes('[warning] Host: The app did not end'));
});

test('an invocation over functionTimeout fails and ends the process, as in Azure', async () => {
  const host = await fixture.start({ env: { AzureFunctionsJobHost__functionTimeout: '00:00:00.2' } });
  expect((await fetch(`${host.url}/api/slow?gate=${fixture.gate}`)).status).toBe(500);
  expect(await host.exited).toEqual({ code: 3, signal: null });
});

test('a timer fires on the host that was chosen, and on another when it takes over', async () => {
  const env = { FIXTURE_SCHEDULE: '* * * * * *' };
  const [one, other] = await Promise.all([fixture.start({ env, timers: true }), fixture.start({ env })]);
  const ticks = () => fixture.journal().filter((entry) => entry.kind === 'tick');
  await until(() => ticks().length >= 2);
  expect(new Set(ticks().map((tick) => tick.pid))).toEqual(new Set([one.pid]));
  expect(ticks().slice(0, 2)).toMatchObject([
    { pastDue: true, status: null },
    { pastDue: false, status: { next: expect.any(String) as string } },
  ]);
  await one.kill('SIGKILL');
  other.setTimers(true);
  await until(() => ticks().some((tick) => tick.pid === other.pid));
});

test('a timer is fired by hand with the master key only', async () => {
  const host = await fixture.start();
  const fire = (name: string, key: string) =>
    fetch(`${host.url}/admin/functions/${name}`, { method: 'POST', headers: { 'x-functions-key': key } });
  expect((await fire('tick', host.functionKey)).status).toBe(401);
  expect((await fire('none', host.masterKey)).status).toBe(404);
  expect((await fire('tick', host.masterKey)).status).toBe(202);
  await until(() => fixture.journal().some((entry) => entry.kind === 'tick'));
});

test('a host whose parent is killed with SIGKILL ends by itself', async () => {
  const script = fileURLToPath(new URL('parent-process.ts', import.meta.url));
  const parent = spawn(process.execPath, [script, fixture.bundleDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pids = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const hostPid = Number((await pids.next()).value);
  expect(isAlive(hostPid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(hostPid));
});
