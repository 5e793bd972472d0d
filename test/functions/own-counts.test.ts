// An instance that never runs a timer function still writes what it has counted.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordOwnCounts } from '../../functions/own-counts.ts';
import { DataKeyCalls, type CallCounting } from '../../shared/operations/audit/data-key-calls.ts';
import { EventLimits } from '../../shared/operations/audit/event-limits.ts';
import { auditRig, chainOf, COMPANY, type AuditRig } from '../operations/audit/chain.ts';

let rig: AuditRig;
let deps: CallCounting;
let stop: () => Promise<void>;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  rig = auditRig();
  deps = {
    ...rig.deps,
    dataKeyCalls: new DataKeyCalls(rig.clock, 'instance-1'),
    eventLimits: new EventLimits(rig.clock),
  };
  recordOwnCounts({ hook: { appTerminate: (handler) => (stop = handler) } }, deps);
});
afterEach(() => {
  vi.useRealTimers();
});

const call = (): void => deps.dataKeyCalls.add(COMPANY, 'unwrap', { caller: 'ann', count: 1 });

test('each minute, without another call and without a timer function', async () => {
  call();
  rig.clock.advance(60_000);
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() => expect(chainOf(rig.store)).toMatchObject([{ action: 'data-keys.calls' }]));
});

test('the minute that is not over too, when it is told to stop', async () => {
  call();
  await stop();
  expect(chainOf(rig.store)).toMatchObject([{ action: 'data-keys.calls' }]);
  expect(vi.getTimerCount()).toBe(0);
});
