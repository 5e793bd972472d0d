// One visit to a keyring whose deleted keys are due to be purged.
import { describe, expect, it } from 'vitest';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { loadKeyring } from '../../../shared/store/control-state.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { purgeKeyring } from '../../../shared/operations/data-keys/purge.ts';
import { noteForPurge } from '../../../shared/operations/data-keys/purge-list.ts';
import { purgePartition } from '../../../shared/store/rows/purge-rows.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { isOfDataKeys } from '../../fakes/faulty-tables.ts';
import { COMPANY, DAY_MS, KEYRING, PLACE, plaintextsOf, RESTORE_DAYS, rowsToPurge, valueOf, World } from './world.ts';

const HOUR_MS = 3_600_000;
const A = { ...PLACE, keyId: 'a' };

it('a key that cannot be put on the list of what to purge is not deleted', async () => {
  const world = await World.withCompany();
  await world.generate([{ keyId: 'a' }]);
  world.tables.at(({ partitionKey }) => partitionKey === purgePartition(PLACE)).isLost();
  await expect(deleteDataKey(world.host, A)).rejects.toThrow(StoreUnavailable);
  expect((await world.row('a')).state).toBe('live');
});

describe('a visit to a keyring', () => {
  async function withKey(): Promise<World> {
    const world = await World.withCompany({ shardCount: 1 });
    await world.generate([{ keyId: 'a' }]);
    return world;
  }

  /** Its time is over. */
  async function due(): Promise<World> {
    const world = await withKey();
    valueOf(await deleteDataKey(world.host, A));
    world.clock.advance(RESTORE_DAYS * DAY_MS);
    return world;
  }
  const after = (world: World, ms: number): string => new Date(world.clock.now().getTime() + ms).toISOString();

  it.each([
    ['nothing is on the list', undefined, DAY_MS],
    ['the next key is due in an hour', HOUR_MS, HOUR_MS],
    ['the next key is due in two days', 2 * DAY_MS, DAY_MS],
  ])('comes again in time where %s', async (_what, dueInMs, nextInMs) => {
    const world = await withKey();
    if (dueInMs !== undefined) {
      await noteForPurge(world.store, PLACE, { keyId: 'b', purgeAfter: after(world, dueInMs) });
    }
    expect(await purgeKeyring(world.host, PLACE)).toEqual({
      purged: 0,
      nextAt: after(world, nextInMs),
      after: '',
      gone: false,
    });
  });

  it('that is gone says so; one that is not finished is looked at again', async () => {
    const world = await withKey();
    const none = await purgeKeyring(world.host, { ...PLACE, keyringId: 'none' });
    expect(none).toEqual({ purged: 0, nextAt: after(world, 0), after: '', gone: true });
    const keyring = await loadKeyring(world.store, PLACE);
    const cells = keyringCells({ ...keyring!.value, state: 'creating' });
    world.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), cells);
    const waits = await purgeKeyring(world.host, PLACE, { from: 'there' });
    expect(waits).toEqual({ purged: 0, nextAt: after(world, 0), after: 'there', gone: false });
  });

  it('takes ten pages of the list at most, and the rest next time', async () => {
    const world = await withKey();
    for (let index = 0; index <= 5_000; index += 1) {
      world.store.tamper('agenda', purgePartition(PLACE), `2025-01-01T00:00:00.000Z|none-${10_000 + index}`, {
        format: 1,
      });
    }
    const visit = await purgeKeyring(world.host, PLACE);
    const last = '2025-01-01T00:00:00.000Z|none-14999';
    expect(visit).toEqual({ purged: 0, nextAt: after(world, 0), after: last, gone: false });
    expect(rowsToPurge(world.store)).toEqual(['2025-01-01T00:00:00.000Z|none-15000']);
    expect((await purgeKeyring(world.host, PLACE)).nextAt).toBe(after(world, DAY_MS));
    expect(rowsToPurge(world.store)).toEqual([]);
  });

  it('whose time is over takes one page, however slow the store is, and the rest next time', async () => {
    const world = await withKey();
    for (let index = 0; index < 501; index += 1) {
      world.store.tamper('agenda', purgePartition(PLACE), `2025-01-01T00:00:00.000Z|none-${1_000 + index}`, {
        format: 1,
      });
    }
    const visit = await purgeKeyring(world.host, PLACE, { deadline: world.clock.now() });
    expect(visit).toMatchObject({ nextAt: after(world, 0), after: '2025-01-01T00:00:00.000Z|none-1499' });
    expect(rowsToPurge(world.store)).toHaveLength(1);
  });

  it('forgets entries of keys that there are not, and of keys restored meanwhile, and purges neither', async () => {
    const world = await withKey();
    valueOf(await deleteDataKey(world.host, A));
    valueOf(await restoreDataKey(world.host, A));
    await noteForPurge(world.store, PLACE, { keyId: 'a', purgeAfter: after(world, 0) });
    await noteForPurge(world.store, PLACE, { keyId: 'none', purgeAfter: after(world, 0) });
    expect((await purgeKeyring(world.host, PLACE)).purged).toBe(0);
    expect([(await world.row('a')).state, rowsToPurge(world.store)]).toEqual([
      'live',
      [expect.stringContaining('2026-01-31') as string],
    ]);
  });

  it.each(['quarantined', 'lost'] as const)(
    'keeps the entry of a key that may come back as deleted (%s)',
    async (state) => {
      const world = await due();
      await world.tamper('a', { state });
      expect((await purgeKeyring(world.host, PLACE)).purged).toBe(0);
      await world.tamper('a', { state: 'deleted' });
      expect((await purgeKeyring(world.host, PLACE)).purged).toBe(1);
    },
  );

  it('leaves a key that somebody wrote first to the next visit', async () => {
    const world = await due();
    world.tables.atNext(isOfDataKeys).comesAfter(() => world.tamper('a', {}));
    expect((await purgeKeyring(world.host, PLACE)).purged).toBe(0);
    expect([(await world.row('a')).state, rowsToPurge(world.store).length]).toEqual(['deleted', 1]);
    expect((await purgeKeyring(world.host, PLACE)).purged).toBe(1);
    world.expectExactCounts();
  });

  it('purges in a shard that takes no new keys', async () => {
    const world = await due();
    const shard = await world.shardFor('a');
    world.store.tamper(
      'datakeys',
      world.partitionOf('a'),
      SHARD_ROW_KEY,
      shardCells({ ...shard, closed: true }, 'test'),
    );
    expect((await purgeKeyring(world.host, PLACE)).purged).toBe(1);
  });

  it('counts a key that its shard has not moved as not moved, beside others that are', async () => {
    const world = await due();
    const other = world.newHost({ tables: world.store });
    let purged = 0;
    world.tables.atNext(world.isTurnOf('a')).isFollowedBy(async () => {
      await world.generate([{ keyId: 'new' }], { host: other });
      purged = (await purgeKeyring(other, PLACE)).purged;
      expect(await world.shardFor('a')).toMatchObject({ writeVersion: 2, live: 1, deleted: 0, at: { 2: 1 } });
    });
    await world.rekey('one');
    expect(purged).toBe(1);
    world.expectExactCounts();
  });

  it('has its process forget the row: it is not found at once', async () => {
    const world = await withKey();
    const host = world.newHost({ cachedRows: 10 });
    expect(plaintextsOf(await world.unwrap(['a'], host)).size).toBe(1);
    const aSecond = 1 / 86_400;
    valueOf(await deleteDataKey({ ...world.host, restoreDays: aSecond }, A));
    world.clock.advance(1_000);
    expect((await purgeKeyring(host, PLACE)).purged).toBe(1);
    expect((await world.unwrap(['a'], host))[0]?.outcome).toBe('not-found');
  });
});
