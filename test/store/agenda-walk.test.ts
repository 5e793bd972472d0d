// Slices of a timer's work: none longer than its budget, none forgetting where it stopped, and nobody holding up the others.
import { beforeEach, describe, expect, it } from 'vitest';
import { SLICE_MS, walkAgenda, type Slice, type Walked } from '../../shared/store/agenda-walk.ts';
import { allBuckets, putOnAgenda, type ListedAgendaItem } from '../../shared/store/agenda.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { FakeClock, FakeLog } from '../fakes/fake-system.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { tablesBut } from '../fakes/tables-but.ts';

let store: FakeTables;
let clock: FakeClock;
let log: FakeLog;
beforeEach(() => {
  store = new FakeTables();
  clock = new FakeClock();
  log = new FakeLog();
});

const LOOK_MS = 1_000;

async function put(companyId: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `item-${String(index).padStart(5, '0')}`);
  for (const id of ids) await putOnAgenda(store, { kind: 'outbox', companyId, id });
  return ids.map((id) => `${companyId} ${id}`);
}

/** One slice of an instance of its own, of which every look takes a second. */
async function slice(
  options: Partial<Slice> & {
    readonly tables?: Tables;
    readonly look?: (item: ListedAgendaItem) => Promise<number>;
  } = {},
): Promise<Walked & { readonly seen: string[] }> {
  const { tables = store, look, ...rest } = options;
  const seen: string[] = [];
  const walked = await walkAgenda({ tables, clock, log }, { kind: 'outbox', lanes: 1, ...rest }, async (item) => {
    seen.push(`${item.companyId} ${item.id}`);
    clock.advance(LOOK_MS);
    return look ? look(item) : 1;
  });
  return { ...walked, seen };
}

describe('a slice', () => {
  it('looks at every item of its kind once, if there is time', async () => {
    const all = [...(await put('acme', 7)), ...(await put('globex', 7)), ...(await put('initech', 7))];
    await putOnAgenda(store, { kind: 'head', companyId: 'acme', id: 'head' });
    const { seen, ...walked } = await slice();
    expect(seen.toSorted()).toEqual(all.toSorted());
    expect(walked).toEqual({ looked: 21, sum: 21, whole: true });
  });

  it('begins nothing when its time is over, and the next goes on from there, on whatever instance', async () => {
    const all = await put('acme', 75);
    const seen: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const one = await slice();
      expect(one.looked).toBeLessThanOrEqual(SLICE_MS / LOOK_MS);
      seen.push(...one.seen);
    }
    // The third goes round, and meets again what the first has seen.
    expect(seen.slice(0, 75)).toEqual(all);
    expect(seen.slice(75)).toEqual(all.slice(0, 15));
  });

  it('reaches the one item of a company in two turns, though another has a thousand', async () => {
    await put('acme', 1_000);
    const seen: string[] = [];
    await put('globex', 1);
    const look = (): Promise<number> => Promise.resolve((clock.advance(50 - LOOK_MS), 1));
    for (let turn = 0; turn < 2; turn += 1) seen.push(...(await slice({ look })).seen);
    expect(seen).toContain('globex item-00000');
  });

  it('that is killed in the middle loses no more than ten seconds of the way', async () => {
    await put('acme', 75);
    const killed = (item: ListedAgendaItem): Promise<number> =>
      item.id === 'item-00025' ? new Promise<number>(() => undefined) : Promise.resolve(1);
    void slice({ look: killed });
    while (clock.now().getTime() < Date.parse('2026-01-01T00:00:26.000Z')) await new Promise(setImmediate);
    const { seen } = await slice();
    expect(seen[0]).toBe('acme item-00021');
  });

  it('looks at many items side by side, so that one that never answers holds up no other', async () => {
    const all = await put('acme', 50);
    const seen: string[] = [];
    void walkAgenda({ tables: store, clock, log }, { kind: 'outbox', lanes: 2 }, (item) => {
      seen.push(`acme ${item.id}`);
      return item.id === 'item-00003' ? new Promise<number>(() => undefined) : Promise.resolve(1);
    });
    for (let turns = 0; turns < 200; turns += 1) await new Promise(setImmediate);
    expect(seen).toEqual(all);
  });

  it('goes on behind an item whose look fails, and says so', async () => {
    await put('acme', 3);
    const look = (item: ListedAgendaItem): Promise<number> =>
      item.id === 'item-00001' ? Promise.reject(new Error('sick')) : Promise.resolve(1);
    expect(await slice({ look })).toMatchObject({ looked: 3, sum: 2, whole: true });
    expect(log.events()).toEqual(['agenda.look-failed']);
  });

  it('looks at something, however long the list of items takes', async () => {
    await put('acme', 3);
    const tables = tablesBut(store, { list: (query) => (clock.advance(SLICE_MS), store.list(query)) });
    expect((await slice({ tables })).seen).toEqual(['acme item-00000']);
    expect((await slice({ tables })).seen).toEqual(['acme item-00001']);
  });

  it('goes on behind a bucket that cannot be listed, and then fails', async () => {
    const all = (await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((companyId) => put(companyId, 1)))).flat();
    const broken = allBuckets.find((bucket) => [...store.dump()].some(({ partitionKey }) => partitionKey === bucket));
    const tables = tablesBut(store, {
      list: (query) =>
        query.partitionKey === broken ? Promise.reject(new StoreUnavailable('away')) : store.list(query),
    });
    const seen: string[] = [];
    const look = (item: ListedAgendaItem): Promise<number> =>
      Promise.resolve(seen.push(`${item.companyId} ${item.id}`));
    await expect(walkAgenda({ tables, clock, log }, { kind: 'outbox' }, look)).rejects.toThrow(StoreUnavailable);
    const inBroken = [...store.dump()].filter(({ partitionKey }) => partitionKey === broken).length;
    expect(seen).toHaveLength(all.length - inBroken);
  });

  it.each([
    { bucket: 99, after: 'outbox|acme|x' },
    { bucket: 1, after: 'head|acme|head' },
    { bucket: 'x', after: 3 },
    { bucket: 4, after: 'outbox|~|' },
  ])('whose cursor somebody has changed to %j still looks at everything', async (cells) => {
    const all = await put('acme', 5);
    store.tamper('agenda', 'cursors', 'outbox', cells);
    expect((await slice()).seen).toEqual(all);
  });

  it('that cannot keep its place goes on all the same', async () => {
    await put('acme', 40);
    const tables = tablesBut(store, { write: () => Promise.reject(new StoreUnavailable('away')) });
    expect(await slice({ tables })).toMatchObject({ looked: 30, whole: false });
    expect((await slice({ tables })).seen[0]).toBe('acme item-00000');
  });
});
