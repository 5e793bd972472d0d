// Switches over HTTP as an admin orders and watches them: what the vaults are asked meanwhile, who wins when two are ordered at
// once, every provider to every other, decisions about what does not open, and a customer who takes its key away and gives it back.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lifetimesIn, switchCallLimit, vaultCalls } from '../../local/demo/vault-calls.ts';
import { candidatesIn, opened } from '../../local/demo/wrapped-values.ts';
import { VENDOR_KEY_NAME } from '../../local/environment/vendor.ts';
import { VENDOR_VAULT_HOST } from '../../local/identities.ts';
import type { QueueState } from '../../local/service-bus/control-routes.ts';
import { azure, Company, MANAGED, type Provider, type SwitchView } from './company.ts';
import { startRun } from './harness.ts';
import { holdInTheMiddle } from './hold.ts';
import { until, type Answer, type ErrorBody, type Run } from './run.ts';
import { StoredRows } from './stored-rows.ts';

const TTL_MS = 2_000;
const VENDOR = { host: VENDOR_VAULT_HOST, name: VENDOR_KEY_NAME };

let run: Run;
let rows: StoredRows;

beforeAll(async () => {
  run = await startRun({ hosts: 2 });
  rows = new StoredRows(run.credential);
});
afterAll(() => run.close());

/** How many of a company's stored values a key opens. */
async function openedBy(company: Company, key: { host: string; name: string }): Promise<number> {
  const candidates = (await rows.list('companies', company.companyId)).flatMap(
    ({ partitionKey = '', rowKey = '', ...cells }) => candidatesIn({ table: 'companies', partitionKey, rowKey, cells }),
  );
  return (await opened(run.environment.keyVault, key, candidates)).length;
}

/** Every company key that a host keeps by now is over its time. */
async function cachesAreCold(): Promise<void> {
  const nowMs = Date.now();
  await until('the end of every cached key', () => Date.now() > nowMs + TTL_MS);
}

/** Some rows are moved, some are not, and nobody is at work on it. */
async function pauseInTheMiddle(company: Company, switchId: string, target: Provider): Promise<void> {
  const { serviceBus } = run.environment;
  const letGo = await holdInTheMiddle(run);
  expect((await company.order(switchId, target)).status).toBe(202);
  await company.reaches(switchId, ({ state, counts }) => state === 're-protecting' && counts.done > 0);
  await company.must('POST', `${company.switchPath(switchId)}/pause`);
  await until('the queue to have nothing to do', async () => {
    const queues = (await serviceBus.call('GET', '/queues')) as QueueState[];
    return queues.every(({ active, locked, scheduled }) => active + locked + scheduled === 0);
  });
  await letGo();
}

test('a switch of thousands of keys asks the vaults a handful of questions, none of them forbidden', async () => {
  const { keyVault, customers } = run.environment;
  const { vaultHost } = customers.contoso;
  const company = await Company.create(run, 'large', 3_000);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'large-key' });
  await keyVault.clearRequests();
  const startedAtMs = Date.now();
  expect(await company.switchTo('s1', azure('azure'))).toMatchObject({
    state: 'completed',
    counts: { total: 3_000, done: 3_000, quarantined: 0, lost: 0 },
  });
  const records = await keyVault.requests();
  const limit = switchCallLimit({ hostProcesses: 2, lifetimes: lifetimesIn(Date.now() - startedAtMs, TTL_MS) });
  for (const key of [
    { host: vaultHost, key: 'large-key' },
    { host: VENDOR_VAULT_HOST, key: VENDOR_KEY_NAME },
  ]) {
    const calls = vaultCalls(records, key);
    expect(calls).toMatchObject({ wrapKey: 0, sign: 0, refused: 0, others: 0 });
    expect(calls.get).toBeGreaterThan(0);
    expect(calls.unwrapKey).toBeGreaterThan(0);
    expect(calls.get + calls.unwrapKey).toBeLessThanOrEqual(limit);
  }
  expect(vaultCalls(records, { host: vaultHost }).challenges).toBeLessThanOrEqual(2);
  const kinds = new Set(records.map(({ operation }) => operation));
  expect([...kinds].filter((kind) => !['get', 'unwrapkey', 'sign', 'challenge'].includes(kind))).toEqual([]);
  expect(records.filter(({ status }) => status === 403)).toEqual([]);
  expect(await company.different()).toEqual([]);
  expect(await openedBy(company, VENDOR)).toBe(0);
  expect(await openedBy(company, { host: vaultHost, name: 'large-key' })).toBe(1);
});

