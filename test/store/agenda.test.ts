// What timers must look at: never less than there is to do, whatever becomes of a write.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  allBuckets,
  noteOnAgenda,
  putOnAgenda,
  renewOnAgenda,
  takeOffAgenda,
  type AgendaItem,
  type AgendaKind,
  type ListedAgendaItem,
} from '../../shared/store/agenda.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { listAgenda } from './agenda-list.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../fakes/tables-but.ts';

const ITEM: AgendaItem = { kind: 'switch', companyId: 'acme', id: 'default|s1' };

const MANY = 20;

let store: FakeTables;
beforeEach(() => {
  store = new FakeTables();
});

async function listed(kind: AgendaKind = 'switch'): Promise<ListedAgendaItem[]> {
  const items = await Promise.all(allBuckets.map((bucket) => listAgenda(store, bucket, kind)));
  return items.flat();
}

async function only(): Promise<ListedAgendaItem> {
  const items = await listed();
  expect(items).toHaveLength(1);
  return items[0]!;
}

/** A store that never tells what became of a write, and how often it was asked. */
function deaf(): { readonly tables: Tables; readonly calls: string[] } {
  const calls: string[] = [];
  const tables = tablesBut(store, {
    read: (...at) => (calls.push('read'), store.read(...at)),
    write: () => (calls.push('write'), Promise.resolve({ outcome: 'unknown' })),
  });
  return { tables, calls };
}

describe('an item', () => {
  it('is found in one bucket, by its kind alone, with all of its id and what is noted on it', async () => {
    await putOnAgenda(store, ITEM, { at: 'now' });
    await putOnAgenda(store, { kind: 'outbox', companyId: 'acme', id: 'e1' });
    expect(await only()).toMatchObject({ ...ITEM, cells: { format: 1, at: 'now' } });
    expect(await listed('outbox')).toMatchObject([{ kind: 'outbox', companyId: 'acme', id: 'e1' }]);
    expect(await listed('purge')).toEqual([]);
  });

  it('of any company is found, and those of a company lie together', async () => {
    const companies = Array.from({ length: 200 }, (_, index) => `company-${index}`);
    for (const companyId of companies)
      for (const id of ['a', 'b']) await putOnAgenda(store, { ...ITEM, companyId, id });
    expect((await listed()).map(({ companyId, id }) => `${companyId}|${id}`).toSorted()).toEqual(
      companies.flatMap((companyId) => [`${companyId}|a`, `${companyId}|b`]).toSorted(),
    );
    const buckets = [...store.dump()].map(({ partitionKey, rowKey }) => `${rowKey.split('|')[1]} ${partitionKey}`);
    expect(new Set(buckets).size).toBe(companies.length);
    expect(new Set([...store.dump()].map(({ partitionKey }) => partitionKey))).toEqual(new Set(allBuckets));
  });

  it.each(['switch|acme', 'switch||s1'])('named %s, which is no name of ours, is left out', async (rowKey) => {
    store.tamper('agenda', '00', rowKey, { format: 1 });
    expect(await listed()).toEqual([]);
  });

  it('is put there once, and what is noted on it stays', async () => {
    await putOnAgenda(store, ITEM, { at: 'first' });
    await putOnAgenda(store, ITEM, { at: 'second' });
    expect((await only()).cells).toMatchObject({ at: 'first' });
  });

  it.each(MISHAPS)('is put there though the write comes out as %s', async (mishap) => {
    await putOnAgenda(tablesTripping(store, 'switch|', { mishap }), ITEM);
    expect(await only()).toMatchObject(ITEM);
  });

  it('that may not be there is said to be so, after three attempts', async () => {
    const { tables, calls } = deaf();
    await expect(putOnAgenda(tables, ITEM)).rejects.toThrow(StoreUnavailable);
    expect(calls).toEqual(['write', 'write', 'write']);
  });
});

describe('an item that is renewed', () => {
  it('is put there if it is not', async () => {
    await renewOnAgenda(store, ITEM);
    expect((await only()).cells).toEqual({ format: 1 });
  });

  it('keeps what is noted on it, and whoever looked at it before cannot take it off', async () => {
    await putOnAgenda(store, ITEM, { at: 'now' });
    const before = await only();
    await renewOnAgenda(store, ITEM);
    const after = await only();
    expect(after.cells).toMatchObject({ at: 'now' });
    expect(after.etag).not.toBe(before.etag);
  });

  it.each(MISHAPS)('is there though the write comes out as %s', async (mishap) => {
    await renewOnAgenda(tablesTripping(store, 'switch|', { mishap }), ITEM);
    expect(await only()).toMatchObject(ITEM);
  });

  it('by many at once is renewed for each of them: nobody is told that the store is away', async () => {
    await putOnAgenda(store, ITEM);
    const before = await only();
    let reading = 0;
    const tables = tablesBut(store, {
      read: async (...read) => {
        const row = await store.read(...read);
        reading += 1;
        // Each writes once all have read.
        while (reading % MANY !== 0) await new Promise((resolve) => setImmediate(resolve));
        return row;
      },
    });
    await Promise.all(Array.from({ length: MANY }, () => renewOnAgenda(tables, ITEM)));
    expect((await only()).etag).not.toBe(before.etag);
    expect(reading).toBe(MANY);
  });

  it('is put there anew where it is taken off while it is renewed', async () => {
    await putOnAgenda(store, ITEM);
    let isFirst = true;
    const tables = tablesBut(store, {
      write: async (...write) => {
        if (isFirst) await takeOffAgenda(store, ITEM);
        isFirst = false;
        return store.write(...write);
      },
    });
    await renewOnAgenda(tables, ITEM);
    expect(await only()).toMatchObject(ITEM);
  });

  it('that may not be there is said to be so, after eight attempts', async () => {
    const { tables, calls } = deaf();
    await expect(renewOnAgenda(tables, ITEM)).rejects.toThrow(StoreUnavailable);
    expect(calls.filter((call) => call === 'write')).toHaveLength(8);
  });
});

describe('an item that is taken off', () => {
  it('is gone', async () => {
    await putOnAgenda(store, ITEM);
    await takeOffAgenda(store, ITEM);
    expect(await listed()).toEqual([]);
  });

  it('stays if it may not go, and that is asked after it was read', async () => {
    await putOnAgenda(store, ITEM);
    const { tables, calls } = deaf();
    const order: string[] = [];
    await takeOffAgenda(tables, ITEM, () => {
      order.push(...calls);
      return Promise.resolve(false);
    });
    expect(order).toEqual(['read']);
    expect(calls).toEqual(['read']);
  });

  it('stays if somebody renews it meanwhile', async () => {
    await putOnAgenda(store, ITEM);
    await takeOffAgenda(store, ITEM, async () => {
      await renewOnAgenda(store, ITEM);
      return true;
    });
    expect(await only()).toMatchObject(ITEM);
  });

  it('is not written to if it is not there', async () => {
    const { tables, calls } = deaf();
    await takeOffAgenda(tables, ITEM);
    expect(calls).toEqual(['read']);
  });
});

describe('a note', () => {
  it('is left on the item that was looked at, and on no newer one', async () => {
    await putOnAgenda(store, ITEM);
    const seen = await only();
    await noteOnAgenda(store, seen, { at: 'first' });
    await noteOnAgenda(store, seen, { at: 'second' });
    expect((await only()).cells).toEqual({ format: 1, at: 'first' });
  });
});
