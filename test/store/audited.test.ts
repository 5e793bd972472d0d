import { describe, expect, it } from 'vitest';
import { eventOf } from '../../shared/domain/audit.ts';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { appendEvent, type Auditing } from '../../shared/store/append.ts';
import { audited, type ActRecord } from '../../shared/store/audited.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { type Tables } from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { settleRaces } from '../../shared/store/races.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { ADMIN } from '../fakes/actors.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';
import { FaultyTables } from '../fakes/faulty-tables.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { agendaIn, auditRig, chainOf, COMPANY, outboxesIn } from '../operations/audit/chain.ts';

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1);
const LONG_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** An act as operations write them: it counts a row up by one, under the ETag read. */
function countUp(
  deps: Auditing,
  table: 'companies' | 'datakeys' = 'companies',
  asks: 'before' | 'after' = 'after',
): Promise<Result<number, Refusal>> {
  const partition = table === 'companies' ? COMPANY : `${COMPANY}|default|3`;
  const act = { action: 'count.up', companyId: COMPANY, target: 'count' };
  return audited(deps, ADMIN, act, (record) =>
    settleRaces(deps, () => tryCount(deps, record, { table, partition, asks })),
  );
}

async function tryCount(
  deps: Auditing,
  record: ActRecord,
  where: {
    readonly table: 'companies' | 'datakeys';
    readonly partition: string;
    readonly asks: 'before' | 'after';
  },
): Promise<Result<number, Refusal> | 'lost-race'> {
  const { table, partition, asks } = where;
  const asked = asks === 'before' && (await record.landed());
  const row = await deps.tables.read(table, partition, 'count');
  const count = Number(row?.cells['count'] ?? 0);
  if (asked || (asks === 'after' && (await record.landed()))) return ok(count);
  const cells = { count: count + 1 };
  const write = row
    ? ({ kind: 'replace', rowKey: 'count', cells, etag: row.etag } as const)
    : ({ kind: 'insert', rowKey: 'count', cells } as const);
  const written = await record.write(table, partition, [write], { count: count + 1 });
  return written.outcome === 'committed' ? ok(count + 1) : 'lost-race';
}

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
    await countUp(deps, table);
    expect(chainOf(store)).toHaveLength(1);
    expect(outboxesIn(store)).toEqual([]);
    expect(agendaIn(store, 'outbox')).toEqual([]);
  });

  it('leaves neither record nor agenda when it is refused before it writes', async () => {
    const { deps, store } = auditRig();
    const refused = err({ type: 'busy', retryAfterSeconds: 1 } as const);
    const act = { action: 'count.up', companyId: COMPANY, target: 'count' };
    expect(await audited(deps, ADMIN, act, () => Promise.resolve(refused))).toBe(refused);
    expect([...store.dump()]).toEqual([]);
  });

  it('leaves neither when what it wrote under had changed', async () => {
    const { deps, store } = auditRig();
    const act = { action: 'count.up', companyId: COMPANY, target: 'count' };
    await audited(deps, ADMIN, act, (record) =>
      record.write('companies', COMPANY, [{ kind: 'merge', rowKey: 'count', cells: {}, etag: 'another' }]),
    );
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
  it.each(['before', 'after'] as const)(
    'is followed by no second one that can be written too, when the act asks for it %s it reads',
    async (asks) => {
      const { deps, over, store, clock } = auditRig();
      const late = new LateWrites(store);
      expect(await countUp(over(late.tables), 'companies', asks)).toEqual(ok(1));
      await late.arrive();
      clock.advance(LONG_MS);
      await sweepOutboxes(deps);
      expect([countIn(store), countsIn(store)]).toEqual([1, [1]]);
      expect([outboxesIn(store), agendaIn(store, 'outbox')]).toEqual([[], []]);
    },
  );
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
