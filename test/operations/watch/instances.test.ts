import { beforeEach, expect, it } from 'vitest';
import { forgetHeartbeats, sayInstanceLives, type Living } from '../../../shared/operations/watch/instances.ts';
import { list } from '../../../shared/store/found.ts';
import { instanceRow, instanceRows, timerRow, timerRows } from '../../../shared/store/rows/heartbeat-rows.ts';
import { SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { MISHAPS, tablesTripping } from '../../fakes/tables-but.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { TestWorld } from '../../world.ts';

const DAY_MS = 86_400_000;

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

const living = (
  instance: string,
  { tables = world.store, aheadMs = 0 }: { tables?: Tables; aheadMs?: number } = {},
): Living => ({
  ...world.startHost(POLICY, { instance, tables, aheadMs }),
  version: '1.2.3',
});
const known = async (): Promise<string[]> =>
  (await list(world.store, instanceRows, {})).map(({ place }) => place.instance);

it('an instance says since when it lives, when it was last seen, and in which version', async () => {
  await sayInstanceLives(living('one'));
  world.clock.advance(60_000);
  await sayInstanceLives(living('one'));
  expect((await list(world.store, instanceRows, {})).map(({ value }) => value)).toEqual([
    { version: '1.2.3', startedAt: '2026-01-01T00:00:00.000Z', seenAt: '2026-01-01T00:01:00.000Z' },
  ]);
});

it.each(MISHAPS)('and says it also where the write ends as %s', async (mishap) => {
  const tables = tablesTripping(world.store, instanceRow.key({ instance: 'one' }), { mishap });
  await sayInstanceLives(living('one', { tables }));
  expect(await known()).toEqual(['one']);
});

it('one that has been gone for a day is forgotten, so is one seen in a future that did not come, and a row that cannot be read', async () => {
  await sayInstanceLives(living('old'));
  world.clock.advance(DAY_MS);
  await sayInstanceLives(living('new'));
  const cells = { format: 1, version: '1', startedAt: '2031-01-01T00:00:00.000Z', seenAt: '2031-01-01T00:00:00.000Z' };
  world.store.tamper('health', SYSTEM_PARTITION, instanceRow.key({ instance: 'future' }), cells);
  world.store.tamper('health', SYSTEM_PARTITION, instanceRow.key({ instance: 'damaged' }), { format: 1 });
  expect(await forgetHeartbeats(living('new'))).toBe(3);
  expect(await known()).toEqual(['new']);
});

it('hundreds of them are forgotten in one turn', async () => {
  const seenAt = world.clock.now().toISOString();
  for (let nth = 0; nth < 250; nth += 1) {
    const rowKey = instanceRow.key({ instance: `instance-${nth}` });
    world.store.tamper('health', SYSTEM_PARTITION, rowKey, { format: 1, version: '1', startedAt: seenAt, seenAt });
  }
  world.clock.advance(DAY_MS);
  expect(await forgetHeartbeats(living('new'))).toBe(250);
  expect(await known()).toEqual([]);
});

it('a timer of another version is forgotten once its turn has been due for a day, and none of this one ever is', async () => {
  const cells = { format: 1, nextAt: '2026-01-01T00:00:00.000Z' };
  for (const timer of ['of-another-version', 'sweep'])
    world.store.tamper('health', SYSTEM_PARTITION, timerRow.key({ timer }), cells);
  world.clock.advance(DAY_MS - 1);
  expect(await forgetHeartbeats(living('new'))).toBe(0);
  world.clock.advance(1);
  expect(await forgetHeartbeats(living('new'))).toBe(1);
  expect((await list(world.store, timerRows, {})).map(({ place }) => place.timer)).toEqual(['sweep']);
});
