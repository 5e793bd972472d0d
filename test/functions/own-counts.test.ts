// An instance that never runs a timer function still writes what it has counted.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordOwnCounts } from '../../functions/own-counts.ts';
import type { CallCounting } from '../../shared/operations/audit/data-key-calls.ts';
import { auditRig, chainOf, COMPANY, type AuditRig } from '../operations/audit/chain.ts';

let rig: AuditRig;
let deps: CallCounting;
let stop: () => Promise<void>;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  rig = auditRig();
  deps = rig.deps;
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
  await vi.waitFor(() => expect(chainOf(rig.store)).toMatchObject([{ action: 'data-keys.calls' }]), {
    timeout: 20_000,
  });
});

test('the minute that is not over too, when it is told to stop', async () => {
  call();
  await stop();
  expect(chainOf(rig.store)).toMatchObject([{ action: 'data-keys.calls' }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('with the last write begun well within the five seconds that the host gives a worker to end', async () => {
  const stoppedMs = rig.clock.now().getTime();
  const { tables } = deps;
  let lastMs = 0;
  const slow: typeof tables = {
    read: tables.read.bind(tables),
    list: tables.list.bind(tables),
    write: (...write) => {
      lastMs = rig.clock.now().getTime();
      rig.clock.advance(100);
      return tables.write(...write);
    },
  };
  deps = { ...deps, tables: slow };
  recordOwnCounts({ hook: { appTerminate: (handler) => (stop = handler) } }, deps);
  for (let company = 0; company < 100; company += 1)
    deps.dataKeyCalls.add(`company-${company}`, 'unwrap', { caller: 'ann', count: 1 });
  await stop();
  expect(lastMs - stoppedMs).toBeGreaterThan(2_000);
  expect(lastMs - stoppedMs).toBeLessThan(4_000);
});
