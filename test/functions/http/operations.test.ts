// What an operator sees of Keyswitch itself, and a timer's work by hand.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TIMERS } from '../../../shared/domain/timer-beat.ts';
import { handleDeadLetter } from '../../../shared/operations/switches/dead-letter.ts';
import { agendaPlaceOf } from '../../../shared/store/agenda.ts';
import { timerRow } from '../../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { chainOf } from '../../operations/audit/chain.ts';
import type { Json } from './api-answer.ts';
import { adminOf, Api, auditor, connect, CUSTOMER_HOST, registerCompany, vendor } from './api.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
});
afterEach(() => api.close());

const status = async (): Promise<Json> => (await api.call('GET', '/operations/status', { as: auditor })).body;
const run = (timer: string) => api.call('POST', `/operations/timers/${timer}/run`, { as: vendor });
const beat = (cells: Readonly<Record<string, string>>): void =>
  api.store.tamper('health', SYSTEM_PARTITION, timerRow.key({ timer: 'sweep' }), { format: 1, ...cells });

const RING = '/companies/acme/keyrings/default';
const order = async (): Promise<void> => {
  await registerCompany(api, 'acme');
  await connect(api, 'acme', 'main');
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', `${RING}/switches/s1`, { as: adminOf('acme'), body });
};
const PLACE = { companyId: 'acme', keyringId: 'default', switchId: 's1' };

describe("a timer's work by hand", () => {
  test('is done at once, says what it did, and is recorded with who asked', async () => {
    await registerCompany(api, 'acme');
    const answer = await run('audit');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      timer: 'audit',
      status: 'Succeeded',
      startedBy: 'request',
      version: '1.2.3',
      done: { signed: 2 },
      failed: [],
    });
    expect(chainOf(api.store, SYSTEM_PARTITION)).toMatchObject([{ action: 'timer.run', target: 'audit' }]);
  });

  test('is refused while a turn is under way on another instance, and done once that is dead', async () => {
    const turn = { startedAt: '2026-01-01T00:00:00.000Z', startedBy: 'schedule', turnId: 'another', instance: 'two' };
    beat({ nextAt: '2026-01-01T00:01:00.000Z', ...turn, until: '2026-01-01T00:02:00.000Z' });
    const refused = await run('sweep');
    expect([refused.status, refused.body['error']]).toMatchObject([409, { code: 'timer-running' }]);
    expect((await api.call('GET', '/operations/timers/sweep', { as: auditor })).body['status']).toBe('Running');
    api.clock.advance(120_000);
    expect((await api.call('GET', '/operations/timers/sweep', { as: auditor })).body['status']).toBe('Failed');
    expect((await run('sweep')).status).toBe(200);
  });

  test('knows the timers of the app and no other', async () => {
    expect((await run('nightly')).status).toBe(400);
  });
});

describe('the status', () => {
  test('of a deployment that nobody has used is empty and whole', async () => {
    expect(await status()).toEqual({
      checkedAt: '2026-01-01T00:00:00.000Z',
      timers: TIMERS.map((timer) => ({ timer, status: 'NotStarted', state: 'expected' })),
      instances: { value: [], isWhole: true },
      switches: { value: [], isWhole: true },
      deadLetters: { value: [], isWhole: true },
      throttledVaults: [],
    });
  });

  test('tells a timer that is late from one that was run', async () => {
    await run('audit');
    beat({ nextAt: '2025-12-31T23:00:00.000Z' });
    const timers = (await status())['timers'] as unknown as readonly Json[];
    const states = new Map<unknown, unknown>(timers.map(({ timer, state }) => [timer, state]));
    expect(['sweep', 'vault-checks', 'audit'].map((timer) => states.get(timer))).toEqual([
      'late',
      'expected',
      'on-time',
    ]);
  });

  test('names a switch that is blocked, with code and owner, and the vault that asked to wait', async () => {
    await order();
    api.vaults.fail({ host: CUSTOMER_HOST, operation: 'any', failure: 'throttled' });
    await api.work();
    const found = await status();
    expect(found['switches']).toMatchObject({
      value: [{ ...PLACE, reason: 'failure', code: 'throttled' }],
      isWhole: true,
    });
    expect(found['throttledVaults']).toMatchObject([{ host: CUSTOMER_HOST }]);
  });

  test('shows a dead letter, and that the switch it blocks goes on by retry, from the tables', async () => {
    await order();
    const body = { format: 1, kind: 'advance', attempt: 0, ...PLACE };
    await handleDeadLetter(api.services, { body, reason: 'MaxDeliveryCountExceeded', messageId: 'work-1' });
    const found = await status();
    expect(found['switches']).toMatchObject({ value: [{ ...PLACE, reason: 'blocked-dead-letter' }] });
    expect(found['deadLetters']).toMatchObject({
      value: [{ messageId: 'work-1', reason: 'dead letter: MaxDeliveryCountExceeded' }],
    });
    await api.call('POST', `${RING}/switches/s1/retry`, { as: vendor, body: {} });
    await api.work();
    expect((await status())['switches']).toEqual({ value: [], isWhole: true });
  });

  test('is answered though a row of a switch cannot be read', async () => {
    await order();
    const rowKey = keyringRowKey('default');
    const { cells } = api.store.peek('companies', 'acme', rowKey)!;
    api.store.tamper('companies', 'acme', rowKey, { ...cells, format: 2 });
    expect((await status())['switches']).toEqual({
      value: [{ companyId: 'acme', keyringId: 'default', reason: 'unreadable' }],
      isWhole: true,
    });
  });

  test('looks at so many switches at most, and says that there are more', async () => {
    for (let nth = 0; nth <= 500; nth += 1) {
      const { bucket, rowKey } = agendaPlaceOf({ kind: 'switch', companyId: `company-${nth}`, id: 'default' });
      api.store.tamper('agenda', bucket, rowKey, { format: 1 });
    }
    expect((await status())['switches']).toEqual({ value: [], isWhole: false });
  });
});