test('of two switches ordered at once one wins, and the other is told which', async () => {
  const { contoso, fabrikam } = run.environment.customers;
  const company = await Company.create(run, 'twice', 20);
  await company.connect(contoso, { id: 'one', keyName: 'twice-key' });
  await company.connect(fabrikam, { id: 'two', keyName: 'twice-key' });
  const [first, second] = run.environment.hosts;
  if (!first || !second) throw new Error('two hosts were started');
  const answers = await Promise.all([
    company.order('s-one', azure('one'), { host: first }),
    company.order('s-two', azure('two'), { host: second }),
  ]);
  const won = answers.find(({ status }) => status === 202);
  const lost = answers.find(({ status }) => status === 409);
  expect(lost?.body.error).toMatchObject({ code: 'switch-in-progress', target: won?.body.switchId });
  expect(lost?.headers.get('x-ms-error-code')).toBe('switch-in-progress');
  const switchId = won?.body.switchId ?? '';
  expect((await company.ends(switchId)).state).toBe('completed');
  // The same order again is the same switch; nothing happens twice.
  const again = await company.order(switchId, azure(switchId.slice(2)));
  expect([again.status, again.body.state]).toEqual([202, 'completed']);
  expect(await company.different()).toEqual([]);
});

test('every provider to every other, and a re-key under the same one', async () => {
  const { contoso, fabrikam } = run.environment.customers;
  const company = await Company.create(run, 'around', 150);
  await company.connect(contoso, { id: 'one', keyName: 'around-key' });
  await company.connect(fabrikam, { id: 'two', keyName: 'around-key' });
  const one = { host: contoso.vaultHost, name: 'around-key' };
  const two = { host: fabrikam.vaultHost, name: 'around-key' };
  const steps: [string, ReturnType<typeof azure>, typeof one, typeof one][] = [
    ['to-one', azure('one'), one, VENDOR],
    ['to-two', azure('two'), two, one],
    ['to-vendor', MANAGED, VENDOR, two],
    ['to-two-again', azure('two'), two, VENDOR],
  ];
  for (const [switchId, target, inForce, before] of steps) {
    expect((await company.switchTo(switchId, target)).state).toBe('completed');
    await company.generate(5);
    expect(await company.different()).toEqual([]);
    expect([await openedBy(company, inForce), await openedBy(company, before)]).toEqual([1, 0]);
  }
  const headers = { 'Idempotency-Key': randomUUID() };
  const ordered = await company.must<SwitchView>('POST', `${company.keyring}/rekey`, { headers, body: {} });
  expect(await company.ends(ordered.switchId)).toMatchObject({ state: 'completed', kind: 'rekey' });
  const repeated = await company.must<SwitchView>('POST', `${company.keyring}/rekey`, { headers, body: {} });
  expect(repeated).toMatchObject({ switchId: ordered.switchId, state: 'completed' });
  expect(await company.different()).toEqual([]);
  expect(await rows.companyKeys('around')).toHaveLength(1);
  expect(await rows.miscounts('around')).toEqual([]);
});

test('a new version of the customer key: the old one goes on, and a re-key moves to the new', async () => {
  const { customers, keyVault } = run.environment;
  const { vaultHost } = customers.contoso;
  const company = await Company.create(run, 'rotated', 30);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'rotated-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const keyOf = async (): Promise<string> => {
    const [row] = await rows.companyKeys('rotated');
    const [wrap] = JSON.parse(String(row?.['wraps'])) as { keyId: string }[];
    return wrap?.keyId ?? '';
  };
  const oldKey = await keyOf();
  const { kid } = (await keyVault.call('POST', `/vaults/${vaultHost}/keys/rotated-key/versions`, {})) as {
    kid: string;
  };
  await company.generate(5);
  expect(await company.different()).toEqual([]);
  expect(await keyOf()).toBe(oldKey);
  const ordered = await company.must<SwitchView>('POST', `${company.keyring}/rekey`, { body: {} });
  expect((await company.ends(ordered.switchId)).state).toBe('completed');
  expect(await keyOf()).toBe(kid);
  const version = oldKey.slice(oldKey.lastIndexOf('/') + 1);
  await keyVault.call('PATCH', `/vaults/${vaultHost}/keys/rotated-key`, { version, enabled: false });
  await cachesAreCold();
  expect(await company.different()).toEqual([]);
});

