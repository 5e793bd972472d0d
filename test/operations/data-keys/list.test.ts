// The list of a keyring's data keys: pages over shards, and over whatever pages the store makes of them.
import { describe, expect, it } from 'vitest';
import { deleteDataKey } from '../../../shared/operations/data-keys/delete.ts';
import { listDataKeys, type DataKeyPage } from '../../../shared/operations/data-keys/list.ts';
import type { RowPage, Tables } from '../../../shared/store/tables.ts';
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

describe('a list of wrapped keys', () => {
  it.each([
    ['empty, once', (page: RowPage, lists: number) => (lists % 2 === 1 ? { rows: [] } : page)],
    ['after its first row, each time', (page: RowPage) => ({ rows: page.rows.slice(0, 1) })],
  ])('has every key, though the lists of the store end %s', async (_, cut) => {
    const { world, keyIds } = await withKeys(25, 3);
    let lists = 0;
    watched(world, async (query) => cut(await world.store.list(query), (lists += 1)));
    const listed: string[] = [];
    let continuation: string | undefined;
    do {
      const page = await list(world, { wrapped: true, ...(continuation === undefined ? {} : { continuation }) });
      listed.push(...idsOf(page));
      continuation = page.continuation;
    } while (continuation !== undefined);
    expect(listed.sort()).toEqual(keyIds.sort());
  });

  const wrapped = (world: World, continuation?: string): ReturnType<typeof listDataKeys> =>
    listDataKeys(world.host, {
      ...PLACE,
      wrapped: true,
      limit: 4,
      ...(continuation === undefined ? {} : { continuation }),
    });
  const inProgress = { type: 'switch-in-progress', switchId: 's1' };

  it('is refused as long as a switch moves them, and is under one company key before and after', async () => {
    const { world } = await withKeys(12, 2);
    const answers = new Set<string>();
    const look = async (): Promise<void> => {
      const listed = await wrapped(world);
      answers.add(
        listed.ok ? [...new Set(listed.value.value.map((key) => key.companyKeyVersion))].join() : listed.error.type,
      );
      if (!listed.ok) expect(listed.error).toEqual(inProgress);
    };
    world.tables.at(({ table }) => table === 'companies' || table === 'datakeys').comesAfter(look);
    await look();
    await world.rekey('s1');
    await look();
    expect([...answers]).toEqual(['1', 'switch-in-progress', '2']);
  });

  it('is read again where a switch moves them while it is read', async () => {
    const { world } = await withKeys(12, 1);
    const { store } = world;
    let left = 1;
    world.tables.list = async (query) => {
      if (query.table === 'datakeys' && query.limit === 4 && left-- > 0) await world.rekey('s1');
      return store.list(query);
    };
    const { value, continuation = '' } = valueOf(await wrapped(world));
    expect(value.map(({ companyKeyVersion }) => companyKeyVersion)).toEqual([2, 2, 2, 2]);
    expect((await wrapped(world, continuation)).ok).toBe(true);
  });

  it('is not gone on with after a switch: what it began with opens with another export', async () => {
    const { world } = await withKeys(12, 2);
    const first = valueOf(await wrapped(world));
    const second = valueOf(await wrapped(world, first.continuation));
    expect([...first.value, ...second.value].map(({ companyKeyVersion }) => companyKeyVersion)).toEqual(
      Array(8).fill(1),
    );
    await world.rekey('s1');
    const outdated = { type: 'state', code: 'company-key-changed' };
    expect(errorOf(await wrapped(world, second.continuation))).toMatchObject(outdated);
    expect(valueOf(await wrapped(world)).value[0]?.companyKeyVersion).toBe(2);
  });

  it('shows a row that somebody relabelled as it is, and lost and quarantined ones too', async () => {
    const { world } = await withKeys(3, 1);
    await world.tamper('key-0', { companyKeyVersion: 7 });
    await world.tamper('key-1', { state: 'lost', companyKeyVersion: 9 });
    expect(valueOf(await wrapped(world)).value.map(({ companyKeyVersion }) => companyKeyVersion)).toEqual([7, 9, 1]);
  });

  it('has a continuation of its own', async () => {
    const { world } = await withKeys(12, 2);
    const { continuation = '' } = valueOf(await wrapped(world));
    const invalid = { type: 'invalid', target: 'continuation' };
    expect(errorOf(await listDataKeys(world.host, { ...PLACE, continuation }))).toMatchObject(invalid);
    const { continuation: other = '' } = await list(world, { limit: 4 });
    expect(errorOf(await wrapped(world, other))).toMatchObject(invalid);
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
