import { describe, expect, it } from 'vitest';
import { eventOf } from '../../shared/domain/audit.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { appendEvent, type Auditing } from '../../shared/store/append.ts';
import { act, actOnce, change, changeOnce } from '../../shared/store/act.ts';
import { newShard } from '../../shared/domain/shard.ts';
import { at, find } from '../../shared/store/found.ts';
import { companyRow } from '../../shared/store/rows/company-rows.ts';
import { keyringRow } from '../../shared/store/rows/keyring-rows.ts';
import { shardRow } from '../../shared/store/rows/data-rows.ts';
import type { Row } from '../../shared/store/rows/row.ts';
import type { Writes } from '../../shared/store/tx.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { ADMIN } from '../fakes/actors.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { FaultyTables } from '../fakes/faulty-tables.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn } from '../operations/audit/chain.ts';

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);
const LONG_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;

const countRowOf = (table: 'companies' | 'datakeys'): Row<object, number> => ({
  table,
  partition: () => (table === 'companies' ? COMPANY : `${COMPANY}|default|3`),
  key: () => 'count',
  cells: (count) => ({ count }),
  read: (cells) => Number(cells['count']),
});
const countRow = countRowOf('companies');

const ABOUT = { actor: ADMIN, action: 'count.up', companyId: COMPANY, target: 'count' };

/** An act as operations write them: it counts a row up by one, under the ETag read. */
const countUp = (deps: Auditing, row = countRow): Promise<Result<number, Refusal>> =>
  act(deps, ABOUT, async (tx) => {
    const held = await tx.find(row, {});
    const count = (held?.value ?? 0) + 1;
    tx.put(row, {}, held, count);
    tx.detail({ count });
    return ok(count);
  });

