// The life of data keys after they are made: looked at, listed, deleted, restored, purged; with the counts exact at every step.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { getDataKey } from '../../../shared/operations/data-keys/get.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { sweepPurges } from '../../../shared/operations/companies/sweep-purges.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { startRekey } from '../../../shared/operations/switches/start.ts';
import { DAY_MS, errorOf, plaintextsOf, PLACE, RESTORE_DAYS, valueOf, World } from './world.ts';
import { isOfDataKeys, type Write } from '../../fakes/faulty-tables.ts';
import { ADMIN, actorNamed } from '../../fakes/actors.ts';

async function withKey(): Promise<{ world: World; generated: Map<string, string> }> {
  const world = await World.withCompany();
  return { world, generated: plaintextsOf(await world.generate([{ keyId: 'a' }])) };
}
const A = { ...PLACE, keyId: 'a' };

test('a key’s metadata says how it stands, and nothing of its blob', async () => {
  const { world } = await withKey();
  const { value, etag } = valueOf(await getDataKey(world.host, A));
  expect(value).toEqual({
    keyId: 'a',
    state: 'live',
    origin: 'generated',
    companyKeyVersion: 1,
    createdAt: world.clock.now().toISOString(),
  });
  expect(etag).not.toBe('');
  expect(errorOf(await getDataKey(world.host, { ...PLACE, keyId: 'none' }))).toMatchObject({ type: 'not-found' });
  expect(errorOf(await getDataKey(world.host, { ...PLACE, keyId: '!shard' }))).toMatchObject({ type: 'not-found' });
});

test('a deleted key says until when it can be restored; restored it is as before', async () => {
  const { world, generated } = await withKey();
  const deleted = valueOf(await deleteDataKey(world.host, A));
  const purgeAfter = new Date(world.clock.now().getTime() + RESTORE_DAYS * DAY_MS).toISOString();
  expect(deleted.value).toMatchObject({ state: 'deleted', deletedAt: world.clock.now().toISOString(), purgeAfter });
  expect(valueOf(await getDataKey(world.host, A))).toEqual(deleted);
  world.expectExactCounts();
  const restored = valueOf(await restoreDataKey(world.host, A));
  expect(restored.value).toMatchObject({ state: 'live' });
  expect(restored.value).not.toHaveProperty('deletedAt');
  expect(plaintextsOf(await world.unwrap(['a']))).toEqual(generated);
  world.expectExactCounts();
});

test('deleting twice is as good as once; restoring what is not deleted is refused', async () => {
  const { world } = await withKey();
  const first = valueOf(await deleteDataKey(world.host, A));
  expect(valueOf(await deleteDataKey(world.host, A))).toEqual(first);
  valueOf(await restoreDataKey(world.host, A));
  expect(errorOf(await restoreDataKey(world.host, A))).toMatchObject({ type: 'state', code: 'data-key-not-deleted' });
});

test.each([
  ['quarantined', 'data-key-quarantined'],
  ['lost', 'data-key-lost'],
] as const)('a %s key is not deleted', async (state, code) => {
  const { world } = await withKey();
  await world.tamper('a', { state });
  expect(errorOf(await deleteDataKey(world.host, A))).toMatchObject({ type: 'state', code });
});

test('If-Match holds for the row as it was read, and only for that', async () => {
  const { world } = await withKey();
  const { etag } = valueOf(await getDataKey(world.host, A));
  expect(errorOf(await deleteDataKey(world.host, { ...A, ifMatch: 'W/"other"' }))).toMatchObject({
    type: 'precondition-failed',
  });
  valueOf(await deleteDataKey(world.host, { ...A, ifMatch: etag }));
  expect(errorOf(await restoreDataKey(world.host, { ...A, ifMatch: etag }))).toMatchObject({
    type: 'precondition-failed',
  });
  valueOf(await restoreDataKey(world.host, { ...A, ifMatch: '*' }));
});

