// Our own store at its worst: answers lost after the write was done, requests lost before, refusals for being busy, while keys are
// made and while a switch moves them. Whoever is told "done" is right; whoever is told "ask again" may; nothing is lost, nothing is
// there twice.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FaultEffect } from '../../local/control/control.ts';
import { azure, Company, type KeyOutcome } from './company.ts';
import { startRun } from './harness.ts';
import { until, type Run } from './run.ts';
import { StoredRows } from './stored-rows.ts';

let run: Run;
let rows: StoredRows;

beforeAll(async () => {
  // Whoever ends a switch claims that for two vault calls and a little: short, so that a claim whose answer is lost is over soon.
  run = await startRun({ hosts: 2, settings: { KEYSWITCH_VAULT_CALL_TIMEOUT_SECONDS: '1' } });
  rows = new StoredRows(run.credential);
});
afterEach(() => run.environment.tables.clearFaults());
afterAll(() => run.close());

const TROUBLE: readonly FaultEffect[] = [
  { drop: 'after-acting' },
  { status: 503 },
  { drop: 'before-acting' },
  { drop: 'after-acting' },
  { status: 500 },
];

/** Every few requests to a table one meets trouble, another kind each time, and so on for as long as it lasts. */
async function plantTrouble(
  operation: string,
  target: string,
  { every, times }: { every: number; times: number },
): Promise<void> {
  for (let planted = 0; planted < times; planted += 1) {
    const effect = TROUBLE[planted % TROUBLE.length] ?? {};
    await run.environment.tables.plant({ operation, target, skip: every * (planted + 1), times: 1, effect });
  }
}

const live = async (company: Company): Promise<number> =>
  (await company.must<{ counts: { live: number } }>('GET', company.keyring)).counts.live;

test('keys made while answers are lost: each answer is true, and a repeat makes none twice', async () => {
  const company = await Company.create(run, 'maker');
  await plantTrouble('batch', 'datakeys', { every: 2, times: 40 });
  await plantTrouble('get', 'datakeys', { every: 5, times: 10 });
  const path = `${company.keyring}/datakeys`;
  let made = 0;
  for (let call = 0; call < 25; call += 1) {
    const keys = Array.from({ length: 20 }, () => ({}));
    const headers = { 'Idempotency-Key': randomUUID() };
    // Asked until the answer is a success, as a client with a retry does. The ids are the same each time.
    const answer = await until('the keys', async () => {
      const { status, body } = await run.call<{ keys: KeyOutcome[] }>('POST', path, {
        as: 'dataKeys',
        headers,
        body: { keys },
      });
      expect([200, 503]).toContain(status);
      if (status !== 200) return undefined;
      company.remember(body.keys);
      return body.keys.every(({ outcome }) => outcome === 'created') && body.keys;
    });
    made += answer.length;
    expect(new Set(answer.map(({ keyId }) => keyId)).size).toBe(20);
  }
  await run.environment.tables.clearFaults();
  expect(company.keys.size).toBe(made);
  expect(await live(company)).toBe(made);
  expect(await company.different()).toEqual([]);
  expect(await rows.miscounts('maker')).toEqual([]);
});

test('a switch and its roll-back through lost answers and refusals, with keys made meanwhile', async () => {
  const company = await Company.create(run, 'mover', 500);
  await company.connect(run.environment.customers.contoso, { id: 'azure', keyName: 'mover-key' });
  const withTrouble = async (work: () => Promise<void>): Promise<void> => {
    await plantTrouble('batch', 'datakeys', { every: 3, times: 40 });
    await plantTrouble('batch', 'companies', { every: 2, times: 5 });
    await plantTrouble('batch', 'agenda', { every: 1, times: 3 });
    await plantTrouble('query', 'datakeys', { every: 2, times: 8 });
    await plantTrouble('get', 'companies', { every: 9, times: 20 });
    await work();
    await run.environment.tables.clearFaults();
  };
  const persist = (ask: () => Promise<{ readonly status: number }>): Promise<unknown> =>
    until('an answer', async () => (await ask()).status < 300);
  let made = 500;
  const makeMore = async (): Promise<void> => {
    for (let call = 0; call < 5; call += 1) {
      const headers = { 'Idempotency-Key': randomUUID() };
      await persist(async () => {
        const keys = Array.from({ length: 10 }, () => ({}));
        const answer = await run.call<{ keys: KeyOutcome[] }>('POST', `${company.keyring}/datakeys`, {
          as: 'dataKeys',
          headers,
          body: { keys },
        });
        const all = answer.status === 200 && company.remember(answer.body.keys);
        return { status: all ? 200 : 503 };
      });
      made += 10;
    }
  };
  const ended = async (switchId: string): Promise<string> =>
    until(`the end of ${switchId}`, async () => {
      const { status, body } = await run.call<{ state: string; blocked?: object }>('GET', company.switchPath(switchId));
      expect(body.blocked).toBeUndefined();
      return status === 200 && ['completed', 'cancelled'].includes(body.state) && body.state;
    });
  await withTrouble(async () => {
    await persist(() => company.order('s1', azure('azure')));
    await makeMore();
    expect(await ended('s1')).toBe('completed');
  });
  expect(await company.different()).toEqual([]);
  await withTrouble(async () => {
    await persist(() => company.order('s2', { provider: 'managed' }));
    await until('the middle', async () => {
      const { status, body } = await run.call<{ state: string }>('GET', company.switchPath('s2'));
      return status === 200 && body.state === 're-protecting';
    });
    await until('the cancel', async () => (await run.call('POST', `${company.switchPath('s2')}/cancel`)).status < 500);
    await makeMore();
    expect(['completed', 'cancelled']).toContain(await ended('s2'));
  });
  expect(company.keys.size).toBe(made);
  expect(await live(company)).toBe(made);
  expect(await company.different()).toEqual([]);
  expect(await rows.miscounts('mover')).toEqual([]);
  expect(await rows.companyKeys('mover')).toHaveLength(1);
  expect(run.lines.filter((line) => line.includes('http.bug'))).toEqual([]);
});

test('a store that is away for a while: callers are told to ask again, and the switch goes on by itself', async () => {
  const { tables, customers } = run.environment;
  const company = await Company.create(run, 'waiter', 300);
  await company.connect(customers.contoso, { id: 'azure', keyName: 'waiter-key' });
  expect((await company.order('s1', azure('azure'))).status).toBe(202);
  await tables.plant({ effect: { status: 503 } });
  const [keyId = ''] = company.keys.keys();
  const away = await company.unwrap([keyId]);
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
  await until('probes to see it', async () => (await run.call('GET', '/health/ready')).status === 503);
  expect((await run.call('GET', '/health/live')).status).toBe(200);
  await tables.clearFaults();
  expect((await company.ends('s1')).state).toBe('completed');
  expect(await company.different()).toEqual([]);
});