test('what does not open waits for a decision; retry and accept-loss are the two', async () => {
  const { contoso } = run.environment.customers;
  const company = await Company.create(run, 'decided', 50);
  await company.connect(contoso, { id: 'azure', keyName: 'decided-key' });
  const [mended = '', lost = ''] = company.keys.keys();
  const { blob } = await rows.dataKey('decided', mended);
  for (const keyId of [mended, lost]) await rows.overwriteDataKey('decided', keyId, { blob: new Uint8Array(61) });
  expect((await company.order('s1', azure('azure'))).status).toBe(202);
  await company.reaches('s1', ({ counts }) => counts.quarantined === 2 && counts.checked >= 48);
  const decide = (keyId: string, verb: string): Promise<Answer<ErrorBody>> =>
    run.call('POST', `${company.switchPath('s1')}/quarantine/${keyId}/${verb}`);
  const refused = await decide(mended, 'retry');
  expect([refused.status, refused.body.error.code]).toEqual([409, 'data-key-quarantined']);
  const deleting = await run.call<ErrorBody>('DELETE', `${company.keyring}/datakeys/${lost}`);
  expect([deleting.status, deleting.body.error.code]).toEqual([409, 'data-key-quarantined']);
  const byAuditor = await run.call('POST', `${company.switchPath('s1')}/quarantine/${lost}/accept-loss`, {
    as: 'auditor',
  });
  expect(byAuditor.status).toBe(403);

  await rows.overwriteDataKey('decided', mended, { blob });
  expect((await decide(mended, 'retry')).status).toBe(200);
  expect((await decide(mended, 'retry')).body.error.code).toBe('data-key-not-quarantined');
  expect((await company.view('s1')).state).toBe('re-protecting');
  expect((await decide(lost, 'accept-loss')).status).toBe(200);
  expect(await company.ends('s1')).toMatchObject({ state: 'completed', counts: { lost: 1, quarantined: 0 } });
  expect(await company.different()).toEqual([`${lost} lost`]);
  expect(await rows.miscounts('decided')).toEqual([]);
});

test('paused, a switch stands still while keys open; resumed, it goes on; cancelled, nothing has changed', async () => {
  const { customers } = run.environment;
  const company = await Company.create(run, 'paused', 800);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'paused-key' });
  await pauseInTheMiddle(company, 's1', azure('azure'));
  const standing = await company.view('s1');
  expect(standing).toMatchObject({ state: 're-protecting', paused: true });
  expect(standing.counts.checked).toBeLessThan(800);
  expect(await company.different()).toEqual([]);
  await company.generate(3);
  expect((await company.view('s1')).counts).toMatchObject({ total: 803, checked: standing.counts.checked });

  const letGo = await holdInTheMiddle(run, { turned: true });
  await company.must('POST', `${company.switchPath('s1')}/resume`);
  await company.reaches('s1', ({ counts }) => counts.done > standing.counts.done);
  await company.must('POST', `${company.switchPath('s1')}/cancel`);
  await letGo();
  expect((await company.ends('s1')).state).toBe('cancelled');
  expect(await company.different()).toEqual([]);
  const { provider, counts } = await company.must<{ provider: object; counts: object }>('GET', company.keyring);
  expect(provider).toEqual(MANAGED);
  expect(counts).toMatchObject({ live: 803, quarantined: 0 });
  const own = { host: customers.contoso.vaultHost, name: 'paused-key' };
  expect([await openedBy(company, VENDOR), await openedBy(company, own)]).toEqual([1, 0]);
  const late = await run.call<ErrorBody>('POST', `${company.switchPath('s1')}/cancel`);
  expect([late.status, late.body.error.code]).toEqual([409, 'switch-ended']);
});

