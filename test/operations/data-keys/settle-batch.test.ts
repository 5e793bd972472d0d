// One transaction on a shard, planned and brought to its end: what is refused, what is written, and what losing it costs.
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { err, ok } from '../../../shared/domain/result.ts';
import { shardCells } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { newShard, SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import type { CompanyKeyCache } from '../../../shared/operations/keys/company-key-cache.ts';
import { settleBatch, type BatchWriting } from '../../../shared/operations/data-keys/settle-batch.ts';
import {
  planShard,
  type ChangedRow,
  type NewRow,
  type PendingChange,
  type RowChange,
  type RowOutcome,
} from '../../../shared/operations/data-keys/shard-plan.ts';
import { type Tables, type WriteOutcome } from '../../../shared/store/tables.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import { loadShard, type LoadedShard } from '../../../shared/store/shard-rows.ts';
import { FakeEntropy, FakeLog } from '../../fakes/fake-system.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const PLACE = { companyId: 'acme', keyringId: 'default', shard: 0, shardCount: 2 };
const PARTITION = dataKeysPartition(PLACE);
const shard: Shard = {
  ...newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' }),
  fromVersion: 1,
  live: 3,
  deleted: 1,
  lost: 1,
  at: { 1: 2, 2: 2 },
};
const NO_BLOB = new Uint8Array(0);
const companyKey = createSecretKey(Buffer.alloc(32, 7));

const added = (keyId: string): NewRow => ({
  kind: 'new',
  keyId,
  wrap: (key, version) => ({ version, isRightKey: key === companyKey }),
});
const changed = (keyId: string, etag: string, makesLive = false): ChangedRow => ({
  kind: 'changed',
  keyId,
  etag,
  cells: { state: 'deleted', writtenBy: `by ${keyId}` },
  before: { state: 'live', companyKeyVersion: 2, previous: NO_BLOB },
  after: { state: 'deleted', companyKeyVersion: 1, previous: NO_BLOB },
  makesLive,
});

interface Bench {
  readonly store: FakeTables;
  readonly deps: BatchWriting;
  readonly known: () => Promise<LoadedShard>;
  readonly asked: number[];
  readonly pausesMs: number[];
  readonly outcomes: Record<string, RowOutcome>;
  readonly pending: (...changes: readonly RowChange[]) => PendingChange[];
  /** What writes are answered instead, in order; `commit` lets one through. */
  readonly answers: (WriteOutcome | 'commit' | 'commit, and lose the answer')[];
  writes: number;
  reads: string[];
}

function bench(change: Partial<Shard> = {}, get?: CompanyKeyCache['get']): Bench {
  const store = new FakeTables();
  store.tamper('datakeys', PARTITION, SHARD_ROW_KEY, shardCells({ ...shard, ...change }, 'seed'));
  const made: Bench = {
    store,
    asked: [],
    pausesMs: [],
    outcomes: {},
    answers: [],
    writes: 0,
    reads: [],
    known: async () => (await loadShard(store, PLACE))!,
    pending: (...changes) =>
      changes.map((one) => ({ change: one, settle: (outcome) => void (made.outcomes[one.keyId] = outcome) })),
    deps: {
      tables: tablesBut(store, {
        read: (table, partition, rowKey) => (made.reads.push(rowKey), store.read(table, partition, rowKey)),
        write: (...write) => answer(write),
      }),
      companyKeys: {
        get: (context) => {
          made.asked.push(context.version);
          return get ? get(context) : Promise.resolve(ok(companyKey));
        },
      },
      maxDataKeysPerKeyring: 20,
      entropy: new FakeEntropy(),
      log: new FakeLog(),
      timers: { sleep: (ms) => Promise.resolve(void made.pausesMs.push(ms)), yield: () => Promise.resolve() },
    },
  };
  const answer = async (write: Parameters<Tables['write']>): Promise<WriteOutcome> => {
    made.writes += 1;
    const next = made.answers.shift() ?? 'commit';
    if (typeof next === 'object') return next;
    const written = await store.write(...write);
    return next === 'commit' ? written : { outcome: 'unknown' };
  };
  return made;
}

const LOST: WriteOutcome = { outcome: 'conflict', index: 0, reason: 'changed' };
const UNKNOWN: WriteOutcome = { outcome: 'unknown' };
const shardIn = async (at: Bench): Promise<Shard> => (await at.known()).value;
const refused = (code: string) => ({ outcome: 'refused', refusal: { code } });

async function withRow(at: Bench, keyId: string): Promise<string> {
  at.store.tamper('datakeys', PARTITION, keyId, { state: 'live', writtenBy: 'seed' });
  return (await at.store.read('datakeys', PARTITION, keyId))!.etag;
}

describe('a plan for a shard', () => {
  const planned = async (at: Bench, pending: readonly PendingChange[], fresh = true) =>
    planShard(at.deps, PLACE, { reading: { shard: await at.known(), fresh }, pending, writtenBy: 'me' });

  it('wraps new keys under the shard’s own version, and counts every row exactly', async () => {
    const at = bench();
    const before = await at.known();
    const plan = await planned(at, at.pending(added('a'), changed('b', 'e'), added('c')));
    const next = { ...shard, live: 4, deleted: 2, at: { 1: 3, 2: 3 } };
    expect(plan).toMatchObject({
      change: {
        from: before,
        next,
        writtenBy: 'me',
        rows: [
          { kind: 'insert', rowKey: 'a', cells: { version: 2, isRightKey: true } },
          { kind: 'merge', rowKey: 'b', cells: { state: 'deleted', writtenBy: 'by b' }, etag: 'e' },
          { kind: 'insert', rowKey: 'c', cells: { version: 2, isRightKey: true } },
        ],
      },
    });
    expect([at.asked, at.outcomes]).toEqual([[2], {}]);
  });

  it('asks for no company key where nothing new is written', async () => {
    const at = bench();
    await planned(at, at.pending(changed('b', 'e')));
    expect(at.asked).toEqual([]);
  });

  it.each([
    ['gives the shard its share of the keyring’s room, lost rows included', 15, 2],
    ['rounds the share down', 13, 1],
    ['lets nothing in where there is no room', 10, 0],
  ])('%s', async (_, maxDataKeysPerKeyring, room) => {
    const at = bench();
    const deps = { ...at.deps, maxDataKeysPerKeyring };
    const pending = at.pending(changed('x', 'e'), added('a'), added('b'), added('c'));
    const reading = { shard: await at.known(), fresh: true };
    const plan = await planShard(deps, PLACE, { reading, pending, writtenBy: 'me' });
    expect(plan).toMatchObject({ pending: pending.slice(0, 1 + room) });
    expect(Object.keys(at.outcomes)).toEqual(['a', 'b', 'c'].slice(room));
    const full = Array.from({ length: 3 - room }, () => refused('keyring-full'));
    expect(Object.values(at.outcomes)).toMatchObject(full);
  });

  it('lets only those changes into a closed shard that make no key live, and asks for no company key', async () => {
    const at = bench({ closed: true });
    await planned(at, at.pending(added('new'), changed('restored', 'e', true), changed('deleted', 'e')));
    const closing = refused('company-closing');
    expect(at.outcomes).toMatchObject({ new: closing, restored: closing });
    expect([Object.keys(at.outcomes), at.asked]).toEqual([['new', 'restored'], []]);
  });

  it('lets keys be restored into a shard that is open', async () => {
    const at = bench();
    await planned(at, at.pending(changed('restored', 'e', true)));
    expect(at.outcomes).toEqual({});
  });

  it('refuses new keys, and nothing else, with what the vault says', async () => {
    const denied = failure('access-denied-rbac', {});
    const at = bench({}, () => Promise.resolve(err({ type: 'failure', failure: denied })));
    const pending = at.pending(added('a'), changed('b', 'e'));
    expect(await planned(at, pending)).toMatchObject({
      pending: [pending[1]],
      change: { next: { live: 2, deleted: 2 } },
    });
    const refusal = { type: 'failure', failure: denied };
    expect(at.outcomes).toEqual({ a: { outcome: 'refused', refusal } });
  });

  it('is none where the company key is gone: the shard has turned', async () => {
    const at = bench({}, () => Promise.resolve(err({ type: 'gone' })));
    expect(await planned(at, at.pending(added('a')))).toBe('read-again');
  });

  it('is none where it would refuse by a reading that is left over', async () => {
    const at = bench({ closed: true });
    expect(await planned(at, at.pending(added('a')), false)).toBe('read-again');
    expect(at.outcomes).toEqual({});
  });
});

describe('a batch', () => {
  it('is settled with the ETags of its rows, and answers the shard as it stands then', async () => {
    const at = bench();
    const after = await settleBatch(at.deps, PLACE, at.pending(added('a'), added('b')), undefined);
    expect(after).toEqual(await at.known());
    for (const keyId of ['a', 'b']) {
      const row = await at.store.read('datakeys', PARTITION, keyId);
      expect(at.outcomes[keyId]).toEqual({ outcome: 'written', etag: row?.etag });
    }
    expect([at.writes, at.reads, at.pausesMs]).toEqual([1, [SHARD_ROW_KEY], []]);
  });

  it('does not read a shard that is known', async () => {
    const at = bench();
    await settleBatch(at.deps, PLACE, at.pending(added('a')), await at.known());
    expect([at.reads, (await shardIn(at)).live]).toEqual([[], 4]);
  });

  it('reads it, without a pause, where it has changed since', async () => {
    const at = bench();
    await settleBatch(at.deps, PLACE, at.pending(added('a')), { ...(await at.known()), etag: 'older' });
    expect(at.outcomes).toMatchObject({ a: { outcome: 'written' } });
    expect([at.writes, at.pausesMs]).toEqual([2, []]);
  });

  it('reads it before it refuses anything', async () => {
    const at = bench();
    const known = await at.known();
    const closed = { ...known, value: { ...known.value, closed: true } };
    await settleBatch(at.deps, PLACE, at.pending(added('a')), closed);
    expect(at.outcomes).toMatchObject({ a: { outcome: 'written' } });
    expect(at.pausesMs).toEqual([]);
  });

  it('of which all is refused writes nothing', async () => {
    const at = bench({ closed: true });
    const after = await settleBatch(at.deps, PLACE, at.pending(added('a'), added('b')), undefined);
    expect([after, at.writes]).toEqual([await at.known(), 0]);
    expect(at.outcomes).toMatchObject({ a: refused('company-closing'), b: refused('company-closing') });
  });

  it('for a shard that is not there finds no keyring', async () => {
    const at = bench();
    const { etag } = await at.known();
    await at.store.write('datakeys', PARTITION, [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag }]);
    expect(await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined)).toBeUndefined();
    const refusal = { type: 'not-found', what: 'keyring', id: 'default' };
    expect(at.outcomes).toEqual({ a: { outcome: 'refused', refusal } });
  });

  it('pauses ever longer while others have the shard', async () => {
    const at = bench();
    at.answers.push(LOST, LOST, LOST);
    at.deps.entropy.bytes = (count) => new Uint8Array(count).fill(255);
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect(at.outcomes).toMatchObject({ a: { outcome: 'written' } });
    expect(at.pausesMs).toEqual([10, 20, 40]);
  });

  it('gives up after sixteen losses, with nothing done', async () => {
    const at = bench();
    at.answers.push(...Array.from({ length: 100 }, () => LOST));
    expect(await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined)).toBeUndefined();
    const refusal = { type: 'busy', retryAfterSeconds: 1 };
    expect([at.outcomes, at.writes, await shardIn(at)]).toEqual([{ a: { outcome: 'refused', refusal } }, 16, shard]);
  });

  it('gives up too where the company key is gone again and again', async () => {
    const at = bench({}, () => Promise.resolve(err({ type: 'gone' })));
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect([at.outcomes['a'], at.asked.length, at.writes]).toMatchObject([{ refusal: { type: 'busy' } }, 16, 0]);
  });
});

