// The index of how companies stand at ten thousand companies: what a call costs, what becomes of damage, and of writers at once.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { STANDINGS } from '../../../shared/domain/company-standing.ts';
import type { CompaniesCounted } from '../../../shared/domain/company-standing.ts';
import type { Keyring } from '../../../shared/domain/keyring.ts';
import { listStandings } from '../../../shared/operations/watch/list-standings.ts';
import { repairStandings } from '../../../shared/operations/watch/repair-standings.ts';
import { companiesListed } from '../../../shared/store/company-index.ts';
import { companyRow } from '../../../shared/store/rows/company-rows.ts';
import { keyringRow } from '../../../shared/store/rows/keyring-rows.ts';
import { foundByRowKey, STANDING_PARTITION, standingCountRowKey } from '../../../shared/store/rows/row-keys.ts';
import { standingRow } from '../../../shared/store/rows/standing-rows.ts';
import { countStandings, recountStandings } from '../../../shared/store/standing-counts.ts';
import { refreshStanding } from '../../../shared/store/standings.ts';
import type { Row } from '../../../shared/store/rows/row.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { TestWorld } from '../../world.ts';

const HOUR_MS = 3_600_000;
const AT = '2026-01-01T00:00:00.000Z';
const idOf = (nth: number): string => `company-${String(nth).padStart(5, '0')}`;

class Fleet extends TestWorld {
  readonly asked: string[] = [];
  readonly host = this.process();

  process(tables: Tables = this.#counted()): ReturnType<typeof this.startHost<typeof POLICY>> {
    return this.startHost(POLICY, { tables });
  }

  #counted(): Tables {
    return tablesBut(this.store, {
      read: (...place) => (this.asked.push('read'), this.store.read(...place)),
      list: (query) => (this.asked.push('list'), this.store.list(query)),
      write: (...what) => (this.asked.push('write'), this.store.write(...what)),
    });
  }

  /** As its rows say it, and not yet in the index. */
  company(companyId: string, state: 'active' | 'closing' = 'active'): void {
    const common = { displayName: `The ${companyId}`, createdAt: AT, defaultKeyring: 'default' };
    this.#put(companyRow, { companyId }, { companyId, state, ...common });
    this.#put(companiesListed.row, { companyId }, undefined);
    const keyring: Keyring = {
      keyringId: 'default',
      state: 'ready',
      shardCount: 1,
      provider: { provider: 'managed' },
      activeVersion: 1,
      highVersion: 1,
      generation: 1,
      rollBacks: 0,
      createdAt: AT,
    };
    this.#put(keyringRow, { companyId, keyringId: 'default' }, keyring);
  }

  #put<P, V, R>(row: Row<P, V, R>, place: P, value: V): void {
    this.store.tamper(row.table, row.partition(place), row.key(place), row.cells(value));
  }

  /** A round of repairs, however many turns it takes. */
  async round(): Promise<void> {
    this.clock.advance(HOUR_MS);
    await repairStandings(this.host);
  }

  /** What a call cost. */
  async cost(call: () => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    this.asked.length = 0;
    await call();
    const count = (kind: string): number => this.asked.filter((one) => one === kind).length;
    return { lists: count('list'), reads: count('read'), writes: count('write') };
  }

  async idsIn(state: (typeof STANDINGS)[number]): Promise<string[]> {
    const page = await listStandings(this.host, { state, limit: 100 });
    if (!page.ok) throw new Error(page.error.type);
    return page.value.value.map(({ companyId }) => companyId);
  }

  index(rowKey: string): boolean {
    return this.store.peek('health', STANDING_PARTITION, rowKey) !== undefined;
  }
}

/** Those that are not none. */
const few = (counts: CompaniesCounted): object => Object.fromEntries(Object.entries(counts).filter(([, many]) => many));

describe('of ten thousand companies', () => {
  const MANY = 10_000;
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = new Fleet();
    for (let nth = 0; nth < MANY; nth += 1) fleet.company(idOf(nth), nth % 1_000 === 7 ? 'closing' : 'active');
    await fleet.round();
  });

  it('a round of repairs makes the index out of nothing', async () => {
    expect(few(await countStandings(fleet.store))).toEqual({ closing: 10, 'vendor-key': MANY - 10 });
    expect(await fleet.idsIn('closing')).toHaveLength(10);
  });

  it('a list costs one page and what it shows, and the counts one page', async () => {
    const list = (filter: object) => fleet.cost(() => listStandings(fleet.host, { limit: 20, ...filter }));
    expect(await list({ state: 'closing' })).toEqual({ lists: 1, reads: 10, writes: 0 });
    expect(await list({ state: 'revoked' })).toEqual({ lists: 1, reads: 0, writes: 0 });
    expect(await list({ q: '09999' })).toEqual({ lists: 1, reads: 1, writes: 0 });
    expect(await list({ code: 'key-disabled' })).toEqual({ lists: 1, reads: 0, writes: 0 });
    expect(await list({})).toEqual({ lists: 1, reads: 20, writes: 0 });
    // The second one says that the first was all.
    expect(await fleet.cost(() => countStandings(fleet.host.tables))).toEqual({ lists: 2, reads: 0, writes: 0 });
  });

  it('an act costs what it costs where there is one company', async () => {
    const alone = new Fleet();
    alone.company(idOf(1));
    await alone.round();
    const act = (one: Fleet) => {
      one.company(idOf(1), 'closing');
      return one.cost(() => refreshStanding(one.host, idOf(1)));
    };
    const cost = await act(alone);
    expect([await act(fleet), cost['writes']]).toEqual([cost, 1]);
    fleet.company(idOf(1));
    await refreshStanding(fleet.host, idOf(1));
  });

  it('a turn without a round looks at no company that stands still', async () => {
    const cost = await fleet.cost(() => repairStandings(fleet.host));
    expect([cost['writes'], cost['lists']! + cost['reads']! < 150]).toEqual([0, true]);
  });
});