test.each(['before', 'after'] as const)(
  'an answer lost %s the commit of a delete or restore costs nothing',
  async (moment) => {
    const { world } = await withKey();
    let left = 0;
    const some = world.tables.at((write) => isOfDataKeys(write) && left-- > 0);
    if (moment === 'after') some.losesTheAnswer();
    else some.isLost();
    left = 1;
    expect(valueOf(await deleteDataKey(world.host, A)).value.state).toBe('deleted');
    world.expectExactCounts();
    left = 5;
    expect(valueOf(await restoreDataKey(world.host, A)).value.state).toBe('live');
    world.expectExactCounts();
  },
);

test('many who delete one key at once all find it deleted, and it counts once', async () => {
  const { world } = await withKey();
  const hosts = [world.host, world.host, world.newHost(), world.newHost()];
  const deleted = await Promise.all(hosts.map((host) => deleteDataKey(host, A)));
  expect(deleted.map((one) => valueOf(one).value.state)).toEqual(['deleted', 'deleted', 'deleted', 'deleted']);
  expect(await world.shardFor('a')).toMatchObject({ live: 0, deleted: 1, at: { 1: 1 } });
});

test('a deleted key is purged after its time, not a moment before; its id is never used again', async () => {
  const { world } = await withKey();
  valueOf(await deleteDataKey(world.host, A));
  for (let day = 0; day < RESTORE_DAYS; day += 1) {
    expect(await sweepPurges(world.host)).toBe(0);
    world.clock.advance(DAY_MS);
  }
  expect(errorOf(await restoreDataKey(world.host, A))).toMatchObject({ type: 'not-found' });
  expect(await sweepPurges(world.host)).toBe(1);
  const row = await world.row('a');
  expect(row).toMatchObject({ state: 'tombstone', companyKeyVersion: 0, previousVersion: 0 });
  expect(row.blob).toHaveLength(0);
  expect(row.previous).toHaveLength(0);
  world.expectExactCounts();
  expect(errorOf(await getDataKey(world.host, A))).toMatchObject({ type: 'not-found' });
  expect(errorOf(await deleteDataKey(world.host, A))).toMatchObject({ type: 'not-found' });
  expect((await world.unwrap(['a']))[0]?.outcome).toBe('not-found');
  expect((await world.generate([{ keyId: 'a' }, {}]))[0]?.outcome).toBe('id-taken');
  expect(await sweepPurges(world.host)).toBe(0);
});

test('a key restored and deleted anew has its whole time again', async () => {
  const { world } = await withKey();
  valueOf(await deleteDataKey(world.host, A));
  world.clock.advance(10 * DAY_MS);
  valueOf(await restoreDataKey(world.host, A));
  valueOf(await deleteDataKey(world.host, A));
  world.clock.advance(RESTORE_DAYS * DAY_MS - 1);
  expect(await sweepPurges(world.host)).toBe(0);
  expect((await world.row('a')).state).toBe('deleted');
  world.clock.advance(DAY_MS);
  expect(await sweepPurges(world.host)).toBe(1);
});

test('a key in quarantine when its time is over is purged once it is out of it', async () => {
  const { world } = await withKey();
  valueOf(await deleteDataKey(world.host, A));
  await world.tamper('a', { state: 'quarantined', stateBefore: 'deleted' });
  world.clock.advance(RESTORE_DAYS * DAY_MS);
  expect(await sweepPurges(world.host)).toBe(0);
  await world.tamper('a', { state: 'deleted' });
  world.clock.advance(DAY_MS);
  expect(await sweepPurges(world.host)).toBe(1);
});

test('many keys due at once are purged shard by shard in few transactions', async () => {
  const world = await World.withCompany({ shardCount: 2 });
  const keyIds = Array.from({ length: 60 }, (_, index) => `key-${index}`);
  await world.generate(keyIds.map((keyId) => ({ keyId })));
  for (const keyId of keyIds) valueOf(await deleteDataKey(world.host, { ...PLACE, keyId }));
  world.clock.advance(RESTORE_DAYS * DAY_MS);
  world.tables.writes.length = 0;
  expect(await sweepPurges(world.host)).toBe(60);
  expect(world.tables.writes.filter(({ table }) => table === 'datakeys').length).toBeLessThanOrEqual(6);
  world.expectExactCounts();
  expect([...world.store.dump()].filter(({ partitionKey }) => partitionKey.startsWith('purge|'))).toEqual([]);
});

