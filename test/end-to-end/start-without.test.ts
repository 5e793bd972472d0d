// A host that starts while what it stands on is away: it lives, says that it is not ready, and begins to work when all is there
// again. It does not end and begin anew.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RemoteControl } from '../../local/control/remote-control.ts';
import type { FunctionsHost } from '../../local/functions-host/host-process.ts';
import { azure, Company, MANAGED } from './company.ts';
import { SHORT_LOCKS, startRun } from './harness.ts';
import { until, type ErrorBody, type Run } from './run.ts';

let run: Run;
let company: Company;

beforeAll(async () => {
  run = await startRun(SHORT_LOCKS);
  company = await Company.create(run, 'early', 20);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'early-key' });
});
afterAll(() => run.close());

/** A fresh host, alone. */
async function startAlone(): Promise<FunctionsHost> {
  for (const host of [...run.environment.hosts]) await host.kill('SIGKILL');
  return run.startHost();
}

const status = async (path: string): Promise<number> => (await run.call('GET', path)).status;

/** Long enough for whatever would end the process by itself to have done so: timers have run, connections were tried. */
async function staysUp(host: FunctionsHost, control: RemoteControl): Promise<void> {
  await until('some attempts', async () => (await control.requests()).length >= 3);
  const ended = await Promise.race([host.exited, Promise.resolve('alive')]);
  expect(ended).toBe('alive');
  expect(await status('/health/live')).toBe(200);
}

test('without its store it lives, is not ready, and works when the store is back', async () => {
  const { tables } = run.environment;
  await tables.plant({ effect: { drop: 'before-acting' } });
  await tables.clearRequests();
  const host = await startAlone();
  expect(await status('/health/live')).toBe(200);
  expect(await status('/health/ready')).toBe(503);
  const [keyId = ''] = company.keys.keys();
  expect((await company.unwrap([keyId])).status).toBe(503);
  await staysUp(host, tables);
  await tables.clearFaults();
  await until('it to be ready', async () => (await status('/health/ready')) === 200);
  expect(await company.different()).toEqual([]);
});

test('without the work queue it answers calls, and a switch ordered meanwhile begins when the queue is back', async () => {
  const { serviceBus } = run.environment;
  for (const operation of ['receive', 'send', 'schedule']) {
    await serviceBus.plant({ operation, effect: { drop: 'before-acting' } });
  }
  await serviceBus.clearRequests();
  const host = await startAlone();
  expect(await status('/health/ready')).toBe(200);
  expect(await company.different()).toEqual([]);
  expect((await company.order('s1', azure('azure'))).status).toBe(202);
  await staysUp(host, serviceBus);
  expect((await company.view('s1')).state).toBe('pending-verification');
  await serviceBus.clearFaults();
  expect((await company.ends('s1')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

test('while the namespace says nothing a switch is ordered all the same, and begins when it speaks again', async () => {
  const { serviceBus } = run.environment;
  await serviceBus.clearRequests();
  await startAlone();
  await until('the trigger listens', async () =>
    (await serviceBus.requests()).some(({ operation, status }) => operation === 'put-token' && status === 202),
  );
  await serviceBus.plant({ operation: 'put-token', effect: { hang: true } });
  expect((await company.order('s2', MANAGED)).status).toBe(202);
  await serviceBus.clearFaults();
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

test('without any vault it lives and is ready; keys open when the vault is back', async () => {
  const { keyVault } = run.environment;
  await keyVault.plant({ effect: { drop: 'before-acting' } });
  const host = await startAlone();
  expect(await status('/health/live')).toBe(200);
  expect(await status('/health/ready')).toBe(200);
  const [keyId = ''] = company.keys.keys();
  const outcome = await company.unwrapOne(keyId);
  expect(outcome.failure).toMatchObject({ code: 'vault-unreachable', kind: 'transient' });
  const made = await run.call<ErrorBody>('POST', `${company.keyring}/datakeys`, {
    as: 'dataKeys',
    body: { keys: [{}] },
  });
  expect([made.status, made.body.error.code]).toEqual([503, 'vault-unreachable']);
  expect(await status('/health/live')).toBe(200);
  await keyVault.clearFaults();
  expect(await company.different()).toEqual([]);
  expect(run.environment.hosts.map(({ pid }) => pid)).toEqual([host.pid]);
});

test('without Entra it lives; callers and vaults wait, and all is well when Entra is back', async () => {
  const { entra } = run.environment;
  await entra.plant({ effect: { status: 503 } });
  const host = await startAlone();
  expect(await status('/health/live')).toBe(200);
  const refused = await run.call<ErrorBody>('GET', company.path);
  expect([refused.status, refused.body.error.code]).toEqual([503, 'identity-provider-unavailable']);
  await entra.clearFaults();
  await until('callers to be known again', async () => (await status(company.path)) === 200);
  expect(await company.different()).toEqual([]);
  expect(run.environment.hosts.map(({ pid }) => pid)).toEqual([host.pid]);
});