const countIn = (store: FakeTables): unknown => store.peek('companies', COMPANY, 'count')?.cells['count'] ?? 0;
const countsIn = (store: FakeTables): unknown[] =>
  chainOf(store)
    .map(({ detail }) => (JSON.parse(detail) as { count: number }).count)
    .sort((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('an act that is recorded', () => {
  it('is in the chain when it is answered: who, what, from where, and what came of it', async () => {
    const { deps, store } = auditRig();
    await countUp(deps);
    expect(chainOf(store)).toMatchObject([
      {
        sequence: 1,
        by: 'admin',
        from: '203.0.113.7',
        requestId: 'call of admin',
        action: 'count.up',
        target: 'count',
        outcome: 'done',
        detail: '{"count":1}',
        previous: '',
      },
    ]);
  });

  it.each(['companies', 'datakeys'] as const)('leaves nothing of its way in %s', async (table) => {
    const { deps, store } = auditRig();
    await countUp(deps, countRowOf(table));
    expect(chainOf(store)).toHaveLength(1);
    expect(outboxesIn(store)).toEqual([]);
    expect(agendaIn(store, 'outbox')).toEqual([]);
  });

  it('leaves neither record nor agenda when it is refused', async () => {
    const { deps, store } = auditRig();
    const refused = err({ type: 'busy', retryAfterSeconds: 1 } as const);
    const answered = await act<never>(deps, ABOUT, (tx) => {
      tx.insert(countRow, {}, 1);
      return Promise.resolve(refused);
    });
    expect(answered).toEqual(refused);
    expect([...store.dump()]).toEqual([]);
  });

  it('leaves neither when it finds nothing to do', async () => {
    const { deps, store } = auditRig();
    expect(await act(deps, ABOUT, () => Promise.resolve(ok('as it is')))).toEqual(ok('as it is'));
    expect([...store.dump()]).toEqual([]);
  });

  it('leaves neither when what it wrote under had changed', async () => {
    const { deps, store } = auditRig();
    const gone = { value: 1, etag: 'another', at: at(countRow, {}) };
    const written = await actOnce(deps, ABOUT, (tx) => void tx.guard(gone));
    expect(written).toEqual(err('lost-race'));
    expect([...store.dump()]).toEqual([]);
  });

  it('is not done while its way to the chain cannot be put on the agenda', async () => {
    const { over, store } = auditRig();
    const away = tablesBut(store, {
      write: (table, ...rest) =>
        table === 'agenda' ? Promise.resolve({ outcome: 'unknown' }) : store.write(table, ...rest),
    });
    await expect(countUp(over(away))).rejects.toThrow(StoreUnavailable);
    expect([...store.dump()]).toEqual([]);
  });

  it('is answered although its chain cannot be written, and the timer appends it', async () => {
    const { deps, over, store, clock } = auditRig();
    const noEvents = tablesBut(store, {
      write: (table, ...rest) => {
        if (table === 'events') throw new StoreUnavailable('planted');
        return store.write(table, ...rest);
      },
    });
    expect(await countUp(over(noEvents))).toEqual(ok(1));
    expect(await sweepOutboxes(deps)).toBe(0);
    clock.advance(LONG_MS);
    expect(await sweepOutboxes(deps)).toBe(1);
    expect(countsIn(store)).toEqual([1]);
    expect(outboxesIn(store)).toEqual([]);
    expect(agendaIn(store, 'outbox')).toEqual([]);
  });

  it('is known to be written when the timer was quicker to its chain than its own process to look again', async () => {
    const { deps, over, store, clock } = auditRig();
    let isLost = false;
    const slow = tablesBut(store, {
      write: async (table, ...rest) => {
        const written = await store.write(table, ...rest);
        if (table !== 'companies' || isLost) return written;
        isLost = true;
        clock.advance(LONG_MS);
        await sweepOutboxes(deps);
        return { outcome: 'unknown' };
      },
    });
    expect(await countUp(over(slow))).toEqual(ok(1));
    expect([countIn(store), countsIn(store)]).toEqual([1, [1]]);
    expect([outboxesIn(store), agendaIn(store, 'outbox')]).toEqual([[], []]);
  });
});

describe('an attempt that is late', () => {
  it('is followed by no second one that can be written too', async () => {
    const { deps, over, store, clock } = auditRig();
    const late = new LateWrites(store);
    expect(await countUp(over(late.tables))).toEqual(ok(1));
    await late.arrive();
    clock.advance(LONG_MS);
    await sweepOutboxes(deps);
    expect([countIn(store), countsIn(store)]).toEqual([1, [1]]);
    expect([outboxesIn(store), agendaIn(store, 'outbox')]).toEqual([[], []]);
  });
});

/** No act's write is answered; one that is on its way arrives right after it was looked for in vain, or at the very end. */
class LateWrites {
  readonly #store: FakeTables;
  #onItsWay: (() => Promise<unknown>) | undefined;

  constructor(store: FakeTables) {
    this.#store = store;
  }

  get tables(): Tables {
    return tablesBut(this.#store, {
      write: (...write) => {
        if (write[0] !== 'companies' || write[2].some(({ kind }) => kind === 'delete')) {
          return this.#store.write(...write);
        }
        this.#onItsWay = () => this.#store.write(...write);
        return Promise.resolve({ outcome: 'unknown' });
      },
      read: async (...place) => {
        const row = await this.#store.read(...place);
        if (place[0] === 'events' && place[2].startsWith('marker|') && !row) await this.arrive();
        return row;
      },
    });
  }

  async arrive(): Promise<void> {
    const arriving = this.#onItsWay;
    this.#onItsWay = undefined;
    await arriving?.();
  }
}

describe('on a store that loses answers', () => {
  it.each(SEEDS)('an act is done once and recorded once (seed %i)', async (seed) => {
    const { over, deps, store, clock } = auditRig();
    const faults = { lostBefore: 0.15, lostAfter: 0.2, unavailable: 0.02 };
    let answered = 0;
    const one = async (index: number): Promise<void> => {
      const tables = new FaultyTables(store, { seed: seed * 100 + index, faults });
      for (let round = 0; round < 3; round += 1) {
        const counted = await countUp(over(tables)).catch(() => undefined);
        if (counted?.ok) answered += 1;
      }
    };
    await Promise.all([1, 2, 3, 4].map(one));
    for (let rounds = 0; rounds < 3; rounds += 1) {
      clock.advance(LONG_MS);
      await sweepOutboxes(deps);
    }
    expect(countsIn(store)).toEqual(upTo(Number(countIn(store))));
    expect(Number(countIn(store))).toBeGreaterThanOrEqual(answered);
    expect(outboxesIn(store)).toEqual([]);
    clock.advance(DAY_MS);
    await sweepOutboxes(deps);
    expect(agendaIn(store, 'outbox')).toEqual([]);
    expect(agendaIn(store, 'head')).toEqual(answered > 0 ? [`head|${COMPANY}|head`] : []);
  });
});

describe('a process that dies', () => {
  it('at any point has its act recorded by the timer if it was done, and not otherwise', async () => {
    const points = await callsOf(countUp);
    expect(points).toBeGreaterThan(6);
    for (let dies = 0; dies < points; dies += 1) {
      for (const after of [false, true]) {
        const { over, deps, store, clock } = auditRig();
        await countUp(over(dyingAt(store, dies, after))).catch(() => undefined);
        clock.advance(LONG_MS);
        await sweepOutboxes(deps);
        expect(countsIn(store), `call ${dies}`).toEqual(upTo(Number(countIn(store))));
        expect(outboxesIn(store)).toEqual([]);
        expect(agendaIn(store, 'head')).toHaveLength(Number(countIn(store)));
        clock.advance(DAY_MS);
        await sweepOutboxes(deps);
        expect(agendaIn(store, 'outbox')).toEqual([]);
      }
    }
  });
});

async function callsOf(act: (deps: Auditing) => Promise<unknown>): Promise<number> {
  const { over, store } = auditRig();
  let calls = 0;
  const counting = dyingAt(store, Infinity, false, () => (calls += 1));
  await act(over(counting));
  return calls;
}

/** Its process dies before or after the effect of one call: nothing that comes later is done. */
function dyingAt(store: FakeTables, at: number, after: boolean, onCall: () => void = () => undefined): Tables {
  let calls = -1;
  const step = async <T>(effect: () => Promise<T>): Promise<T> => {
    calls += 1;
    onCall();
    if (calls > at || (calls === at && !after)) throw new Error('died');
    const done = await effect();
    if (calls === at) throw new Error('died');
    return done;
  };
  return {
    read: (...place) => step(() => store.read(...place)),
    list: (query) => step(() => store.list(query)),
    write: (...write) => step(() => store.write(...write)),
  };
}

describe('many appenders at once', () => {
  it('make one chain without a gap, each event in it once', async () => {
    const { over, deps, store, clock } = auditRig();
    const faults = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
    const acts = upTo(40).map((seed) => countUp(over(new FaultyTables(store, { seed, faults }))));
    const counted = await Promise.all(acts);
    for (let rounds = 0; rounds < 2; rounds += 1) {
      clock.advance(LONG_MS);
      await sweepOutboxes(deps);
    }
    expect(countsIn(store)).toEqual(upTo(counted.filter(({ ok: done }) => done).length));
    expect(outboxesIn(store)).toEqual([]);
  });

  it('append one event once, when it is delivered by many', async () => {
    const { over, store } = auditRig();
    const about = { id: 'e1', at: '2026-01-01T00:00:00.000Z', outcome: 'done' } as const;
    const event = eventOf(ADMIN, { action: 'count.up', companyId: COMPANY, target: 'count' }, about);
    const faults = { lostBefore: 0.1, lostAfter: 0.2, unavailable: 0 };
    await Promise.all(upTo(20).map((seed) => appendEvent(over(new FaultyTables(store, { seed, faults })), event)));
    expect(chainOf(store)).toHaveLength(1);
  });
});

describe('a chain that somebody has tampered with at its end', () => {
  it.each([
    ['whose head was set back', { sequence: 0, hash: '', signedSequence: 0, format: 1 }],
    ['whose head cannot be read', { sequence: 'x' }],
  ])('%s keeps its events where they are, and says so', async (_, head) => {
    const { deps, store, clock, log } = auditRig();
    await countUp(deps);
    store.tamper('events', COMPANY, '!head', head);
    expect(await countUp(deps)).toEqual(ok(2));
    clock.advance(LONG_MS);
    expect(await sweepOutboxes(deps)).toBe(0);
    expect(countsIn(store)).toEqual([1]);
    expect(outboxesIn(store)).toHaveLength(1);
    expect(log.events()).toContain('security.audit-blocked');
  });

  it('records that an event on its way cannot be read any more', async () => {
    const { deps, over, store, clock } = auditRig();
    await countUp(over(dyingAt(store, 3, true))).catch(() => undefined);
    const [rowKey = ''] = outboxesIn(store);
    store.tamper('companies', COMPANY, rowKey, { format: 1 });
    clock.advance(LONG_MS);
    expect(await sweepOutboxes(deps)).toBe(1);
    expect(chainOf(store)).toMatchObject([{ action: 'audit.event-unreadable', outcome: 'detected', by: 'keyswitch' }]);
    expect(outboxesIn(store)).toEqual([]);
  });
});

/** A store whose first write of `companies` has no answer, and is written or not. */
function unanswered(store: FakeTables, { isWritten }: { readonly isWritten: boolean }): Tables {
  let isLost = false;
  return tablesBut(store, {
    write: async (table, ...rest) => {
      if (table !== 'companies' || isLost) return store.write(table, ...rest);
      isLost = true;
      if (isWritten) await store.write(table, ...rest);
      return { outcome: 'unknown' };
    },
  });
}

/** Another counts up just before each of the first `losses` writes of `companies`. */
function outrun(store: FakeTables, losses: number): Tables {
  let left = losses;
  return tablesBut(store, {
    write: async (table, ...rest) => {
      if (table === 'companies' && left > 0) {
        left -= 1;
        const held = await find(store, countRow, {});
        await changeOnce({ tables: store }, (tx) => void tx.put(countRow, {}, held, (held?.value ?? 0) + 10));
      }
      return store.write(table, ...rest);
    },
  });
}

describe('what an act answers', () => {
  it('has the rows as they are written', async () => {
    const { deps, store } = auditRig();
    const made = await act(deps, ABOUT, (tx) =>
      Promise.resolve({ done: tx.insert(countRow, {}, 7), ifLanded: () => err(BUSY) }),
    );
    expect(made).toEqual(ok(await find(store, countRow, {})));
  });

  it('is what it is asked for where the answer to the write was lost, and the write was not', async () => {
    const { over, store } = auditRig();
    const tables = unanswered(store, { isWritten: true });
    let attempts = 0;
    const made = await act(over(tables), ABOUT, (tx) => {
      attempts += 1;
      const inserted = tx.insert(countRow, {}, 7);
      return Promise.resolve({ done: () => inserted().value, ifLanded: () => ok(70) });
    });
    expect([made, attempts, countsOf(store)]).toEqual([ok(70), 1, 1]);
  });

  it('is decided anew where the write was lost too', async () => {
    const { over, store } = auditRig();
    expect(await countUp(over(unanswered(store, { isWritten: false })))).toEqual(ok(1));
    expect([countIn(store), countsIn(store)]).toEqual([1, [1]]);
  });

  it('is no refusal that comes of its own attempt, landed while the next one was reading', async () => {
    const { over, store } = auditRig();
    const late = new LateWrites(store);
    const made = await act<string>(over(late.tables), ABOUT, async (tx) => {
      const held = await tx.find(countRow, {});
      if (held) return err(BUSY);
      tx.insert(countRow, {}, 1);
      return { done: () => 'made', ifLanded: () => ok('landed') };
    });
    expect(made).toEqual(ok('landed'));
  });

  it('is decided on what others wrote first', async () => {
    const { over, store } = auditRig();
    expect(await countUp(over(outrun(store, 3)))).toEqual(ok(31));
    expect(countsIn(store)).toEqual([31]);
  });

  it('is "busy" in the end, and then nothing was done', async () => {
    const { over, store } = auditRig();
    expect(await countUp(over(outrun(store, 50)))).toEqual(err(BUSY));
    expect([countsIn(store), agendaIn(store, 'outbox')]).toEqual([[], []]);
  });

  it('may be told by a race that was lost for certain', async () => {
    const { over, store } = auditRig();
    const lost = await act<string>(over(outrun(store, 1)), ABOUT, (tx) => {
      tx.insert(countRow, {}, 1);
      return Promise.resolve({
        done: () => 'made',
        ifLanded: () => ok('landed'),
        ifConflict: ({ index, reason }) => Promise.resolve(ok(`${index} ${reason}`)),
      });
    });
    expect(lost).toEqual(ok('0 exists'));
  });

  it('is told by no race that was lost to its own attempt, which landed as the next one was written', async () => {
    const { over, store } = auditRig();
    let looks = 0;
    let onItsWay: (() => Promise<unknown>) | undefined;
    const late = tablesBut(store, {
      write: (...write) => {
        if (write[0] !== 'companies' || onItsWay) return store.write(...write);
        onItsWay = () => store.write(...write);
        return Promise.resolve({ outcome: 'unknown' });
      },
      read: async (...place) => {
        const row = await store.read(...place);
        // The second look for it is the last before the next attempt is sent.
        if (place[2].startsWith('marker|') && !row && (looks += 1) === 2) await onItsWay?.();
        return row;
      },
    });
    const made = await act<string>(over(late), ABOUT, (tx) => {
      tx.insert(countRow, {}, 1);
      return Promise.resolve({
        done: () => 'made',
        ifLanded: () => ok('landed'),
        ifConflict: () => Promise.resolve(err(BUSY)),
      });
    });
    expect([made, countsOf(store)]).toEqual([ok('landed'), 1]);
  });

  it('is an exception where it is not known what was done', async () => {
    const { over, store } = auditRig();
    const silent = tablesBut(store, {
      write: (table, ...rest) =>
        table === 'companies' ? Promise.resolve({ outcome: 'unknown' }) : store.write(table, ...rest),
    });
    await expect(countUp(over(silent))).rejects.toThrow(StoreUnavailable);
  });
});

const BUSY: Refusal = { type: 'busy', retryAfterSeconds: 1 };
const countsOf = (store: FakeTables): number => chainOf(store).length;

describe('what an act needs', () => {
  const made = {
    companyId: COMPANY,
    displayName: 'Acme',
    defaultKeyring: 'default',
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  const guarding = (deps: Auditing): Promise<Result<string, Refusal>> =>
    act(deps, ABOUT, async (tx) => {
      tx.guard(await tx.need(companyRow, { companyId: COMPANY }));
      return ok('done');
    });

  it.each([
    [undefined, { type: 'not-found', what: 'company', id: COMPANY }],
    ['closed', { type: 'not-found', what: 'company', id: COMPANY }],
    ['closing', { type: 'state', code: 'company-closing', message: 'The company is being deleted.' }],
  ] as const)('refuses it beside a company that is %s', async (state, refusal) => {
    const { deps, store } = auditRig();
    if (state) await changeOnce({ tables: store }, (tx) => void tx.insert(companyRow, made, { ...made, state }));
    expect(await guarding(deps)).toEqual(err(refusal));
    expect(chainOf(store)).toEqual([]);
  });

  it('is guarded', async () => {
    const { deps, store } = auditRig();
    await changeOnce({ tables: store }, (tx) => void tx.insert(companyRow, made, { ...made, state: 'active' }));
    expect(await guarding(deps)).toEqual(ok('done'));
  });

  it('throws what is no refusal', async () => {
    const { deps } = auditRig();
    await expect(act(deps, ABOUT, () => Promise.reject(new Error('planted')))).rejects.toThrow('planted');
  });
});

describe('a transaction', () => {
  const companyId = COMPANY;
  const shard = { companyId, keyringId: 'default', shard: 0 };

  it('puts what must be looked at on the agenda before it writes, and its event after that', async () => {
    const { over, store } = auditRig();
    const order: string[] = [];
    const telling = tablesBut(store, {
      write: (table, partition, writes) => {
        order.push(`${table}: ${writes.map(({ kind, rowKey }) => `${kind} ${rowKey.split('|')[0] ?? ''}`).join(', ')}`);
        return store.write(table, partition, writes);
      },
    });
    await actOnce(over(telling), ABOUT, (tx) => {
      tx.insert(countRow, {}, 1);
      tx.agenda({ kind: 'purge', companyId, id: 'company' });
    });
    expect(order.slice(0, 3)).toEqual([
      'agenda: insert purge',
      'agenda: insert outbox',
      'companies: insert count, insert outbox',
    ]);
  });

  it.each([
    [
      'rows of two partitions',
      (tx: Writes) => {
        tx.insert(countRow, {}, 1);
        tx.insert(countRowOf('datakeys'), {}, 1);
      },
    ],
    [
      'a shard behind another row',
      (tx: Writes) => {
        tx.insert(shardRow, shard, WRITTEN);
        tx.behindShard(shard, NEXT);
      },
    ],
    ['too many rows of a shard', (tx: Writes) => void tx.behindShard(shard, { ...NEXT, rows: ROWS })],
    ['cells that the row does not have', (tx: Writes) => void tx.merge(HELD, 1, ['counts'])],
    ['nothing', () => undefined],
  ])('of %s is a mistake of its author', async (_, write) => {
    const { deps, store } = auditRig();
    await expect(actOnce(deps, ABOUT, (tx) => (write(tx), undefined))).rejects.toThrow(Error);
    expect([...store.dump()]).toEqual([]);
  });

  it('tells no row as written before it is', async () => {
    const { deps } = auditRig();
    const early = changeOnce(deps, (tx) => {
      tx.insert(countRow, {}, 1)();
    });
    await expect(early).rejects.toThrow('not written yet');
  });

  it('merges the cells that are named, and leaves the others', async () => {
    const { deps, store } = auditRig();
    const keyring = { companyId, keyringId: 'default' };
    const value = {
      keyringId: 'default',
      state: 'ready',
      shardCount: 1,
      provider: { provider: 'managed' },
      activeVersion: 1,
      highVersion: 1,
      generation: 0,
      rollBacks: 0,
      createdAt: '2026-01-01T00:00:00.000Z',
    } as const;
    const made = await changeOnce(deps, (tx) => tx.insert(keyringRow, keyring, value));
    if (!made.ok) throw new Error(made.error);
    const next = { ...value, generation: 7, rollBacks: 9 };
    await changeOnce(deps, (tx) => void tx.merge(made.value, next, ['generation']));
    expect((await find(store, keyringRow, keyring))?.value).toEqual({ ...value, generation: 7 });
  });

  it('writes a shard under its ETag, and rows behind it', async () => {
    const { deps, store } = auditRig();
    const made = await changeOnce(deps, (tx) => tx.insert(shardRow, shard, WRITTEN));
    if (!made.ok) throw new Error(made.error);
    const row = { kind: 'insert', rowKey: 'a', cells: { state: 'live' } } as const;
    const written = await actOnce(deps, ABOUT, (tx) =>
      tx.behindShard(shard, { from: made.value, next: { ...SHARD, live: 1 }, writtenBy: 'w2', rows: [row] }),
    );
    const now = await find(store, shardRow, shard);
    expect(now?.value).toEqual({ shard: { ...SHARD, live: 1 }, writtenBy: 'w2' });
    expect(written).toMatchObject(ok({ value: now?.value.shard, etag: now?.etag }));
    const late = await changeOnce(deps, (tx) => void tx.behindShard(shard, { ...NEXT, from: made.value }));
    expect(late).toEqual(err('lost-race'));
  });
});

const SHARD = newShard({ writeVersion: 1, now: '2026-01-01T00:00:00.000Z' });
const WRITTEN = { shard: SHARD, writtenBy: 'w1' };
const NEXT = { from: { etag: 'e' }, next: SHARD, writtenBy: 'w' };
const ROWS = Array.from({ length: 100 }, (_, index) => ({ kind: 'insert', rowKey: String(index), cells: {} }) as const);
const HELD = { value: 1, etag: 'e', at: at(countRow, {}) };

describe('a change', () => {
  const countOn = (deps: Auditing): Promise<Result<number, Refusal>> =>
    change(deps, async (tx) => {
      const held = await tx.find(countRow, {});
      const written = tx.put(countRow, {}, held, (held?.value ?? 0) + 1);
      return { done: () => written().value };
    });

  it('is decided again while others win, and has no event', async () => {
    const { over, store } = auditRig();
    expect(await countOn(over(outrun(store, 2)))).toEqual(ok(21));
    expect([countIn(store), chainOf(store), agendaIn(store, 'outbox')]).toEqual([21, [], []]);
  });

  it('is decided again after a lost answer: its rows say what came of it', async () => {
    const { over, store } = auditRig();
    expect(await countOn(over(unanswered(store, { isWritten: true })))).toEqual(ok(2));
    expect(countIn(store)).toBe(2);
  });

  it('writes nothing where it is refused', async () => {
    const { deps, store } = auditRig();
    const refused = await change(deps, async (tx) => {
      tx.insert(countRow, {}, 1);
      await tx.need(companyRow, { companyId: COMPANY });
      return ok(undefined);
    });
    expect([refused.ok, [...store.dump()]]).toEqual([false, []]);
  });

  it('that is tried once says whether it was written', async () => {
    const { deps, over, store } = auditRig();
    const insert = (tx: Writes): undefined => void tx.insert(countRow, {}, 1);
    expect(await changeOnce(over(unanswered(store, { isWritten: false })), insert)).toEqual(err('no-answer'));
    expect(await changeOnce(deps, insert)).toEqual(ok(undefined));
    expect(await changeOnce(deps, insert)).toEqual(err('lost-race'));
    expect(await changeOnce(deps, () => undefined)).toEqual(ok(undefined));
  });

  it('can leave out the event of an act that changes nothing worth it', async () => {
    const { deps, store } = auditRig();
    const done = await act(deps, ABOUT, (tx) => {
      tx.insert(countRow, {}, 1);
      tx.withoutEvent();
      return Promise.resolve(ok('noted'));
    });
    expect([done, countIn(store), chainOf(store)]).toEqual([ok('noted'), 1, []]);
  });
});