test('a key that its owner disables opens nothing after the cache lifetime, whoever is asked; enabled again it does', async () => {
  const { customers, keyVault } = run.environment;
  const { contoso } = customers;
  const company = await Company.create(run, 'revoked', 10);
  await company.connect(contoso, { id: 'azure', keyName: 'revoked-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  expect(await company.different()).toEqual([]);
  expect(await company.check('azure')).toMatchObject({ state: 'healthy' });
  const enable = (enabled: boolean): Promise<unknown> =>
    keyVault.call('PATCH', `/vaults/${contoso.vaultHost}/keys/revoked-key`, { enabled });
  const [keyId = ''] = company.keys.keys();
  for (const host of run.environment.hosts)
    expect((await company.unwrapOne(keyId, { host })).outcome).toBe('unwrapped');

  await enable(false);
  const disabledAtMs = Date.now();
  for (const host of run.environment.hosts) {
    const refused = await until('the end of the cache lifetime', async () => {
      const askedAtMs = Date.now();
      const outcome = await company.unwrapOne(keyId, { host });
      // Whoever asks later than that must be refused.
      if (outcome.outcome === 'unwrapped') expect(askedAtMs - disabledAtMs).toBeLessThanOrEqual(TTL_MS);
      return outcome.outcome === 'failure' && outcome;
    });
    expect(refused.failure).toMatchObject({ code: 'key-disabled', kind: 'denied', owner: 'azure-admin' });
  }
  expect(await company.check('azure')).toMatchObject({ state: 'revoked', code: 'key-disabled', owner: 'azure-admin' });
  const made = await run.call<ErrorBody>('POST', `${company.keyring}/datakeys`, {
    as: 'dataKeys',
    body: { keys: [{}] },
  });
  expect([made.status, made.body.error.code]).toEqual([409, 'key-disabled']);

  await enable(true);
  for (const host of run.environment.hosts)
    expect((await company.unwrapOne(keyId, { host })).outcome).toBe('unwrapped');
  expect(await company.check('azure')).toMatchObject({ state: 'healthy' });
});

test('a vault in force that denies blocks its switch until an admin chooses; it then goes on without that vault', async () => {
  const { customers, keyVault } = run.environment;
  const { contoso } = customers;
  const company = await Company.create(run, 'left', 400);
  await company.connect(contoso, { id: 'azure', keyName: 'left-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  await pauseInTheMiddle(company, 's2', MANAGED);
  await keyVault.call('PATCH', `/vaults/${contoso.vaultHost}/keys/left-key`, { enabled: false });
  await cachesAreCold();
  await company.must('POST', `${company.switchPath('s2')}/resume`);
  const { blocked } = await company.reaches('s2', (view) => view.blocked !== undefined);
  expect(blocked).toMatchObject({ reason: 'provider', side: 'source', failure: { code: 'key-disabled' } });
  expect(blocked?.failure?.owner).toBe('azure-admin');
  const [keyId = ''] = company.keys.keys();
  expect((await company.unwrapOne(keyId)).failure?.code).toBe('key-disabled');

  const chosen = { body: { direction: 'forward' } };
  const path = `${company.switchPath('s2')}/retry`;
  expect((await run.call('POST', path, chosen)).status).toBe(403);
  await company.must('POST', path, { ...chosen, asAdminOf: company.companyId });
  expect((await company.ends('s2')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});

test('a vault that cannot be reached is told as that, never as revoked', async () => {
  const { customers, keyVault } = run.environment;
  const { contoso } = customers;
  const company = await Company.create(run, 'away', 5);
  await company.connect(contoso, { id: 'azure', keyName: 'away-key' });
  expect((await company.switchTo('s1', azure('azure'))).state).toBe('completed');
  const target = `${contoso.vaultHost}/away-key`;
  const [keyId = ''] = company.keys.keys();
  for (const effect of [{ drop: 'before-acting' }, { status: 503 }, { status: 429 }] as const) {
    await keyVault.plant({ target, effect });
    for (let looks = 0; looks < 3; looks += 1) {
      const { state, code } = await company.check('azure');
      expect(state).toBe('unreachable');
      expect(code).toBe('status' in effect && effect.status === 429 ? 'throttled' : 'vault-unreachable');
    }
    const refused = await until('the end of the cache lifetime', async () => {
      const outcome = await company.unwrapOne(keyId);
      return outcome.outcome === 'failure' && outcome;
    });
    expect(refused.failure?.kind).toBe('transient');
    await keyVault.clearFaults();
    expect(await company.check('azure')).toMatchObject({ state: 'healthy' });
    expect(await company.different()).toEqual([]);
  }
});