describe('damage to the index', () => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = new Fleet();
    for (const id of ['acme', 'globex', 'initech']) fleet.company(id);
    fleet.company('umbrella', 'closing');
    await fleet.round();
  });
  const whole = { closing: 1, 'vendor-key': 3 };
  const store = (): FakeTables => fleet.store;
  const remove = async (rowKey: string): Promise<void> => {
    const { etag } = store().peek('health', STANDING_PARTITION, rowKey)!;
    await store().write('health', STANDING_PARTITION, [{ kind: 'delete', rowKey, etag }]);
  };
  const damage = (rowKey: string, cells: object): void =>
    store().tamper('health', STANDING_PARTITION, rowKey, { format: 1, ...cells });

  it.each<[string, () => void | Promise<void>]>([
    ['an entry that is gone', () => remove(standingRow.key({ companyId: 'acme' }))],
    ['an entry that cannot be read', () => damage(standingRow.key({ companyId: 'acme' }), { state: 'fine' })],
    [
      'an entry that lies',
      () => damage(standingRow.key({ companyId: 'acme' }), { displayName: 'x', state: 'revoked' }),
    ],
    ['a key that is gone', () => remove(foundByRowKey('state', 'vendor-key', 'acme'))],
    ['a word that is gone', () => remove(foundByRowKey('word', 'acme', 'acme'))],
    ['a key that nothing stands behind', () => damage(foundByRowKey('state', 'revoked', 'acme'), {})],
    ['counts that are gone', () => Promise.all(shares().map(remove)).then(() => undefined)],
    ['counts that cannot be read', () => shares().forEach((rowKey) => damage(rowKey, { counts: '{"closing":-1}' }))],
    ['counts that lie', () => shares().forEach((rowKey) => damage(rowKey, { counts: '{"revoked":9}' }))],
  ])('is repaired within the hour: %s', async (_, befalls) => {
    await befalls();
    await fleet.round();
    expect(few(await countStandings(store()))).toEqual(whole);
    expect([await fleet.idsIn('vendor-key'), await fleet.idsIn('revoked')]).toEqual([
      ['acme', 'globex', 'initech'],
      [],
    ]);
    expect(await listStandings(fleet.host, { q: 'acme', limit: 9 })).toMatchObject({
      value: { value: [{ companyId: 'acme', state: 'vendor-key' }] },
    });
  });
  const shares = (): string[] =>
    [...store().dump()].flatMap(({ rowKey }) => (rowKey.startsWith(standingCountRowKey('')) ? [rowKey] : []));

  it('writes nothing where there is none', async () => {
    fleet.clock.advance(HOUR_MS);
    const before = [...store().dump()].filter(({ rowKey }) => rowKey !== 'round');
    await repairStandings(fleet.host);
    expect([...store().dump()].filter(({ rowKey }) => rowKey !== 'round')).toEqual(before);
  });
});

describe('two writers', () => {
  it('of one company leave what its rows say, counted once', async () => {
    const fleet = new Fleet();
    fleet.company('acme');
    await refreshStanding(fleet.host, 'acme');
    let isFirst = true;
    const slow = tablesBut(fleet.store, {
      write: async (table, partitionKey, writes) => {
        // What this one has read is old by now.
        if (isFirst && partitionKey === STANDING_PARTITION) {
          isFirst = false;
          fleet.company('acme');
          await refreshStanding(fleet.host, 'acme');
        }
        return fleet.store.write(table, partitionKey, writes);
      },
    });
    fleet.company('acme', 'closing');
    await Promise.all([refreshStanding(fleet.process(slow), 'acme'), refreshStanding(fleet.host, 'acme')]);
    expect(isFirst).toBe(false);
    expect(few(await countStandings(fleet.store))).toEqual({ 'vendor-key': 1 });
    expect([await fleet.idsIn('vendor-key'), await fleet.idsIn('closing')]).toEqual([['acme'], []]);
    expect(fleet.index(foundByRowKey('state', 'closing', 'acme'))).toBe(false);
  });

  it('of many companies at once lose no count', async () => {
    const fleet = new Fleet();
    const ids = Array.from({ length: 300 }, (_, nth) => idOf(nth));
    for (const id of ids) fleet.company(id);
    const [one, other] = [fleet.process(), fleet.process()];
    await Promise.all(ids.flatMap((id) => [refreshStanding(one, id), refreshStanding(other, id)]));
    expect(few(await countStandings(fleet.store))).toEqual({ 'vendor-key': 300 });
  });

  it('of which one counts anew do not undo each other', async () => {
    const fleet = new Fleet();
    for (const id of ['acme', 'globex']) {
      fleet.company(id);
      await refreshStanding(fleet.host, id);
    }
    // An act moves a company while the entries are walked.
    const walking = tablesBut(fleet.store, {
      list: async (query) => {
        const page = await fleet.store.list(query);
        if (query.after === standingRow.key({ companyId: '' })) {
          fleet.company('acme', 'closing');
          await refreshStanding(fleet.host, 'acme');
        }
        return page;
      },
    });
    await recountStandings({ tables: walking });
    expect(few(await countStandings(fleet.store))).toEqual({ 'vendor-key': 1, closing: 1 });
  });
});