test('a soft-deleted key is re-protected like the others and unwraps when restored', async () => {
  const { world, generated } = await withKey();
  valueOf(await deleteDataKey(world.host, A));
  await world.rekey('one');
  expect((await world.row('a')).companyKeyVersion).toBe(2);
  valueOf(await restoreDataKey(world.host, A));
  expect(plaintextsOf(await world.unwrap(['a'], world.newHost()))).toEqual(generated);
  world.expectExactCounts();
});

test('a key purged after its shard has turned and before it was moved leaves the counts exact', async () => {
  const { world } = await withKey();
  valueOf(await deleteDataKey(world.host, A));
  world.clock.advance(RESTORE_DAYS * DAY_MS);
  const other = world.newHost({ tables: world.store });
  let purged = 0;
  world.tables.atNext(world.isTurnOf('a')).isFollowedBy(async () => {
    expect(await world.shardFor('a')).toMatchObject({ writeVersion: 2, deleted: 1, at: { 1: 1 } });
    purged = await sweepPurges(other);
    world.expectExactCounts();
  });
  await world.rekey('one');
  expect(purged).toBe(1);
  expect(await world.row('a')).toMatchObject({ state: 'tombstone', companyKeyVersion: 0 });
  world.expectExactCounts();
});

type Step =
  | { readonly kind: 'generate'; readonly keyIds: string[] }
  | { readonly kind: 'delete' | 'restore'; readonly keyId: string }
  | { readonly kind: 'purge' | 'rekey' | 'cancel' | 'work' };

const keyIds = fc.constantFrom('k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8');
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('generate' as const),
      keyIds: fc.uniqueArray(keyIds, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constantFrom('delete' as const, 'restore' as const), keyId: keyIds }),
    fc.record({ kind: fc.constantFrom('purge' as const, 'rekey' as const, 'cancel' as const, 'work' as const) }),
  ),
  { minLength: 5, maxLength: 40 },
);

test('after any sequence of acts, with answers lost at random, counts are exact and every live key unwraps', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.infiniteStream(fc.constantFrom('fine', 'fine', 'fine', 'before', 'after')),
      async (acts, fates) => {
        const world = await World.withCompany({ shardCount: 2 });
        let fate = 'fine';
        const isLost = (write: Write): boolean => {
          fate = isOfDataKeys(write) ? (fates.next().value as string) : 'fine';
          return fate === 'before';
        };
        world.tables.at(isLost).isLost();
        world.tables.at(() => fate === 'after').losesTheAnswer();
        const plaintexts = new Map<string, string>();
        let switches = 0;
        for (const act of acts) {
          if (act.kind === 'generate') {
            const made = await world.generate([...act.keyIds.map((keyId) => ({ keyId })), {}]);
            for (const [keyId, plaintext] of plaintextsOf(made)) plaintexts.set(keyId, plaintext);
          } else if (act.kind === 'delete') await deleteDataKey(world.host, { ...PLACE, keyId: act.keyId });
          else if (act.kind === 'restore') await restoreDataKey(world.host, { ...PLACE, keyId: act.keyId });
          else if (act.kind === 'purge') {
            world.clock.advance(RESTORE_DAYS * DAY_MS);
            await sweepPurges(world.host);
          } else if (act.kind === 'rekey') {
            switches += 1;
            await startRekey(world.host, { ...PLACE, switchId: `s${switches}` }, actorNamed('test'));
            await world.work(() => true);
          } else if (act.kind === 'cancel') {
            await cancelSwitch(world.host, { ...PLACE, switchId: `s${switches}` }, ADMIN);
          } else await world.work();
          world.expectExactCounts();
        }
        const states = new Map<string, string>();
        for (const keyId of plaintexts.keys()) states.set(keyId, (await world.row(keyId)).state);
        const live = [...plaintexts.keys()].filter((keyId) => states.get(keyId) === 'live');
        if (live.length === 0) return;
        const unwrapped = plaintextsOf(await world.unwrap(live, world.newHost()));
        expect(unwrapped).toEqual(new Map(live.map((keyId) => [keyId, plaintexts.get(keyId)])));
      },
    ),
    { numRuns: 60 },
  );
});
