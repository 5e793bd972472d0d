// A customer's vault that cannot be reached, on three hosts that are processes of their own: unwrapping goes on to the end of the grace and no longer, and
// a denial that is seen meanwhile ends it on hosts that have not seen it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FunctionsHost } from '../../local/functions-host/host-process.ts';
import { azure, Company, MANAGED } from './company.ts';
import { LOG_LIMIT, startRun } from './harness.ts';
import { until, type Run } from './run.ts';

const KEY_NAME = 'far-key';
/** Well above the five seconds for which a list of denials is gone by. */
const TTL_MS = 10_000;
const SHORT_GRACE_MS = 10_000;
/** Longer than the test goes on: what ends before was ended by something else. */
const LONG_GRACE_SECONDS = '600';

let run: Run;
let company: Company;
let keyId: string;
let hosts: readonly FunctionsHost[];
let hasty: FunctionsHost;

beforeAll(async () => {
  const settings = {
    KEYSWITCH_COMPANY_KEY_TTL_SECONDS: String(TTL_MS / 1000),
    KEYSWITCH_OUTAGE_GRACE_SECONDS: LONG_GRACE_SECONDS,
  };
  run = await startRun({ settings, hosts: 2 });
  hosts = [...run.environment.hosts];
  hasty = await run.startHost({ KEYSWITCH_OUTAGE_GRACE_SECONDS: String(SHORT_GRACE_MS / 1000) });
  company = await Company.create(run, 'far', 3);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: KEY_NAME });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  [keyId = ''] = company.keys.keys();
});
afterAll(() => run.close());

/** `unwrapped`, or the code of the failure. */
async function opens(host: FunctionsHost): Promise<string> {
  const { outcome, failure, plaintext } = await company.unwrapOne(keyId, { host });
  if (outcome === 'unwrapped') expect(plaintext).toBe(company.keys.get(keyId));
  return failure?.code ?? outcome;
}
const onBoth = (): Promise<string[]> => Promise.all(hosts.map(opens));
const refusesOn = (host: FunctionsHost): Promise<string> =>
  until('a refusal', async () => {
    const said = await opens(host);
    return said !== 'unwrapped' && said;
  });

test('an outage is bridged for the grace and no longer, and not over a denial that another host has seen', async () => {
  const { keyVault, customers } = run.environment;
  const { vaultHost } = customers.contoso;
  const setEnabled = (enabled: boolean): Promise<unknown> =>
    keyVault.call('PATCH', `/vaults/${vaultHost}/keys/${KEY_NAME}`, { enabled });

  const beforeMs = Date.now();
  // What was opened for a host before this, by the switch, is over its time.
  await until('its end', () => Date.now() > beforeMs + TTL_MS);
  const openedMs = Date.now();
  expect([...(await onBoth()), await opens(hasty)]).toEqual(['unwrapped', 'unwrapped', 'unwrapped']);

  await keyVault.plant({
    operation: 'unwrapkey',
    target: `${vaultHost}/${KEY_NAME}`,
    effect: { drop: 'before-acting' },
  });
  const awayMs = Date.now();
  expect(await refusesOn(hasty)).toBe('vault-unreachable');
  expect(Date.now() - openedMs).toBeGreaterThanOrEqual(TTL_MS + SHORT_GRACE_MS);
  expect(Date.now() - awayMs).toBeGreaterThan(TTL_MS);
  expect(await onBoth()).toEqual(['unwrapped', 'unwrapped']);
  expect((await company.check('azure')).state).toBe('unreachable');
  await expect.poll(() => run.lines.some((line) => line.includes('company-key.outage-bridged')), LOG_LIMIT).toBe(true);

  // The vault says so to a check that only reads the key: neither host can ask it to unwrap.
  await setEnabled(false);
  expect(await company.check('azure')).toMatchObject({ state: 'revoked', code: 'key-disabled' });
  expect(await Promise.all(hosts.map(refusesOn))).toEqual(['vault-unreachable', 'vault-unreachable']);

  await keyVault.clearFaults();
  expect(await onBoth()).toEqual(['key-disabled', 'key-disabled']);
  expect((await company.order('s2', MANAGED)).body.error.code).toBe('provider-revoked');

  await setEnabled(true);
  expect([...(await onBoth()), await opens(hasty)]).toEqual(['unwrapped', 'unwrapped', 'unwrapped']);
  const tested = await company.must<{ status: string }>('POST', `${company.path}/connections/azure/test`);
  expect(tested.status).toBe('green');
  await until('the switch to be taken', async () => (await company.order('s2', MANAGED)).status === 202);
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});
