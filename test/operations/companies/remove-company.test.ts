import { beforeEach, describe, expect, it } from 'vitest';
import { CLAIM_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { loadCompany, loadCompanyRow } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { loadShard } from '../../../shared/store/shard-rows.ts';
import { agendaRowKey, putOnAgenda, secretsItemOf, vendorKeyItemOf } from '../../../shared/store/agenda.ts';
import { agendaIn, chainOf, outboxesIn } from '../audit/chain.ts';
import { COMPANY, PLACE } from '../data-keys/world.ts';
import { PURGE_LIST, RemovalWorld, SHARD } from './removal-world.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../../fakes/tables-but.ts';

const { REMAINS } = RemovalWorld;
const SOFT_DELETED = { state: 'deleted', companyKeyVersion: 1 } as const;
let its: RemovalWorld;
beforeEach(async () => {
  its = await RemovalWorld.decided();
});

/** Rows of every kind that a company leaves behind. */
async function withRowsOfEveryKind(): Promise<void> {
  await its.plantKeys([SOFT_DELETED, SOFT_DELETED, SOFT_DELETED]);
  its.plant('agenda', PURGE_LIST, '2026-02-01T00:00:00.000Z|key-0000');
  its.plant('requests', COMPANY, 'a-request');
  its.plant('health', COMPANY, 'main');
  its.plantConnection();
}

describe('a company', () => {
  it('goes, with everything of it, and its end is recorded', async () => {
    await withRowsOfEveryKind();
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
    expect(chainOf(its.world.store).at(-1)).toMatchObject({ action: 'company.deleted', target: 'company' });
  });

  it('leaves the agenda of the vendor’s key, with all of its rows that hold secrets, and no other company does', async () => {
    const { store } = its.world;
    const items = [
      vendorKeyItemOf({ companyId: COMPANY, keyringId: 'gone-before' }),
      secretsItemOf(COMPANY, 'connection|gone-before'),
      secretsItemOf(COMPANY, 'webhook|siem'),
    ];
    const other = secretsItemOf(`${COMPANY}-2`, 'connection|main');
    for (const item of [...items, other]) await putOnAgenda(store, item);
    expect(await its.remove()).toBe('removed');
    expect(agendaIn(store, 'vendor-key')).toEqual([agendaRowKey(other)]);
  });

  it('that is closed has been removed', async () => {
    expect(await its.remove()).toBe('removed');
    expect(await its.remove()).toBe('removed');
    expect(chainOf(its.world.store).filter(({ action }) => action === 'company.deleted')).toHaveLength(1);
  });

  it('keeps a closed row with its name, and since when', async () => {
    await its.remove();
    const { value } = (await loadCompanyRow(its.world.store, COMPANY))!;
    expect(value).toEqual({
      ...its.company,
      state: 'closed',
      closing: undefined,
      closedAt: its.world.clock.now().toISOString(),
    });
    expect(await loadCompany(its.world.store, COMPANY)).toBeUndefined();
  });

  it('keeps its control rows as long as it is not decided', async () => {
    its.companyIsNow({ closing: { decided: false, worker: '', until: '' } });
    const before = its.rows().filter((row) => row.startsWith('companies/'));
    expect(await its.remove()).toBe('lost-race');
    expect(its.rows().filter((row) => row.startsWith('companies/'))).toEqual(before);
  });

  it('goes whatever somebody made of a connection', async () => {
    its.plant('companies', COMPANY, 'connection|forged', { format: 1, host: 'nowhere' });
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });
});

describe('a shard', () => {
  it.each([
    ['is open, with a live key', { closed: false, live: 1 }],
    ['has a live key', { live: 1 }],
    ['has a quarantined key', { quarantined: 1 }],
  ])('that %s is not emptied, and nothing else of its company goes', async (_, change) => {
    await withRowsOfEveryKind();
    await its.shardIsNow(change);
    const before = its.rows();
    expect(await its.remove()).toBe('lost-race');
    expect(its.rows()).toEqual(before);
  });

  it('that was inserted with a new keyring after the company had closed is closed, and goes', async () => {
    await its.plantKeys([SOFT_DELETED]);
    await its.shardIsNow({ closed: false });
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });

  it.each(['live', 'quarantined'] as const)(
    'with a %s key that its counts, which may be older, do not have is left, with everything of its company',
    async (state) => {
      await withRowsOfEveryKind();
      const counts = (await loadShard(its.world.store, { ...PLACE, shard: 0 }))!.value;
      await its.plantKeys([{ state, companyKeyVersion: 1 }, SOFT_DELETED, SOFT_DELETED]);
      await its.shardIsNow(counts);
      const before = its.rows();
      expect(await its.remove()).toBe('later');
      expect(its.rows()).toEqual(before);
      expect(its.world.log.events()).toContain('company.shard-not-emptied');
    },
  );

  it('with a key that can be restored is left, whatever was decided on', async () => {
    await its.plantKeys([SOFT_DELETED]);
    const purgeAfter = new Date(its.world.clock.now().getTime() + 1).toISOString();
    its.plant('datakeys', SHARD, 'key-0000', { format: 1, ...SOFT_DELETED, purgeAfter });
    const before = its.rows();
    expect(await its.remove()).toBe('later');
    expect(its.rows()).toEqual(before);
    its.world.clock.advance(1);
    expect(await its.remove()).toBe('removed');
  });

  it('that has lost its own row keeps its keys, and everything of its company', async () => {
    await withRowsOfEveryKind();
    await its.takeAway('datakeys', SHARD, SHARD_ROW_KEY);
    const before = its.rows();
    expect(await its.remove()).toBe('later');
    expect(its.rows()).toEqual(before);
  });

  it('that has lost its own row keeps its keys also behind a hundred tombstones', async () => {
    await its.plantKeys([
      ...Array.from({ length: 120 }, () => ({ state: 'tombstone', companyKeyVersion: 0 }) as const),
      SOFT_DELETED,
    ]);
    await its.takeAway('datakeys', SHARD, SHARD_ROW_KEY);
    const before = its.rows();
    expect(await its.remove()).toBe('later');
    expect(its.rows()).toEqual(before);
  });

  it('that takes in a key while its rows are looked at keeps all of them', async () => {
    await withRowsOfEveryKind();
    const before = its.rows();
    const tables = its.afterListing('datakeys', () => its.shardIsNow({ live: 1 }));
    expect(await its.remove(tables)).toBe('lost-race');
    expect(its.rows()).toEqual(before);
  });
});

describe('a list that says that there is nothing', () => {
  it.each(['datakeys', 'agenda', 'requests', 'health', 'companies'] as const)(
    'of %s is not believed once: nothing of the company is left',
    async (table) => {
      await withRowsOfEveryKind();
      let isFirst = true;
      const tables = tablesBut(its.world.store, {
        list: (query) => {
          if (query.table !== table || !isFirst) return its.world.store.list(query);
          isFirst = false;
          return Promise.resolve({ rows: [] });
        },
      });
      expect(await its.remove(tables)).toBe('removed');
      expect(its.rows()).toEqual(REMAINS);
    },
  );

  const hiding = (rowKey: string, times: number): Tables => {
    let lists = 0;
    return tablesBut(its.world.store, {
      list: async (query) => {
        const page = await its.world.store.list(query);
        if (!page.rows.some((row) => row.rowKey === rowKey) || (lists += 1) > times) return page;
        return { ...page, rows: page.rows.filter((row) => row.rowKey !== rowKey) };
      },
    });
  };

  it('of data keys is looked into again where the counts have some, and they go', async () => {
    await its.plantKeys([SOFT_DELETED]);
    const tables = hiding('key-0000', 2);
    expect(await its.remove(tables)).toBe('later');
    expect(its.world.log.entries.at(-1)).toMatchObject({
      event: 'company.shard-not-emptied',
      detail: { shard: 0, why: '1 deleted, 1 at version 1' },
    });
    expect(await its.remove(tables)).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });

  it('of data keys is believed at the third visit, whatever the counts have: nobody needs them', async () => {
    await its.plantKeys([SOFT_DELETED]);
    await its.takeAway('datakeys', SHARD, 'key-0000');
    expect([await its.remove(), await its.remove(), await its.remove()]).toEqual(['later', 'later', 'removed']);
    expect(its.rows()).toEqual(REMAINS);
  });

  it.each([1, 150])('of a shard with %i tombstones alone takes the shard, and then they go too', async (count) => {
    await its.plantKeys(Array.from({ length: count }, () => ({ state: 'tombstone', companyKeyVersion: 0 }) as const));
    let lies = 0;
    const tables = tablesBut(its.world.store, {
      list: (query) =>
        query.table === 'datakeys' && (lies += 1) <= 2 ? Promise.resolve({ rows: [] }) : its.world.store.list(query),
    });
    expect(await its.remove(tables)).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });

  it('of control rows leaves none of them, whichever it leaves out', async () => {
    await withRowsOfEveryKind();
    const left = its.rows().find((row) => row.includes('companykey|'))!;
    expect(await its.remove(hiding(left.split('/').at(-1)!, 1))).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
  });
});

describe.each(MISHAPS)('where a write ends as %s', (mishap) => {
  it.each([
    ['of a shard’s rows', 'key-'],
    ['of a shard itself', SHARD_ROW_KEY],
    ['of the purge list', '2026-02-01'],
    ['of requests', 'a-request'],
    ['of vault health', 'main'],
    ['of a claim', CLAIM_ROW_KEY],
    ['of the company’s rows', 'companykey|'],
    ['of the company itself', 'outbox|0'],
  ])('%s, removed is said only of what is gone, and the next call goes on', async (_, prefix) => {
    await withRowsOfEveryKind();
    const first = await its.remove(tablesTripping(its.world.store, prefix, { mishap }));
    const isGone = (await loadCompany(its.world.store, COMPANY)) === undefined;
    if (first === 'removed') expect(isGone).toBe(true);
    expect(await its.remove()).toBe('removed');
    expect(its.rows()).toEqual(REMAINS);
    expect(chainOf(its.world.store).filter(({ action }) => action === 'company.deleted')).toHaveLength(1);
    expect(outboxesIn(its.world.store)).toEqual([]);
  });
});

it.each([
  ['a shard', 'key-'],
  ['a claim', CLAIM_ROW_KEY],
  ['a company’s rows', 'companykey|'],
  ['a company', 'outbox|0'],
])('whoever is outrun at %s says so', async (_, prefix) => {
  await withRowsOfEveryKind();
  expect(await its.remove(tablesTripping(its.world.store, prefix, { mishap: 'outrun' }))).toBe('lost-race');
  expect(await loadCompany(its.world.store, COMPANY)).toBeDefined();
});
