import { describe, expect, it } from 'vitest';
import type { RowStep } from '../../../shared/domain/reprotect-row.ts';
import { quarantineRowKey, shardCells } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { counted, newShard, SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import type { DataKey } from '../../../shared/domain/data-key.ts';
import type { RowWrite, StoredRow, WriteOutcome } from '../../../shared/store/tables.ts';
import { loadShard } from '../../../shared/store/shard-rows.ts';
import { writeRows, type Advanced, type End } from '../../../shared/operations/switches/write-rows.ts';
import { FakeClock, FakeEntropy, FakeLog, FakeTimers } from '../../fakes/fake-system.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const PLACE = { companyId: 'acme', keyringId: 'default', shard: 0 };
const PARTITION = dataKeysPartition(PLACE);
const VERIFYING = { cursor: '', phase: 'verify' } as const;
const toVerify: End = (counted) => ({ ...counted, ...VERIFYING });

const MOVES: RowStep = { change: { companyKeyVersion: 2 } };
const QUARANTINES: RowStep = {
  change: { state: 'quarantined', stateBefore: 'live', quarantineReason: 'does-not-open' },
  quarantined: 'does-not-open',
};
const RELEASES: RowStep = { change: { state: 'live' }, released: true };

const keyId = (index: number): string => `key-${String(index).padStart(3, '0')}`;

type Answer = (write: () => Promise<WriteOutcome>) => Promise<WriteOutcome>;

/** A shard in its first pass with so many rows, and a store whose first transactions are answered as planned. */
class Shelf {
  readonly store = new FakeTables();
  readonly log = new FakeLog();
  readonly transactions: (readonly RowWrite[])[] = [];
  readonly #planned: Answer[] = [];
  readonly #count: number;

  constructor(count: number, change: Partial<Shard> & { readonly state?: 'live' | 'quarantined' } = {}) {
    this.#count = count;
    const { state = 'live', ...others } = change;
    for (let index = 0; index < count; index += 1) {
      this.store.tamper('datakeys', PARTITION, keyId(index), { state, companyKeyVersion: 1 });
    }
    const shard = newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' });
    const rows = { [state]: count, [state === 'live' ? 'at' : 'aside']: { 1: count } };
    this.tamperShard({ ...shard, phase: 'rewrap', ...rows, ...others });
  }

  tamperShard(shard: Shard): void {
    this.store.tamper('datakeys', PARTITION, SHARD_ROW_KEY, shardCells(shard, 'somebody'));
  }

  plan(...answers: readonly Answer[]): void {
    this.#planned.push(...answers);
  }

  async shard(): Promise<Shard> {
    return (await loadShard(this.store, PLACE))!.value;
  }

  async versionOf(index: number): Promise<unknown> {
    return (await this.store.read('datakeys', PARTITION, keyId(index)))?.cells['companyKeyVersion'];
  }

  async listed(index: number): Promise<boolean> {
    return (await this.store.read('datakeys', PARTITION, quarantineRowKey(keyId(index)))) !== undefined;
  }

  async write(decide: (key: DataKey) => RowStep, end: End): Promise<Advanced> {
    const rows: StoredRow[] = [];
    for (let index = 0; index < this.#count; index += 1) {
      rows.push((await this.store.read('datakeys', PARTITION, keyId(index)))!);
    }
    const from = (await loadShard(this.store, PLACE))!;
    const tables = tablesBut(this.store, {
      write: (table, partition, writes) => {
        this.transactions.push(writes);
        const write = (): Promise<WriteOutcome> => this.store.write(table, partition, writes);
        return this.#planned.shift()?.(write) ?? write();
      },
    });
    const deps = {
      tables,
      timers: new FakeTimers(),
      entropy: new FakeEntropy(),
      clock: new FakeClock(),
      log: this.log,
    };
    return writeRows(deps, PLACE, { from, rows, decide, end, writer: 'worker' });
  }
}

const ordinary: Answer = (write) => write();
const lostBefore: Answer = () => Promise.resolve({ outcome: 'unknown' });
const lostAfter: Answer = async (write) => {
  await write();
  return { outcome: 'unknown' };
};

describe('writing what a pass decided', () => {
  it('takes 99 rows a transaction; only with the last of them the pass stands at the end', async () => {
    const shelf = new Shelf(120);
    shelf.plan(ordinary, () => Promise.resolve({ outcome: 'conflict', index: 1, reason: 'changed' }));
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
    expect(shelf.transactions.map((writes) => writes.length)).toEqual([100, 22]);
    expect(await shelf.shard()).toMatchObject({
      cursor: keyId(98),
      phase: 'rewrap',
      at: { 1: 21, 2: 99 },
    });
    expect([await shelf.versionOf(98), await shelf.versionOf(99)]).toEqual([2, 1]);

    const whole = new Shelf(120);
    const advanced = await whole.write(() => MOVES, toVerify);
    expect(advanced?.value).toMatchObject({ ...VERIFYING, at: { 2: 120 } });
    expect(await whole.shard()).toEqual(advanced?.value);
    expect(advanced?.etag).toBe((await whole.store.read('datakeys', PARTITION, SHARD_ROW_KEY))?.etag);
  });

  it('stops at the first transaction that is not to be had', async () => {
    const shelf = new Shelf(120);
    shelf.plan(() => Promise.resolve({ outcome: 'conflict', index: 99, reason: 'changed' }));
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
    expect(shelf.transactions).toHaveLength(1);
    expect(await shelf.versionOf(0)).toBe(1);
  });

  it('counts the entry of a row in the quarantine list as a write of its own, and names the row there', async () => {
    const shelf = new Shelf(50);
    await shelf.write(() => QUARANTINES, toVerify);
    expect(shelf.transactions.map((writes) => writes.length)).toEqual([99, 3]);
    expect(await shelf.listed(49)).toBe(true);
    expect(await shelf.shard()).toMatchObject({ live: 0, quarantined: 50 });
  });

  it('takes a released row off the quarantine list', async () => {
    const shelf = new Shelf(2, { state: 'quarantined' });
    shelf.store.tamper('datakeys', PARTITION, quarantineRowKey(keyId(0)), { format: 1 });
    expect((await shelf.write(() => RELEASES, toVerify))?.value).toMatchObject({ live: 2, quarantined: 0 });
    expect(await shelf.listed(0)).toBe(false);
    expect(shelf.transactions.map((writes) => writes.length)).toEqual([4]);
  });

  it('counts the entry of a row that leaves the list as a write of its own too', async () => {
    const shelf = new Shelf(60, { state: 'quarantined' });
    for (let index = 0; index < 60; index += 1) {
      shelf.store.tamper('datakeys', PARTITION, quarantineRowKey(keyId(index)), { format: 1 });
    }
    await shelf.write(() => RELEASES, toVerify);
    expect(shelf.transactions.map((writes) => writes.length)).toEqual([99, 23]);
  });

  it('moves the shard on alone where no row changes, however many they are', async () => {
    const shelf = new Shelf(120);
    await shelf.write(() => ({}), toVerify);
    expect(shelf.transactions.map((writes) => writes.map(({ rowKey }) => rowKey))).toEqual([[SHARD_ROW_KEY]]);
    expect(await shelf.shard()).toMatchObject(VERIFYING);
  });

  it('counts as checked what the second pass has opened, and nothing in the first', async () => {
    const first = new Shelf(3);
    expect((await first.write(() => MOVES, toVerify))?.value.checked).toBe(0);
    const second = new Shelf(3, { phase: 'verify', checked: 4 });
    expect((await second.write(() => ({}), toVerify))?.value.checked).toBe(7);
  });

  it('of which the answer was lost is known by its writer, and not written twice', async () => {
    const shelf = new Shelf(2);
    shelf.plan(lostAfter);
    expect((await shelf.write(() => MOVES, toVerify))?.value.at).toEqual({ 2: 2 });
    expect(shelf.transactions).toHaveLength(1);
  });

  it('logs a count below none, once, and writes it as it is', async () => {
    const shelf = new Shelf(2, { live: 2, at: { 2: 2 } });
    expect((await shelf.write(() => MOVES, toVerify))?.value.at).toEqual({ 1: -2, 2: 4 });
    const detail = { ...PLACE, counts: '2 live, -2 at version 1, 4 at version 2' };
    expect(shelf.log.entries).toEqual([{ level: 'error', event: 'security.count-below-none', detail }]);
    await shelf.write(() => MOVES, toVerify);
    expect(shelf.log.entries).toHaveLength(1);
  });

  it('leaves a planted entry of the quarantine list be, and quarantines the row', async () => {
    const shelf = new Shelf(1);
    shelf.store.tamper('datakeys', PARTITION, quarantineRowKey(keyId(0)), { planted: true });
    expect((await shelf.write(() => QUARANTINES, toVerify))?.value.quarantined).toBe(1);
    expect((await shelf.store.read('datakeys', PARTITION, quarantineRowKey(keyId(0))))?.cells).toEqual({
      planted: true,
    });
  });
});

describe('a pass that lost the race for its shard', () => {
  /** Somebody else adds a data key in between. */
  const another = (shelf: Shelf, change: Partial<Shard> = {}): Answer => {
    return async (write) => {
      const shard = await shelf.shard();
      const added = { state: 'live', companyKeyVersion: 2, previous: new Uint8Array(0) } as const;
      shelf.tamperShard({ ...counted(shard, [{ after: added }]), ...change });
      return write();
    };
  };

  it('writes again over what a writer of new keys added, and its counts hold both', async () => {
    const shelf = new Shelf(2);
    shelf.plan(another(shelf));
    expect((await shelf.write(() => MOVES, toVerify))?.value).toMatchObject({ live: 3, at: { 2: 3 } });
    expect(shelf.transactions).toHaveLength(2);
  });

  it.each([
    ['another generation', { generation: 1 }],
    ['another phase', { phase: 'done' }],
    ['another cursor', { cursor: keyId(0) }],
    ['another pass over the same rows', { vain: 1 }],
  ] as const)('gives way to %s', async (_, change) => {
    const shelf = new Shelf(2);
    shelf.plan(another(shelf, change));
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
    expect(shelf.transactions).toHaveLength(1);
    expect(await shelf.versionOf(0)).toBe(1);
  });

  it('gives way if the shard is gone', async () => {
    const shelf = new Shelf(1);
    shelf.plan(async (write) => {
      const row = (await shelf.store.read('datakeys', PARTITION, SHARD_ROW_KEY))!;
      await shelf.store.write('datakeys', PARTITION, [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag: row.etag }]);
      return write();
    });
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
  });

  it('writes halves from the third loss on, each standing at its own last row', async () => {
    const shelf = new Shelf(11);
    shelf.plan(...Array.from({ length: 3 }, () => another(shelf)));
    expect((await shelf.write(() => MOVES, toVerify))?.value).toMatchObject({ ...VERIFYING, live: 14, at: { 2: 14 } });
    expect(shelf.transactions.map((writes) => writes.length)).toEqual([12, 12, 12, 7, 6]);
    expect(shelf.transactions[3]?.[0]).toMatchObject({
      cells: { cursor: keyId(5), phase: 'rewrap', at: '{"1":5,"2":9}' },
    });
  });

  it('writes no second half if the first is not to be had', async () => {
    const shelf = new Shelf(11);
    const changed: Answer = () => Promise.resolve({ outcome: 'conflict', index: 1, reason: 'changed' });
    shelf.plan(...Array.from({ length: 3 }, () => another(shelf)), changed);
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
    expect(shelf.transactions).toHaveLength(4);
  });

  it('writes no halves of so few rows, and gives up at the tenth loss', async () => {
    const shelf = new Shelf(8);
    shelf.plan(...Array.from({ length: 10 }, () => lostBefore));
    expect(await shelf.write(() => MOVES, toVerify)).toBeUndefined();
    expect(shelf.transactions.map((writes) => writes.length)).toEqual(Array.from({ length: 10 }, () => 9));
  });
});
