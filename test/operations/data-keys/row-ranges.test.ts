import { expect, it } from 'vitest';
import { RowRanges } from '../../../shared/operations/data-keys/row-ranges.ts';
import type { RowPage, Tables } from '../../../shared/store/tables.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';

const PARTITION = 'acme|default|00000';
const idOf = (index: number): string => `key-${String(index).padStart(5, '0')}`;
const ids = (count: number, { from = 0, step = 1 } = {}): string[] =>
  Array.from({ length: count }, (_, index) => idOf(from + index * step));

/** A shard of so many rows; what is asked of it is written down. `page` may answer in the store's place. */
async function shard(
  rows: number,
  page?: (query: Parameters<Tables['list']>[0], answer: RowPage) => RowPage,
): Promise<{ readonly asked: string[]; readonly read: (keyIds: readonly string[]) => Promise<string[]> }> {
  const tables = new FakeTables();
  for (const rowKey of ids(rows))
    await tables.write('datakeys', PARTITION, [{ kind: 'insert', rowKey, cells: { state: 'live' } }]);
  const asked: string[] = [];
  const ranges = new RowRanges({
    read: (table, partitionKey, rowKey) => {
      asked.push(rowKey);
      return tables.read(table, partitionKey, rowKey);
    },
    list: async (query) => {
      asked.push(`${query.from}..${query.to} ${query.limit}`);
      const answer = await tables.list(query);
      return page?.(query, answer) ?? answer;
    },
  });
  const read = async (keyIds: readonly string[]): Promise<string[]> => {
    asked.length = 0;
    return [...(await ranges.read('acme|default', [{ partitionKey: PARTITION, keyIds }])).keys()].sort();
  };
  return { asked, read };
}

it('neighbours are asked for in one request, in whatever order they are named; fewer than four by themselves', async () => {
  const { asked, read } = await shard(50);
  const wanted = ids(20, { from: 10 });
  expect(await read(wanted.toReversed())).toEqual(wanted);
  expect(asked).toEqual([`${idOf(10)}..${idOf(29)} 80`]);
  expect(await read(ids(3))).toEqual(ids(3));
  expect(asked).toEqual(ids(3));
});

it('what a range does not show is asked for by itself: no list says that a key is not there', async () => {
  const hidden = idOf(4);
  const { asked, read } = await shard(10, (_, answer) => ({
    rows: answer.rows.filter(({ rowKey }) => rowKey !== hidden),
  }));
  expect(await read([...ids(8), idOf(77)])).toEqual(ids(8));
  expect(asked.slice(1)).toEqual([hidden, idOf(77)]);
});

it('a page that ends between two keys is gone on from behind its last row', async () => {
  const { asked, read } = await shard(40);
  expect(await read([...ids(4), ...ids(8, { from: 30 })])).toEqual([...ids(4), ...ids(8, { from: 30 })]);
  expect(asked).toEqual([`${idOf(0)}..${idOf(37)} 48`]);
  const pages = await shard(40, (_, { rows }) => ({ rows: rows.slice(0, 5), continuation: 'more' }));
  expect(await pages.read(ids(12))).toEqual(ids(12));
  expect(pages.asked.slice(0, 2)).toEqual([`${idOf(0)}..${idOf(11)} 48`, `${idOf(5)}..${idOf(11)} 28`]);
  expect(pages.asked.slice(2)).toEqual([idOf(10), idOf(11)]);
});

it('an empty page that is not the last ends the ranges of its shard, and nothing is missed', async () => {
  const { asked, read } = await shard(10, () => ({ rows: [], continuation: 'more' }));
  expect(await read(ids(10))).toEqual(ids(10));
  expect(asked.slice(1)).toEqual(ids(10));
});

it('keys that lie scattered are asked for one by one, and a range is tried again after 1, 2, 4 ... 64 calls', async () => {
  const { asked, read } = await shard(1_000);
  const scattered = ids(10, { step: 100 });
  const tried: number[] = [];
  for (let call = 0; call < 200; call += 1) {
    expect(await read(scattered)).toEqual(scattered);
    if (asked[0]?.includes('..')) tried.push(call);
  }
  expect(tried).toEqual([0, 2, 5, 10, 19, 36, 69, 134, 199]);
  expect(asked.length).toBeLessThanOrEqual(scattered.length + 1);
});

it('calls for so few keys that no range is tried end no pause, and are no turn of one', async () => {
  const { asked, read } = await shard(1_000);
  const tried: number[] = [];
  for (let call = 0; call < 100; call += 1) {
    await read(ids(10, { step: 100 }));
    if (asked[0]?.includes('..')) tried.push(call);
    await read(ids(3));
  }
  expect(tried).toEqual([0, 2, 5, 10, 19, 36, 69]);
});

it('one batch of neighbours ends the pause of a keyring', async () => {
  const { asked, read } = await shard(1_000);
  await read(ids(10, { step: 100 }));
  await read(ids(10));
  await read(ids(10));
  expect(asked).toEqual([`${idOf(0)}..${idOf(9)} 40`]);
  await read(ids(10, { step: 100 }));
  expect(asked[0]).toContain('..');
});

it('a store that is away is told as that', async () => {
  const ranges = new RowRanges({
    read: () => Promise.reject(new Error('away')),
    list: () => Promise.reject(new Error('away')),
  });
  await expect(ranges.read('acme|default', [{ partitionKey: PARTITION, keyIds: ids(5) }])).rejects.toThrow('away');
});
