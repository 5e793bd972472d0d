// What probes, monitors and operators are told of a late timer.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { timerRow } from '../../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { Api, auditor } from './api.ts';

let api: Api;
beforeEach(async () => {
  api = await Api.start();
  const cells = { format: 1, nextAt: '2026-01-01T00:01:00.000Z' };
  api.store.tamper('health', SYSTEM_PARTITION, timerRow.key({ timer: 'sweep' }), cells);
});
afterEach(() => api.close());

test('a late timer turns the light for monitors red, and takes no instance from its load balancer', async () => {
  expect((await api.call('GET', '/health/timers')).status).toBe(200);
  api.clock.advance(6 * 60_000 + 1);
  expect((await api.call('GET', '/health/timers')).body).toEqual({
    error: { code: 'timer-late', message: 'A timer of Keyswitch is late: work that is due is not done.' },
  });
  expect((await api.call('GET', '/health/ready')).status).toBe(200);
  expect((await api.call('GET', '/health', { as: auditor })).body).toMatchObject({
    status: 'timer-late',
    warnings: ['The timer sweep is late: what it does is not done.'],
  });
});
