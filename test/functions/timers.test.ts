import type { TimerFunctionOptions } from '@azure/functions';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { registerTimers, timersOf } from '../../functions/timer/register.ts';
import { TimerTurns } from '../../shared/operations/watch/timer-turns.ts';
import { SCHEDULES } from '../fixtures/schedules.ts';
import type { CheckMessage } from '../../shared/domain/check-message.ts';
import { CheckPlaces } from '../../shared/operations/watch/check-places.ts';
import { FakeQueue } from '../fakes/fake-queue.ts';
import { FakeTimers } from '../fakes/fake-system.ts';
import { workChecks } from '../operations/watch/round.ts';
import { adminOf, Api, backend, connect, registerCompany } from './http/api.ts';

let api: Api;
let checkQueue: FakeQueue<CheckMessage>;
const timers = new Map<string, TimerFunctionOptions>();
beforeEach(async () => {
  api = await Api.start();
  checkQueue = new FakeQueue(api.clock);
  const services = { ...api.services, checkQueue, stuckAfterMs: 60_000, version: '1.2.3' };
  const turns = new TimerTurns(services, timersOf(services, SCHEDULES));
  registerTimers({ timer: (name, options) => void timers.set(name, options) }, turns, SCHEDULES);
  await registerCompany(api, 'acme');
});
afterEach(() => api.close());

const fire = async (name: string): Promise<void> => {
  const { handler } = timers.get(name)!;
  await (handler as () => Promise<void>)();
};

const ring = '/companies/acme/keyrings/default';

test('each timer has its schedule from the settings', () => {
  expect([...timers].map(([name, { schedule }]) => [name, schedule])).toEqual([
    ['sweep', '0 * * * * *'],
    ['vault-checks', '30 * * * * *'],
    ['audit', '0 7 * * * *'],
    ['notifications', '*/10 * * * * *'],
  ]);
});

test('the sweep finds a switch whose message was lost, and it finishes', async () => {
  await connect(api, 'acme', 'main');
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', `${ring}/switches/s1`, { as: adminOf('acme'), body });
  api.queue.clear();
  api.clock.advance(120_000);
  await fire('sweep');
  await api.work();
  expect((await api.call('GET', `${ring}/switches/s1`, { as: adminOf('acme') })).body['state']).toBe('completed');
});

test('the sweep purges deleted data keys when their time is over', async () => {
  await api.call('POST', `${ring}/datakeys`, { as: backend, body: { keys: [{ keyId: 'k1' }] } });
  await api.call('DELETE', `${ring}/datakeys/k1`, { as: backend });
  await fire('sweep');
  expect((await api.call('POST', `${ring}/datakeys/k1/restore`, { as: backend })).status).toBe(200);
  await api.call('DELETE', `${ring}/datakeys/k1`, { as: backend });
  api.clock.advance(32 * 24 * 60 * 60 * 1000);
  await fire('sweep');
  expect((await api.call('POST', `${ring}/datakeys/k1/restore`, { as: backend })).status).toBe(404);
  const row = [...api.store.dump()].find(({ table, rowKey }) => table === 'datakeys' && rowKey === 'k1');
  expect(row?.cells['state']).toBe('tombstone');
});

test('vault checks look at every connection in force', async () => {
  await connect(api, 'acme', 'main');
  const body = { provider: 'azure-key-vault', connectionId: 'main' };
  await api.call('PUT', `${ring}/switches/s1`, { as: adminOf('acme'), body });
  await api.work();
  await fire('vault-checks');
  await workChecks({ ...api.services, checkQueue, checkPlaces: new CheckPlaces(new FakeTimers(), 4) });
  const health = await api.call('GET', '/companies/acme/connections/main/health', { as: adminOf('acme') });
  expect(health.body['current']).toMatchObject({ state: 'healthy' });
});
