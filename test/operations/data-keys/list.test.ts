// The list of a keyring's data keys: pages over shards, and over whatever pages the store makes of them.
import { describe, expect, it } from 'vitest';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { listDataKeys, type DataKeyPage } from '../../../shared/operations/data-keys/list.ts';
import type { Tables } from '../../../shared/operations/ports.ts';
import { errorOf, PLACE, valueOf, World } from './world.ts';

type Query = Parameters<Tables['list']>[0];
type Asked = Omit<Parameters<typeof listDataKeys>[1], 'companyId' | 'keyringId'>;

const list = async (world: World, asked: Asked = {}): Promise<DataKeyPage> =>
  valueOf(await listDataKeys(world.host, { ...PLACE, ...asked }));
const idsOf = ({ value }: DataKeyPage): string[] => value.map(({ keyId }) => keyId);

async function withKeys(count: number, shardCount: number): Promise<{ world: World; keyIds: string[] }> {
  const world = await World.withCompany({ shardCount });
  const keyIds = Array.from({ length: count }, (_, index) => `key-${index}`);
  if (count > 0) await world.generate(keyIds.map((keyId) => ({ keyId })));
  return { world, keyIds };
}

/** What the store is asked for from now on. */
function watched(world: World, answer: Tables['list'] = world.store.list.bind(world.store)): Query[] {
  const queries: Query[] = [];
  world.tables.list = (query) => {
    queries.push(query);
    return answer(query);
  };
  return queries;
}

describe('a list', () => {
  it('holds every key but tombstones, page by page over all shards', async () => {
    const { world, keyIds } = await withKeys(25, 3);
    await world.tamper('key-3', { state: 'tombstone' });
    valueOf(await deleteDataKey(world.host, { ...PLACE, keyId: 'key-4' }));
    for (const limit of [1, 4, 25, 1_000]) {
      const listed: string[] = [];
      let continuation: string | undefined;
      do {
        const page = await list(world, { limit, ...(continuation === undefined ? {} : { continuation }) });
        expect(page.value.length).toBeLessThanOrEqual(limit);
        listed.push(...idsOf(page));
        continuation = page.continuation;
      } while (continuation !== undefined);
      expect(listed.sort()).toEqual(keyIds.filter((keyId) => keyId !== 'key-3').sort());
    }
  });

  it('asks each shard once, in order, and no other', async () => {
    const { world } = await withKeys(8, 3);
    const queries = watched(world);
    expect(await list(world)).not.toHaveProperty('continuation');
    expect(queries.map(({ partitionKey }) => partitionKey)).toEqual([
      'acme|default|0',
      'acme|default|1',
      'acme|default|2',
    ]);
  });

  it('has what is stored of a key only if asked for', async () => {
    const { world } = await withKeys(1, 2);
    for (const asked of [{}, { wrapped: false }])
      expect((await list(world, asked)).value[0]).not.toHaveProperty('wrapped');
    const [wrapped] = (await list(world, { wrapped: true })).value;
    const { blob } = await world.row('key-0');
    expect(wrapped).toEqual({ ...(await list(world)).value[0], wrapped: blob });
  });

  it('ends a page after 32 queries, and goes on from there', async () => {
    const { world } = await withKeys(0, 40);
    const queries = watched(world);
    const { value, continuation = '' } = await list(world);
    expect([value, queries.length]).toEqual([[], 32]);
    expect(await list(world, { continuation })).toEqual({ value: [] });
    expect(queries.map(({ partitionKey }) => partitionKey)).toEqual(
      Array.from({ length: 40 }, (_, shard) => `acme|default|${shard}`),
    );
  });

  it('goes on behind an empty page of the store with its continuation, and behind any other with its last key', async () => {
    const { world } = await withKeys(2, 1);
    const { store } = world;
    const queries = watched(world, async (query) => {
      if (queries.length === 1) return { rows: [], continuation: 'the first' };
      if (queries.length === 2) return { rows: [], continuation: 'the second' };
      const { continuation: _theirs, ...rest } = query;
      return store.list({ ...rest, limit: 1 });
    });
    expect(idsOf(await list(world))).toEqual(['key-0', 'key-1']);
    expect(queries.map(({ after, continuation }) => [after, continuation])).toEqual([
      ['!~', undefined],
      ['!~', 'the first'],
      ['!~', 'the second'],
      ['key-0', undefined],
    ]);
  });
});

describe('a list is refused', () => {
  const text = (continuation: string) => ({ continuation: Buffer.from(continuation).toString('base64url') });

  it.each<[string, Asked]>([
    ['limit', { limit: 0 }],
    ['limit', { limit: 1_001 }],
    ['limit', { limit: 1.5 }],
    ['continuation', { continuation: 'nonsense' }],
    ['continuation', text('99')],
    ['continuation', text('4')],
    ['continuation', text('0x')],
    ['continuation', text('x0')],
    ['continuation', text('0|!shard')],
    ['continuation', text('0|a|b')],
  ])('for its %s: %o', async (target, asked) => {
    const { world } = await withKeys(1, 4);
    expect(errorOf(await listDataKeys(world.host, { ...PLACE, ...asked }))).toMatchObject({ type: 'invalid', target });
  });

  it('of a keyring that there is not', async () => {
    const { world } = await withKeys(1, 4);
    const listed = await listDataKeys(world.host, { ...PLACE, keyringId: 'none' });
    expect(errorOf(listed)).toEqual({ type: 'not-found', what: 'keyring', id: 'none' });
  });
});
