import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { Readiness, READINESS_TTL_MS } from '../../shared/store/readiness.ts';
import { FakeClock, FakeLog } from '../fakes/fake-system.ts';

function world(read: () => Promise<undefined> = () => Promise.resolve(undefined)) {
  const clock = new FakeClock();
  const log = new FakeLog();
  let reads = 0;
  const tables = {
    read: () => {
      reads += 1;
      return read();
    },
  };
  return { clock, log, readiness: new Readiness({ tables, clock, log }), reads: () => reads };
}

const many = (readiness: Readiness) => Promise.all(Array.from({ length: 1_000 }, () => readiness.find()));

test('however many probe, at once or one after the other, the store is asked once in five seconds', async () => {
  const { readiness, clock, reads } = world();
  for (const found of await many(readiness)) expect(found.isReady).toBe(true);
  clock.advance(READINESS_TTL_MS - 1);
  await many(readiness);
  expect(reads()).toBe(1);
  clock.advance(1);
  await many(readiness);
  expect(reads()).toBe(2);
});

test('that it is not ready holds as long, is logged once, and ends when the store is back', async () => {
  let isAway = true;
  const away = (): Promise<undefined> =>
    isAway ? Promise.reject(new StoreUnavailable('no answer')) : Promise.resolve(undefined);
  const { readiness, clock, log, reads } = world(away);
  expect(await readiness.find()).toMatchObject({ isReady: false, reason: 'no answer' });
  await many(readiness);
  expect([reads(), log.entries.map(({ event }) => event)]).toEqual([1, ['readiness.not-ready']]);
  isAway = false;
  clock.advance(READINESS_TTL_MS);
  expect(await readiness.find()).toEqual({ isReady: true, at: clock.now(), warnings: [] });
});

test('who probes while the store is slow waits for the same answer', async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const { readiness, reads } = world(() => promise);
  const waiting = many(readiness);
  await Promise.resolve();
  expect(reads()).toBe(1);
  resolve(undefined);
  expect((await waiting).every(({ isReady }) => isReady)).toBe(true);
});
