// What an operator sees of Keyswitch itself, and a timer's work by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { STANDINGS } from '../../../shared/domain/company-standing.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { TIMERS } from '../../../shared/domain/timer-beat.ts';
import { DAY_MS } from '../../fixtures/policy.ts';
import { handleDeadLetter } from '../../../shared/operations/switches/dead-letter.ts';
import { operationsStatus } from '../../../shared/operations/watch/status.ts';
import { agendaPlaceOf } from '../../../shared/store/agenda.ts';
import { timerRow } from '../../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { chainOf } from '../../operations/audit/chain.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import type { Json } from './api-answer.ts';
import { adminOf, Api, auditor, BASE_URL, connect, CUSTOMER_HOST, registerCompany, vendor } from './api.ts';

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
    const none = { value: [], isWhole: true };
    const empty = { ready: 0, scheduled: 0, deadLetters: 0, isWhole: true };
    expect(await status()).toEqual({
      checkedAt: '2026-01-01T00:00:00.000Z',
      missing: [],
      timers: TIMERS.map((timer) => ({ timer, status: 'NotStarted', state: 'expected' })),
      instances: none,
      companies: Object.fromEntries(STANDINGS.map((state) => [state, 0])),
      workQueue: empty,
      checksQueue: empty,
      switches: none,
      deadLetters: none,
      givenUpEvents: none,
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
    const retryUrl = `${BASE_URL}${RING}/switches/s1/retry`;
    expect(found['switches']).toMatchObject({ value: [{ ...PLACE, reason: 'blocked-dead-letter', retryUrl }] });
    expect(found['deadLetters']).toMatchObject({
      value: [{ messageId: 'work-1', reason: 'dead letter: MaxDeliveryCountExceeded' }],
    });
    await api.call('POST', retryUrl, { as: vendor, body: {} });
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

  test('shows how full both queues are, and since when the oldest message waits', async () => {
    await order();
    await run('vault-checks');
    const found = await status();
    const since = api.clock.now().toISOString();
    expect(found['workQueue']).toEqual({ ready: 1, scheduled: 0, oldestAt: since, deadLetters: 0, isWhole: true });
    expect(found['checksQueue']).toMatchObject({ ready: 2, scheduled: 30, oldestAt: since });
  });

  test('shows webhooks of which events were given up, and those go once they are delivered again', async () => {
    await registerCompany(api, 'acme');
    const hook = { url: 'https://hooks.example.com/x' };
    await api.call('PUT', '/companies/acme/webhooks/siem', { as: vendor, body: hook });
    await api.call('PUT', '/webhooks/soc', { as: vendor, body: hook });
    api.receivers.fail('hooks.example.com');
    await run('notifications');
    api.clock.advance(4 * DAY_MS);
    await run('notifications');
    interface Given {
      readonly webhookId: string;
      readonly redeliverUrl: string;
    }
    const { value } = (await status())['givenUpEvents'] as unknown as { readonly value: readonly Given[] };
    const why = { isWhole: true, lastAt: api.clock.now().toISOString(), code: 'webhook-refused' };
    const url = (path: string): string => `${BASE_URL}${path}/redeliver`;
    expect(value.toSorted((a, b) => (a.webhookId < b.webhookId ? -1 : 1))).toMatchObject([
      { companyId: 'acme', webhookId: 'siem', ...why, redeliverUrl: url('/companies/acme/webhooks/siem') },
      { webhookId: 'soc', ...why, redeliverUrl: url('/webhooks/soc') },
    ]);
    api.receivers.heal('hooks.example.com');
    for (const { redeliverUrl } of value)
      expect((await api.call('POST', redeliverUrl, { as: vendor, body: {} })).status).toBe(204);
    await run('notifications');
    expect((await status())['givenUpEvents']).toEqual({ value: [], isWhole: true });
  });

  test('tells no more of what was given up once its webhook, or its company, is deleted', async () => {
    const hook = { url: 'https://hooks.example.com/x' };
    api.receivers.fail('hooks.example.com');
    for (const id of ['acme', 'globex']) {
      await registerCompany(api, id);
      await api.call('PUT', `/companies/${id}/webhooks/siem`, { as: vendor, body: hook });
    }
    await run('notifications');
    api.clock.advance(4 * DAY_MS);
    await run('notifications');
    expect((await status())['givenUpEvents']).toMatchObject({ value: [{ webhookId: 'siem' }, { webhookId: 'siem' }] });
    await api.call('DELETE', '/companies/acme/webhooks/siem', { as: vendor });
    await api.call('DELETE', '/companies/globex', { as: vendor });
    const left = [...api.store.dump()].filter(({ rowKey }) => rowKey.startsWith('given-up|'));
    expect([left, (await status())['givenUpEvents']]).toEqual([[], { value: [], isWhole: true }]);
  });
});

describe('the status where a source is away', () => {
  const parts = (found: Json): string[] =>
    (found['missing'] as unknown as readonly { readonly part: string }[]).map(({ part }) => part).toSorted();

  test('tells everything else, and names what is missing and why', async () => {
    await order();
    api.queue.away = true;
    const found = await status();
    expect(found['missing']).toEqual([{ part: 'workQueue', reason: 'the queue is away' }]);
    expect(found).not.toHaveProperty('workQueue');
    expect(found['checksQueue']).toMatchObject({ isWhole: true });
    expect(found['companies']).toMatchObject({ 'vendor-key': 1 });
  });

  test.each([
    ['agenda', ['givenUpEvents', 'switches']],
    ['health', ['companies', 'instances', 'timers']],
    ['companies', ['deadLetters']],
  ])('also where that is the table %s', async (table, missing) => {
    await api.close();
    api = await Api.start({
      tables: (store) => {
        const unless = <T>(asked: string, call: () => Promise<T>): Promise<T> =>
          asked === table ? Promise.reject(new StoreUnavailable('planted')) : call();
        return tablesBut(store, {
          read: (...asked) => unless(asked[0], () => store.read(...asked)),
          list: (query) => unless(query.table, () => store.list(query)),
        });
      },
    });
    expect(parts(await status())).toEqual(missing);
  });

  test('and is told in time where it says nothing at all', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const silent = { look: () => new Promise<never>(() => undefined) };
      const found = operationsStatus({
        ...api.services,
        queueWatches: { ...api.services.queueWatches, checks: silent },
      });
      await vi.advanceTimersByTimeAsync(5_000);
      const { missing, workQueue } = await found;
      expect(missing).toEqual([{ part: 'checksQueue', reason: 'It did not answer within 5 seconds.' }]);
      expect(workQueue).toMatchObject({ isWhole: true });
    } finally {
      vi.useRealTimers();
    }
  });
});
