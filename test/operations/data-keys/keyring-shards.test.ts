import { describe, expect, it } from 'vitest';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import { keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { shardOf } from '../../../shared/domain/shard.ts';
import { loadKeyring } from '../../../shared/store/control-state.ts';
import { KeyringShards, shardOfKey } from '../../../shared/operations/data-keys/keyring-shards.ts';
import { COMPANY, KEYRING, PLACE, World } from './world.ts';

const TTL = 1_000;

async function divided(): Promise<{ world: World; shards: KeyringShards }> {
  const world = await World.withCompany({ shardCount: 3 });
  return { world, shards: new KeyringShards({ tables: world.tables, clock: world.clock }, { ttlMs: TTL }) };
}

describe('into how many shards a keyring is divided', () => {
  it('is read once, as long as its time lasts, which begins before it is read', async () => {
    const { world, shards: at } = await divided();
    const read = world.tables.read.bind(world.tables);
    world.tables.read = (...place) => {
      world.clock.advance(400);
      return read(...place);
    };
    expect(await at.find(PLACE)).toEqual({ ok: true, value: { ...PLACE, shardCount: 3 } });
    world.clock.advance(TTL - 401);
    expect(await at.find(PLACE)).toEqual({ ok: true, value: { ...PLACE, shardCount: 3 } });
    world.clock.advance(1);
    expect(await at.find(PLACE)).toEqual({ ok: true, value: { ...PLACE, shardCount: 3 } });
  });

  it('is of one keyring of one company', async () => {
    const { shards: at } = await divided();
    await at.find(PLACE);
    const notFound = (id: string) => ({ ok: false, error: { type: 'not-found', what: 'keyring', id } });
    expect(await at.find({ ...PLACE, companyId: 'other' })).toEqual(notFound(KEYRING));
    expect(await at.find({ ...PLACE, keyringId: 'other' })).toEqual(notFound('other'));
  });

  it('is read by whoever wants it read', async () => {
    const { shards: at } = await divided();
    await at.find(PLACE);
    expect(await at.read(PLACE)).toEqual({ ok: true, value: { ...PLACE, shardCount: 3 } });
  });

  it('is forgotten when the keyring is met in the making', async () => {
    const { world, shards: at } = await divided();
    await at.find(PLACE);
    const { value } = (await loadKeyring(world.store, PLACE))!;
    const cells = keyringCells({ ...value, state: 'creating' });
    world.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), cells);
    const refused = { ok: false, error: { type: 'state', code: 'keyring-not-ready' } };
    expect(await at.read(PLACE)).toMatchObject(refused);
    expect(await at.find(PLACE)).toMatchObject(refused);
  });
});

it('a data key is in the shard of its id', () => {
  const keyring = { ...PLACE, shardCount: 3, more: 1 };
  expect(shardOfKey(keyring, 'key-1')).toEqual({ ...PLACE, shard: shardOf('key-1', 3), shardCount: 3 });
});
