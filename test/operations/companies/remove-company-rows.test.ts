// What is taken of a company and what is left, page by page and transaction by transaction.
import { beforeEach, describe, expect, it } from 'vitest';
import { readShard } from '../../../shared/store/rows/data-rows.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import type { Removal } from '../../../shared/operations/companies/empty-shard.ts';
import { COMPANY } from '../data-keys/world.ts';
import { PURGE_LIST, RemovalWorld, SHARD } from './removal-world.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const { REMAINS } = RemovalWorld;
const SOFT_DELETED = { state: 'deleted', companyKeyVersion: 1 } as const;
const MIXED = [
  SOFT_DELETED,
  { state: 'deleted', companyKeyVersion: 0 },
  { state: 'lost', companyKeyVersion: 1 },
  { state: 'tombstone', companyKeyVersion: 1 },
  SOFT_DELETED,
] as const;
const OUTBOX = '!outbox|';

let its: RemovalWorld;
beforeEach(async () => {
  its = await RemovalWorld.decided();
});

const many = <T>(count: number, kinds: readonly T[]): T[] =>
  Array.from({ length: count }, (_, index) => kinds[index % kinds.length]!);
const under = (prefix: string): string[] => its.rows().filter((row) => row.startsWith(prefix));

/** The store whose every list begins with pages of these sizes, and goes on as it is asked to. */
function withPages(...sizes: readonly number[]): Tables {
  const { tables } = its.world;
  let page = 0;
  return tablesBut(tables, {
    list: async (query) => {
      page = query.continuation === undefined ? 0 : page + 1;
      const limit = sizes[page] ?? query.limit;
      return limit === 0
        ? { rows: [], continuation: query.continuation ?? query.after ?? '' }
        : tables.list({ ...query, limit });
    },
  });
}

/** Removes it, and answers how many deleted keys the shard counted after each transaction; its counts must be exact each time. */
async function watched(remove: () => Promise<Removal>): Promise<number[]> {
  const deleted: number[] = [];
  its.world.tables
    .at(({ table }) => table === 'datakeys')
    .isFollowedBy(() => {
      const shard = its.world.store.peek('datakeys', SHARD, SHARD_ROW_KEY);
      if (!shard) return;
      its.world.expectExactCounts();
      deleted.push(readShard(shard.cells).deleted);
    });
  expect(await remove()).toBe('removed');
  return deleted;
}

describe('the counts of a shard are exact after each transaction', () => {
  it('that takes deleted, lost and purged keys', async () => {
    await its.plantKeys(many(250, MIXED));
    expect(await watched(() => its.remove())).toEqual([91, 31, 0]);
  });

  it('that takes the first keys of a full page without the shard', async () => {
    await its.plantKeys(many(150, [SOFT_DELETED]));
    expect(await watched(() => its.remove(withPages(1)))).toEqual([51, 0]);
  });

  it('that takes entries of the quarantine list, whatever somebody wrote into them', async () => {
    await its.plantKeys(many(3, [SOFT_DELETED]));
    for (let index = 0; index < 120; index += 1) its.plant('datakeys', SHARD, `!quarantine|${index}`, SOFT_DELETED);
    expect(await watched(() => its.remove())).toEqual([3, 0]);
    expect(its.rows()).toEqual(REMAINS);
  });
});

describe('a company of many rows', () => {
  it.each([
    ['control rows', 'companies', COMPANY],
    ['entries of the purge list', 'agenda', PURGE_LIST],
    ['requests', 'requests', COMPANY],
  ] as const)('goes with all its %s in one call', async (_, table, partitionKey) => {
    its.plantMany(250, table, partitionKey, 'row-');
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });

  it.each([
    ['an empty page', [0]],
    ['several empty pages', [0, 0, 0]],
    ['a page of one row', [1]],
    ['pages of one row, some of them empty', [1, 0, 1, 1, 0]],
  ])('goes with all of them where a list begins with %s', async (_, sizes) => {
    await its.plantKeys(many(150, MIXED));
    its.plantMany(5, 'agenda', PURGE_LIST, 'row-');
    its.plantMany(5, 'requests', COMPANY, 'row-');
    its.plantConnection();
    expect(await its.remove(withPages(...sizes))).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });
});

describe('events on their way', () => {
  it.each([1, 98, 99, 100, 250])('of a shard, %i of them, are left, and every key goes', async (count) => {
    await its.plantKeys(many(120, MIXED));
    its.plantMany(count, 'datakeys', SHARD, OUTBOX);
    expect(await its.remove()).toBe('removed');
    expect(under('datakeys/')).toHaveLength(count);
    expect(under(`datakeys/${SHARD}/${OUTBOX}`)).toHaveLength(count);
  });

  it('of vault health are left, and all the rest of it goes', async () => {
    its.plantMany(120, 'health', COMPANY, OUTBOX);
    its.plantMany(3, 'health', COMPANY, 'connection-');
    expect(await its.remove()).toBe('removed');
    expect(under('health/')).toHaveLength(120);
    expect(under(`health/${COMPANY}/${OUTBOX}`)).toHaveLength(120);
  });

  it('of the company are left, and all the rest of it goes', async () => {
    its.plantMany(120, 'companies', COMPANY, 'outbox|');
    expect(await its.remove()).toBe('removed');
    expect(under(`companies/${COMPANY}/`)).toHaveLength(121);
    expect(under(`companies/${COMPANY}/outbox|`)).toHaveLength(120);
  });
});

describe('a call whose time is up', () => {
  it('takes nothing', async () => {
    await its.plantKeys(many(3, MIXED));
    const before = its.rows();
    expect(await its.remove(undefined, its, 0)).toBe('out-of-time');
    expect(its.rows()).toEqual(before);
  });

  it('takes nothing of a company without shards either', async () => {
    its.plantMany(3, 'requests', COMPANY, 'row-');
    const before = its.rows();
    expect(await its.remove(undefined, { keyrings: [] }, 0)).toBe('out-of-time');
    expect(its.rows()).toEqual(before);
  });

  it.each([
    ['purge list', 'agenda', PURGE_LIST],
    ['requests', 'requests', COMPANY],
    ['vault health', 'health', COMPANY],
  ] as const)('in the middle of the %s says so, and leaves the company to the next', async (_, table, partitionKey) => {
    its.plantMany(250, table, partitionKey, 'row-');
    its.world.tables
      .at((write) => write.table === table && write.partitionKey === partitionKey)
      .comesAfter(() => its.world.clock.advance(3_600_000));
    expect(await its.remove()).toBe('out-of-time');
    expect(under(`${table}/${partitionKey}/row-`)).toHaveLength(150);
    expect(under(`companies/${COMPANY}/${COMPANY_ROW_KEY}`)).toHaveLength(2);
    its.world.tables.recovers();
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });

  it('in the middle of a shard says so, and leaves all else to the next', async () => {
    await its.plantKeys(many(120, MIXED));
    const others = its.rows().filter((row) => !row.startsWith('datakeys/'));
    its.world.tables.at(() => true).comesAfter(() => its.world.clock.advance(3_600_000));
    expect(await its.remove()).toBe('out-of-time');
    its.world.expectExactCounts();
    expect(under('datakeys/')).toHaveLength(22);
    expect(its.rows().filter((row) => !row.startsWith('datakeys/'))).toEqual(others);
    its.world.tables.recovers();
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });
});
