// All of a company's keyrings: how many there may be, what is listed, and what a keyring counts.
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_KEYRINGS_PER_COMPANY } from '../../../shared/domain/keyring.ts';
import { keyringCells, readKeyring } from '../../../shared/store/rows/keyring-rows.ts';
import { readShard, shardCells } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition, keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import { getKeyring, listKeyrings, putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, errorOf, KEYRING, PLACE, valueOf, World } from '../data-keys/world.ts';

const TOO_MANY = { type: 'invalid', target: 'keyringId', message: 'A company has at most 90 keyrings.' };

let world: World;
beforeEach(async () => {
  world = await World.withCompany();
});

const put = (keyringId: string, host = world.host): ReturnType<typeof putKeyring> =>
  putKeyring(host, { companyId: COMPANY, keyringId }, ADMIN);
const ids = async (): Promise<string[]> =>
  valueOf(await listKeyrings(world.host, { companyId: COMPANY })).map(({ value }) => value.keyringId);

describe('how many keyrings a company has', () => {
  /** All but one of those it may have. */
  const fill = (): void => {
    const keyring = readKeyring(world.store.peek('companies', COMPANY, keyringRowKey(KEYRING))!.cells);
    for (let number = 2; number < MAX_KEYRINGS_PER_COMPANY; number += 1) {
      const keyringId = `filler-${number}`;
      world.store.tamper('companies', COMPANY, keyringRowKey(keyringId), keyringCells({ ...keyring, keyringId }));
    }
  };

  it('has a limit: the last is made, one more is not, and those that are there go on', async () => {
    fill();
    expect(valueOf(await put('last')).created).toBe(true);
    expect(errorOf(await put('one-more'))).toEqual(TOO_MANY);
    expect(await ids()).toHaveLength(MAX_KEYRINGS_PER_COMPANY);
    expect([...world.store.dump()].filter(({ rowKey }) => rowKey.includes('one-more'))).toEqual([]);
    expect(valueOf(await put('last')).created).toBe(false);
  });

  it('is not passed by two who make the last one at once', async () => {
    fill();
    const other = world.newHost({ tables: world.store });
    world.tables
      .atNext(({ writes }) => writes.some(({ rowKey }) => rowKey === keyringRowKey('one-more')))
      .comesAfter(async () => valueOf(await put('last', other)));
    expect(errorOf(await put('one-more'))).toEqual(TOO_MANY);
    expect(await ids()).toHaveLength(MAX_KEYRINGS_PER_COMPANY);
  });

  it('is no question where somebody else made the very one, the last, meanwhile', async () => {
    fill();
    const other = world.newHost({ tables: world.store });
    world.vaults.onCall = async ({ operation }) => {
      if (operation !== 'unwrap') return;
      world.vaults.onCall = undefined;
      valueOf(await put('last', other));
    };
    expect(valueOf(await put('last'))).toMatchObject({ created: false, value: { state: 'ready' } });
  });
});

describe('what a keyring counts', () => {
  const count = (shard: number, change: Partial<Shard>): void => {
    const partition = dataKeysPartition({ ...PLACE, shard });
    const value = readShard(world.store.peek('datakeys', partition, SHARD_ROW_KEY)!.cells);
    world.store.tamper('datakeys', partition, SHARD_ROW_KEY, shardCells({ ...value, ...change }, 'somebody'));
  };

  it('is the sum over its shards', async () => {
    count(0, { live: 1, deleted: 10, quarantined: 100, lost: 1000 });
    count(1, { live: 2, lost: 3000 });
    count(3, { live: 5, deleted: 20, quarantined: 700 });
    expect(valueOf(await getKeyring(world.host, PLACE)).value.counts).toEqual({
      live: 8,
      deleted: 30,
      quarantined: 800,
      lost: 4000,
    });
  });
});

describe('where there is no such', () => {
  const NO_COMPANY = { type: 'not-found', what: 'company', id: 'none' };

  it('company, none of its keyrings is shown, listed or made', async () => {
    const nowhere = { companyId: 'none', keyringId: 'second' };
    expect(errorOf(await getKeyring(world.host, nowhere))).toEqual(NO_COMPANY);
    expect(errorOf(await listKeyrings(world.host, nowhere))).toEqual(NO_COMPANY);
    expect(errorOf(await putKeyring(world.host, nowhere, ADMIN))).toEqual(NO_COMPANY);
    expect([...world.store.dump()].filter(({ partitionKey }) => partitionKey.startsWith('none'))).toEqual([]);
    expect(world.vaults.calls).toEqual([]);
  });

  it('keyring, none is shown', async () => {
    const second = { companyId: COMPANY, keyringId: 'second' };
    expect(errorOf(await getKeyring(world.host, second))).toEqual({ type: 'not-found', what: 'keyring', id: 'second' });
  });
});
