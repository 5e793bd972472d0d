// Deleting and restoring one data key beside others who write it, and what there is not to be changed.
import { beforeEach, describe, expect, it } from 'vitest';
import { dataKeyCells, shardCells } from '../../../shared/store/rows/data-rows.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { getDataKey } from '../../../shared/operations/data-keys/get.ts';
import { restoreDataKey } from '../../../shared/operations/data-keys/restore.ts';
import { isOfDataKeys } from '../../fakes/faulty-tables.ts';
import { PLACE, valueOf, World } from './world.ts';

const A = { ...PLACE, keyId: 'a' };
let world: World;

beforeEach(async () => {
  world = await World.withCompany();
  await world.generate([{ keyId: 'a' }]);
});

/** Somebody writes the same row again. */
async function touch(): Promise<void> {
  const cells = dataKeyCells({ ...(await world.row('a')), writtenBy: 'other' });
  world.store.tamper('datakeys', world.partitionOf('a'), 'a', cells);
}

/** Done at the first write of a data key: before it, or after it, with its answer or without. */
function once(when: 'before' | 'after' | 'after, and the answer is lost', act: () => Promise<void>): void {
  const first = world.tables.atNext(isOfDataKeys);
  if (when === 'before') first.comesAfter(act);
  else if (when === 'after') first.isFollowedBy(act);
  else first.losesTheAnswer(act);
}

describe.each([
  ['deleting', deleteDataKey, 'deleted'],
  ['restoring', restoreDataKey, 'live'],
] as const)('%s a data key', (name, change, state) => {
  beforeEach(async () => {
    if (name === 'restoring') valueOf(await deleteDataKey(world.host, A));
  });

  it('is done under the row as it is now, where somebody else wrote it first', async () => {
    once('before', touch);
    expect(valueOf(await change(world.host, A)).value.state).toBe(state);
    expect((await world.row('a')).state).toBe(state);
    world.expectExactCounts();
  });

  it('is done once though its answer was lost and somebody else wrote the row and its shard since', async () => {
    once('after, and the answer is lost', async () => {
      await touch();
      const cells = shardCells(await world.shardFor('a'), 'other');
      world.store.tamper('datakeys', world.partitionOf('a'), SHARD_ROW_KEY, cells);
    });
    expect(valueOf(await change(world.host, A)).value.state).toBe(state);
    world.expectExactCounts();
  });

  it('finds no key where it was purged right afterwards', async () => {
    once('after', () => world.tamper('a', { state: 'tombstone' }));
    expect(await change(world.host, A)).toEqual({ ok: false, error: { type: 'not-found', what: 'data-key', id: 'a' } });
  });

  it('is refused by name where the row is another than was named', async () => {
    const error = { type: 'precondition-failed', what: 'data-key', id: 'a' };
    expect(await change(world.host, { ...A, ifMatch: 'W/"other"' })).toEqual({ ok: false, error });
  });

  it('is refused where somebody else wrote the row that was named in between', async () => {
    const { etag } = valueOf(await getDataKey(world.host, A));
    const before = (await world.row('a')).state;
    once('before', touch);
    const error = { type: 'precondition-failed', what: 'data-key', id: 'a' };
    expect(await change(world.host, { ...A, ifMatch: etag })).toEqual({ ok: false, error });
    expect((await world.row('a')).state).toBe(before);
  });

  it('is done under the row that was named though its answer was lost and the row was written since', async () => {
    const { etag } = valueOf(await getDataKey(world.host, A));
    once('after, and the answer is lost', async () => {
      await touch();
      const cells = shardCells(await world.shardFor('a'), 'other');
      world.store.tamper('datakeys', world.partitionOf('a'), SHARD_ROW_KEY, cells);
    });
    expect(valueOf(await change(world.host, { ...A, ifMatch: etag })).value.state).toBe(state);
  });
});

describe.each([
  ['deleting', deleteDataKey],
  ['restoring', restoreDataKey],
  ['looking at', getDataKey],
] as const)('%s', (_, act) => {
  it.each(['none', '!shard', ''])('“%s” finds no such key, and changes nothing', async (keyId) => {
    const before = [...world.store.dump()];
    const error = { type: 'not-found', what: 'data-key', id: keyId };
    expect(await act(world.host, { ...PLACE, keyId })).toEqual({ ok: false, error });
    expect([...world.store.dump()]).toEqual(before);
  });

  it('a key of a keyring that there is not finds no keyring', async () => {
    const error = { type: 'not-found', what: 'keyring', id: 'other' };
    expect(await act(world.host, { ...A, keyringId: 'other' })).toEqual({ ok: false, error });
  });
});

describe('a shard that is closed while its company is being deleted', () => {
  it('lets keys be deleted, and none be restored', async () => {
    const cells = shardCells({ ...(await world.shardFor('a')), closed: true }, 'closer');
    world.store.tamper('datakeys', world.partitionOf('a'), SHARD_ROW_KEY, cells);
    expect(valueOf(await deleteDataKey(world.host, A)).value.state).toBe('deleted');
    const refused = { ok: false, error: { type: 'state', code: 'company-closing' } };
    expect(await restoreDataKey(world.host, A)).toMatchObject(refused);
    expect((await world.row('a')).state).toBe('deleted');
  });
});

describe('a restored key', () => {
  it('says nothing of its deletion any more', async () => {
    valueOf(await deleteDataKey(world.host, A));
    valueOf(await restoreDataKey(world.host, A));
    const row = await world.store.read('datakeys', world.partitionOf('a'), 'a');
    expect(row?.cells).toMatchObject({ state: 'live', deletedAt: '', purgeAfter: '' });
  });

  it('is none whose time is over, or of which nobody knows how long it has', async () => {
    const { value } = valueOf(await deleteDataKey(world.host, A));
    const notFound = { ok: false, error: { type: 'not-found', what: 'data-key', id: 'a' } };
    await world.tamper('a', { purgeAfter: '' });
    expect(await restoreDataKey(world.host, A)).toEqual(notFound);
    await world.tamper('a', { purgeAfter: value.purgeAfter });
    world.clock.advance(Date.parse(value.purgeAfter ?? '') - world.clock.now().getTime());
    expect(await restoreDataKey(world.host, A)).toEqual(notFound);
  });
});
