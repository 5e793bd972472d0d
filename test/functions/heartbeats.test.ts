// What an instance does by itself and beside its calls, so that the others know that it lives and the timers do not stand still.
import type { PostInvocationContext } from '@azure/functions';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepInstanceHeartbeat } from '../../functions/instance-heartbeat.ts';
import { startOverdueByTraffic } from '../../functions/timer/traffic.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { list } from '../../shared/store/found.ts';
import { instanceRows } from '../../shared/store/rows/heartbeat-rows.ts';
import type { Tables } from '../../shared/store/tables.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { POLICY } from '../fixtures/policy.ts';
import { TestWorld } from '../world.ts';

let world: TestWorld;
let expected = 0;
const turns = { expectTurns: () => Promise.resolve(void (expected += 1)) };
const hooks: { start?: () => void; stop?: () => void } = {};
const app = {
  hook: {
    appStart: (handler: () => void) => (hooks.start = handler),
    appTerminate: (handler: () => void) => (hooks.stop = handler),
  },
};
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  world = new TestWorld();
  expected = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

const keep = (tables: Tables = world.store): void =>
  keepInstanceHeartbeat(app, { ...world.startHost(POLICY, { instance: 'one', tables }), version: '1.2.3' }, turns);
const seen = async (): Promise<string | undefined> =>
  (await list(world.store, instanceRows, {})).map(({ value }) => value?.seenAt)[0];

test('an instance says that it lives when it starts and each minute, until it is told to stop', async () => {
  keep();
  expect(vi.getTimerCount()).toBe(0);
  hooks.start?.();
  await vi.waitFor(() => expect(expected).toBe(1));
  world.clock.advance(60_000);
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() => expect(expected).toBe(2));
  expect(await seen()).toBe('2026-01-01T00:01:00.000Z');
  hooks.stop?.();
  expect(vi.getTimerCount()).toBe(0);
});

test('a store that is away costs one line of the log, and no more', async () => {
  keep(tablesBut(world.store, { read: () => Promise.reject(new StoreUnavailable('away')) }));
  hooks.start?.();
  await vi.waitFor(() => expect(world.log.events()).toEqual(['instance.heartbeat-lost']));
});

test.each([
  ['httpTrigger', 1],
  ['serviceBusTrigger', 0],
  ['timerTrigger', 0],
])('after a call of %s, %i looks for overdue timers', (type, looks) => {
  let looked = 0;
  let after: ((context: PostInvocationContext) => void) | undefined;
  startOverdueByTraffic(
    { hook: { postInvocation: (handler) => (after = handler) } },
    { lookForOverdue: () => void (looked += 1) },
  );
  after?.({ invocationContext: { options: { trigger: { type } } } } as unknown as PostInvocationContext);
  expect(looked).toBe(looks);
});
