// A process that has keys in memory learns of a denial within seconds, without a call.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchDenials } from '../../functions/denial-watch.ts';
import { DENIALS_AGE_MS } from '../../shared/operations/keys/denials.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { FakeLog } from '../fakes/fake-system.ts';

let looks: number;
let look: () => Promise<void>;
let areNeeded: boolean;
let log: FakeLog;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  looks = 0;
  look = () => Promise.resolve();
  areNeeded = true;
  log = new FakeLog();
  const denials = {
    get areNeeded() {
      return areNeeded;
    },
    look: () => ((looks += 1), look()),
  };
  watchDenials({ denials, log });
});
afterEach(() => {
  vi.useRealTimers();
});

/** It looks five times while a list may be gone by: only a list that is older is read. */
const pass = (looksEach: number): Promise<unknown> => vi.advanceTimersByTimeAsync((looksEach * DENIALS_AGE_MS) / 5);

test('each second while it has keys, and not otherwise', async () => {
  await pass(2);
  expect(looks).toBe(2);
  areNeeded = false;
  await pass(3);
  expect(looks).toBe(2);
});

test('by one look at a time', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  look = () => promise.then();
  await pass(3);
  expect(looks).toBe(1);
  resolve(undefined);
  await pass(1);
  expect(looks).toBe(2);
});

test('and goes on after a time without the list, which the log tells once', async () => {
  look = () => Promise.reject(new StoreUnavailable('away'));
  await pass(2);
  expect(log.entries).toEqual([{ level: 'warning', event: 'vault.denials-unknown', detail: { error: 'away' } }]);
  look = () => Promise.resolve();
  await pass(1);
  look = () => Promise.reject(new TypeError('bug'));
  await pass(1);
  expect(log.entries.map(({ detail }) => detail?.['error'])).toEqual(['away', 'TypeError']);
});