describe('rows in the way of a batch', () => {
  it('are taken out, and the rest is written without a pause', async () => {
    const at = bench();
    await withRow(at, 'taken');
    await settleBatch(at.deps, PLACE, at.pending(added('a'), added('taken'), added('b')), undefined);
    const written = { outcome: 'written' };
    expect(at.outcomes).toMatchObject({ a: written, taken: { outcome: 'exists' }, b: written });
    expect([at.writes, at.pausesMs, (await shardIn(at)).live]).toEqual([2, [], 5]);
    expect(at.reads.filter((rowKey) => rowKey === SHARD_ROW_KEY)).toHaveLength(1);
  });

  it('are those that somebody changed, or took away; one that is as it was read is written', async () => {
    const at = bench();
    const etag = await withRow(at, 'same');
    await withRow(at, 'changed');
    const pending = at.pending(changed('changed', 'older'), changed('same', etag), changed('gone', 'e'));
    await settleBatch(at.deps, PLACE, pending, undefined);
    expect(at.outcomes).toMatchObject({
      changed: { outcome: 'changed' },
      same: { outcome: 'written' },
      gone: { outcome: 'changed' },
    });
  });

  it('cost no attempt as long as each look takes some out', async () => {
    const at = bench();
    const batch = Array.from({ length: 20 }, (_, index) => added(`key-${index}`));
    const write = at.deps.tables.write.bind(at.deps.tables);
    at.deps.tables.write = async (...args) => {
      await withRow(at, `key-${at.writes}`);
      return write(...args);
    };
    await settleBatch({ ...at.deps, maxDataKeysPerKeyring: 1_000 }, PLACE, at.pending(...batch), undefined);
    expect(Object.values(at.outcomes)).toEqual(batch.map(() => ({ outcome: 'exists' })));
  });

  it('that nobody finds any more count as a loss', async () => {
    const at = bench();
    at.answers.push(
      ...Array.from({ length: 100 }, (): WriteOutcome => ({ outcome: 'conflict', index: 1, reason: 'exists' })),
    );
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect([at.outcomes['a'], at.writes]).toMatchObject([{ refusal: { type: 'busy' } }, 16]);
  });
});

