import { describe, expect, test } from 'vitest';
import { timerRow } from '../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { Readiness, READINESS_TTL_MS } from '../../shared/store/readiness.ts';
import { FakeClock, FakeLog } from '../fakes/fake-system.ts';
import { FakeTables } from '../fakes/fake-tables.ts';

function world(read: () => Promise<undefined> = () => Promise.resolve(undefined)) {
  const clock = new FakeClock();
  const log = new FakeLog();
  const store = new FakeTables();
  let reads = 0;
  const tables = {
    read: () => {
      reads += 1;
      return read();
    },
    list: store.list.bind(store),
  };
  const storeClock = { aheadMs: () => 0 };
  return {
    tables,
    clock,
    log,
    store,
    readiness: new Readiness({ tables, clock, storeClock, log }),
    reads: () => reads,
  };
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
  expect(await readiness.find()).toEqual({ isReady: true, at: clock.now(), late: [], warnings: [] });
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

describe('timers', () => {
  const beat = (store: FakeTables, timer: string, cells: Readonly<Record<string, string>>): void =>
    store.tamper('health', SYSTEM_PARTITION, timerRow.key({ timer }), { format: 1, ...cells });

  test('one that is late is told of, and leaves the instance ready', async () => {
    const { readiness, clock, store } = world();
    beat(store, 'sweep', { nextAt: '2026-01-01T00:01:00.000Z' });
    beat(store, 'audit', { nextAt: '2026-01-01T00:07:00.000Z' });
    expect((await readiness.find()).late).toEqual([]);
    clock.advance(6 * 60_000 + 1);
    const found = await readiness.find();
    expect(found).toMatchObject({ isReady: true, late: ['sweep'] });
    expect(found.warnings).toEqual(['The timer sweep is late: what it does is not done.']);
  });

  test('before the first heartbeat, as in a new deployment, none is late', async () => {
    expect((await world().readiness.find()).late).toEqual([]);
  });

  test('one whose heartbeat cannot be read is late, and one that this version does not know is not looked at', async () => {
    const { readiness, store } = world();
    beat(store, 'sweep', { nextAt: 'tomorrow' });
    beat(store, 'of-another-version', { nextAt: '2020-01-01T00:00:00.000Z' });
    expect((await readiness.find()).late).toEqual(['sweep']);
  });

  test('jobs that failed in the last turn are warned of', async () => {
    const { readiness, store } = world();
    const turn = { startedAt: '2026-01-01T00:00:00.000Z', startedBy: 'schedule', failed: '["purged","resumed"]' };
    beat(store, 'sweep', { nextAt: '2026-01-01T00:01:00.000Z', ...turn });
    expect((await readiness.find()).warnings).toEqual([
      'The last turn of the timer sweep failed in purged, resumed: the log says why.',
    ]);
  });

  test('are judged by the time of the store, not of a host whose clock jumped', async () => {
    const { tables, clock, log, store } = world();
    beat(store, 'sweep', { nextAt: '2026-01-01T00:01:00.000Z' });
    clock.advance(86_400_000);
    const readiness = new Readiness({ tables, clock, log, storeClock: { aheadMs: () => -86_400_000 } });
    expect((await readiness.find()).late).toEqual([]);
  });
});