describe('an answer that is lost', () => {
  it('has the same transaction sent again, three times at most', async () => {
    const at = bench();
    at.answers.push(UNKNOWN, UNKNOWN, UNKNOWN);
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect([at.outcomes['a'], at.writes, at.pausesMs]).toMatchObject([{ outcome: 'written' }, 4, []]);
  });

  it('after the write is known by the shard, and the ETags of the rows are not', async () => {
    const at = bench();
    at.answers.push('commit, and lose the answer');
    const after = await settleBatch(at.deps, PLACE, at.pending(added('a'), added('b')), undefined);
    const written = { outcome: 'written', etag: '' };
    expect([after, at.outcomes]).toEqual([undefined, { a: written, b: written }]);
    expect((await shardIn(at)).live).toBe(5);
  });

  it('after the last of them is known by the shard too', async () => {
    const at = bench();
    at.answers.push(UNKNOWN, UNKNOWN, UNKNOWN, 'commit, and lose the answer');
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect([at.outcomes['a'], at.writes]).toEqual([{ outcome: 'written', etag: '' }, 4]);
  });

  it('after which others wrote the shard is known by the rows', async () => {
    const at = bench();
    const etag = await withRow(at, 'mine');
    const write = at.deps.tables.write.bind(at.deps.tables);
    let isFirst = true;
    at.deps.tables.write = async (...args) => {
      const written = await write(...args);
      if (!isFirst) return written;
      isFirst = false;
      at.store.tamper('datakeys', PARTITION, SHARD_ROW_KEY, shardCells(await shardIn(at), 'other'));
      return UNKNOWN;
    };
    await settleBatch(at.deps, PLACE, at.pending(changed('mine', etag), added('a')), undefined);
    const now = (await at.store.read('datakeys', PARTITION, 'mine'))?.etag;
    expect(at.outcomes).toEqual({ mine: { outcome: 'written', etag: now }, a: { outcome: 'exists' } });
    expect(await shardIn(at)).toMatchObject({ live: 3, deleted: 2 });
  });

  it('after which the keyring is gone finds none', async () => {
    const at = bench();
    at.deps.tables.write = async () => {
      const shardRow = await at.store.read('datakeys', PARTITION, SHARD_ROW_KEY);
      const gone = { kind: 'delete', rowKey: SHARD_ROW_KEY, etag: shardRow?.etag ?? '' } as const;
      if (shardRow) await at.store.write('datakeys', PARTITION, [gone]);
      return UNKNOWN;
    };
    await settleBatch(at.deps, PLACE, at.pending(added('a')), undefined);
    expect(at.outcomes).toMatchObject({ a: { outcome: 'refused', refusal: { type: 'not-found' } } });
  });

  it('each time makes the store away, not busy with others', async () => {
    const at = bench();
    at.answers.push(...Array.from({ length: 200 }, () => UNKNOWN));
    await expect(settleBatch(at.deps, PLACE, at.pending(added('a')), undefined)).rejects.toThrow(StoreUnavailable);
    expect(at.outcomes).toEqual({});
    expect(await shardIn(at)).toEqual(shard);
  });
});
