// Exact counts decide: a pass that has not seen every row does not end, and no switch does whose shards count anything but all rows at the
// version that stays. What the store leaves out of a list costs time, never a key.
import { describe, expect, it } from 'vitest';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, type Shard } from '../../../shared/domain/shard.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/store/control-state.ts';
import type { RowPage, Tables } from '../../../shared/store/tables.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { commit } from '../../../shared/operations/switches/commit.ts';
import { recount, type RecountedShard } from '../../../shared/operations/switches/recount.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const PLACE = place('s1');
const KEY = 'key-000003';
const detailOf = ({ detail }: { readonly detail?: unknown }): Record<string, unknown> =>
  JSON.parse(String(detail)) as Record<string, unknown>;
const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, PLACE))!.value;
const versionsKept = async (rig: Rig): Promise<boolean[]> =>
  Promise.all(
    [1, 2].map(async (version) => {
      const context = { companyId: COMPANY, keyringId: KEYRING, version };
      return (await loadCompanyKeyRow(rig.store, context)) !== undefined;
    }),
  );

/** A store that answers the lists of shard 1 empty, and last, as often as `isEmpty` says. */
const lyingTables = (tables: Tables, isEmpty: (lists: number) => boolean): Tables => {
  let lists = 0;
  return tablesBut(tables, {
    list: (query) => {
      const lies = query.table === 'datakeys' && query.partitionKey.endsWith('|1') && isEmpty((lists += 1));
      return lies ? Promise.resolve({ rows: [] }) : tables.list(query);
    },
  });
};

async function switchedBy(isEmpty: (lists: number) => boolean): Promise<Rig> {
  const rig = await Rig.withDataKeys(20, { wrapTables: (tables) => lyingTables(tables, isEmpty) });
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await rig.drain();
  return rig;
}

describe('an empty answer to a list', () => {
  it.each([
    ['the first pass', 1],
    ['the second', 2],
  ])('in %s is not believed: the pass goes again, and every key is moved', async (_, lie) => {
    const rig = await switchedBy((lists) => lists === lie);
    expect((await switchOf(rig)).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(20);
    expect((await rig.shards())[1]).toMatchObject({ vain: 1, phase: 'done', uncompared: 0 });
    const detail = { companyId: COMPANY, keyringId: KEYRING, shard: 1, vain: 1 };
    expect(rig.log.entries).toContainEqual({ level: 'error', event: 'shard.pass-in-vain', detail });
  });

  it.each([
    ['in the first pass', [1, 2], 1, 0],
    ['in either pass', [1, 3], 2, 4],
    ['in the second pass', [2, 3], 2, 4],
  ])('twice %s blocks the switch with the numbers, and no company key goes', async (_, lies, version, uncompared) => {
    const rig = await switchedBy((lists) => lies.includes(lists));
    const { state, blocked } = await switchOf(rig);
    expect(state).toBe('re-protecting');
    expect(blocked).toMatchObject({ reason: 'counts-differ', failure: { code: 'counts-differ' } });
    const counts = `4 live${uncompared > 0 ? ', 4 uncompared' : ''}, 4 at version ${version}`;
    expect(JSON.stringify(blocked)).toContain(`moved forward from 1 to 2, has ${counts}`);
    expect((await rig.shards())[1]).toMatchObject({ at: { [version]: 4 }, uncompared, vain: 2 });
    expect(await versionsKept(rig)).toEqual([true, true]);
    expect(await rig.openByCaller()).toBe(20);
    const last = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'switch.blocked');
    expect(last.map(detailOf).map(({ reason }) => reason)).toEqual(['counts-differ']);

    await retrySwitch(rig.deps, PLACE, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(20);
  });

  it('on the way back is not believed either', async () => {
    let lies = false;
    const rig = await switchedBy(() => false);
    expect((await switchOf(rig)).state).toBe('completed');
    rig.deps = rig.freshHost(lyingTables(rig.store, () => lies));
    const second = place('s2');
    await startSwitch(rig.deps, { ...second, target: { provider: 'managed' } }, ADMIN);
    const half = async (): Promise<boolean> =>
      (await rig.shards()).every(({ phase, generation }) => generation === 2 && phase === 'done');
    await rig.drain({ enough: half });
    expect((await loadSwitch(rig.store, second))!.value.state).toBe('completed');
    lies = true;
    const third = place('s3');
    await startSwitch(rig.deps, { ...third, target: CONTOSO }, ADMIN);
    await rig.drain();
    expect((await loadSwitch(rig.store, third))!.value.blocked).toMatchObject({ reason: 'counts-differ' });
    await cancelSwitch(rig.deps, third, ADMIN);
    await rig.drain();
    // Nothing of that shard was moved, so there is nothing to move back, and the counts say so.
    expect((await loadSwitch(rig.store, third))!.value.state).toBe('cancelled');
    expect(await rig.openByCaller()).toBe(20);
  });
});

describe('the end of a switch', () => {
  /** Every shard is done, and the message that would end it is lost. */
  async function allDone(): Promise<Rig> {
    const rig = await Rig.withDataKeys(20);
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
    rig.queue.clear();
    await rig.pass('s1', 0, 1, 2, 3);
    return rig;
  }

  it('comes where nothing is wrong', async () => {
    expect(await commit((await allDone()).deps, PLACE)).toEqual({ type: 'done' });
  });

  it.each([
    ['another generation', { generation: 0 }],
    ['another direction', { direction: 'back' }],
    ['another version that it is moved from', { fromVersion: 0 }],
    ['another version that is written', { writeVersion: 3 }],
    ['another phase', { phase: 'verify' }],
  ] as const)('does not come where a shard is done in %s', async (_, change: Partial<Shard>) => {
    const rig = await allDone();
    await rig.tamperShard(2, change);
    expect(await commit(rig.deps, PLACE)).toEqual({ type: 'fan-out', shards: [2] });
    expect(await versionsKept(rig)).toEqual([true, true]);
  });

  it.each([
    ['a row elsewhere', { at: { 1: 1, 2: 2 } }],
    ['more rows than there are', { at: { 2: 9 } }],
    ['fewer than none elsewhere', { at: { 1: -1, 2: 9 } }],
    ['a row that nobody compared', { uncompared: 1 }],
    ['fewer lost rows than none', { lost: -1 }],
    ['quarantined rows that are none in sum', { aside: { 1: 1, 2: -1 } }],
  ] as const)('does not come where a shard counts %s: it is blocked, with the numbers', async (_, change) => {
    const rig = await allDone();
    await rig.tamperShard(2, change);
    expect(await commit(rig.deps, PLACE)).toMatchObject({
      type: 'blocked',
      failure: { code: 'counts-differ', kind: 'integrity', owner: 'vendor' },
    });
    expect(await versionsKept(rig)).toEqual([true, true]);
  });

  it('waits for a row in quarantine at whichever version', async () => {
    const rig = await allDone();
    await rig.tamperShard(2, { quarantined: 1, aside: { 7: 1 } });
    expect(await commit(rig.deps, PLACE)).toEqual({ type: 'wait', for: 'decision' });
  });

  it('does not come of a shard that was turned by no switch that there is: a worker says so', async () => {
    const rig = await allDone();
    await rig.tamperShard(2, { direction: 'back', fromVersion: 2, writeVersion: 1 });
    await retrySwitch(rig.deps, PLACE, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).blocked).toMatchObject({ reason: 'counts-differ' });
    // Every shard is turned once more, under a generation that is new to all.
    expect((await recount(rig.deps, PLACE, ADMIN)).ok).toBe(true);
    await rig.drain();
    expect(await switchOf(rig)).toMatchObject({ state: 'completed', generation: 2 });
    expect(await rig.openByCaller()).toBe(20);
  });
});

describe('recounting', () => {
  const outcomes = (counted: Result<RecountedShard[], unknown>): unknown =>
    counted.ok && counted.value.map(({ shard, outcome, missing }) => [shard, outcome, missing]);

  /** Row KEY is not where its shard counts it; the switch waits. */
  async function relabelled(): Promise<Rig> {
    const rig = await Rig.withDataKeys(20);
    await rig.tamperDataKey(KEY, { companyKeyVersion: 7 });
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).blocked?.reason).toBe('counts-differ');
    return rig;
  }

  it('counts what is there, and the switch goes on by itself', async () => {
    const rig = await relabelled();
    const counted = await recount(rig.deps, PLACE, ADMIN);
    expect(outcomes(counted)).toEqual([[rig.shardOf(KEY), 'recounted', 0]]);
    await rig.drain();
    expect((await switchOf(rig)).blocked).toBeUndefined();
    expect((await rig.shards())[rig.shardOf(KEY)]).toMatchObject({ quarantined: 1, aside: { 7: 1 }, vain: 0 });
    const [act] = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keyring.shard-recounted');
    expect(act).toMatchObject({ by: ADMIN.by, target: 'keyring|default' });
    expect(detailOf(act!)).toMatchObject({ shard: rig.shardOf(KEY), missing: 0 });
  });

  it('has nothing to count where the counts can be right', async () => {
    const rig = await Rig.withDataKeys(20);
    expect(await recount(rig.deps, PLACE, ADMIN)).toEqual({ ok: true, value: [] });
    expect(await recount(rig.deps, { ...PLACE, keyringId: 'none' }, ADMIN)).toMatchObject({
      error: { type: 'not-found', what: 'keyring' },
    });
  });

  it('names missing rows by their number and changes nothing, until exactly that many are accepted', async () => {
    const rig = await Rig.withDataKeys(20);
    const shard = rig.shardOf(KEY);
    const row = (await rig.store.read('datakeys', rig.partitionOf(KEY), KEY))!;
    await rig.store.write('datakeys', rig.partitionOf(KEY), [{ kind: 'delete', rowKey: KEY, etag: row.etag }]);
    rig.plaintexts.delete(KEY);
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.drain();
    const before = await rig.shards();
    for (const acceptMissing of [[], [{ shard, rows: 2 }], [{ shard, rows: 0 }]]) {
      const counted = await recount(rig.deps, { ...PLACE, acceptMissing }, ADMIN);
      expect(counted.ok && counted.value[0]).toMatchObject({ shard, outcome: 'rows-missing', missing: 1 });
      expect((await rig.shards())[shard]).toEqual(before[shard]);
    }
    expect((await switchOf(rig)).blocked?.reason).toBe('counts-differ');
    expect(outcomes(await recount(rig.deps, { ...PLACE, acceptMissing: [{ shard, rows: 1 }] }, ADMIN))).toEqual([
      [shard, 'recounted', 1],
    ]);
    await rig.drain();
    expect((await switchOf(rig)).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(19);
    const acts = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keyring.shard-recounted');
    expect(acts.map(detailOf).map(({ missing }) => missing)).toEqual([1]);
  });

  it('says what it gave up, and counts once, though its answer was lost and it was written late', async () => {
    const rig = await Rig.withDataKeys(20);
    const shard = rig.shardOf(KEY);
    const row = (await rig.store.read('datakeys', rig.partitionOf(KEY), KEY))!;
    await rig.store.write('datakeys', rig.partitionOf(KEY), [{ kind: 'delete', rowKey: KEY, etag: row.etag }]);
    let land: (() => Promise<unknown>) | undefined;
    let sends = 0;
    const tables = tablesBut(rig.store, {
      write: async (table, partitionKey, writes) => {
        const isRecount = table === 'datakeys' && writes.some(({ rowKey }) => rowKey === SHARD_ROW_KEY);
        const write = () => rig.store.write(table, partitionKey, writes);
        if (isRecount) sends += 1;
        if (isRecount && sends === 1) {
          land = write;
          return { outcome: 'unknown' };
        }
        if (isRecount && sends === 2) await land?.();
        return write();
      },
    });
    const acceptMissing = [{ shard, rows: 1 }];
    expect(outcomes(await recount({ ...rig.deps, tables }, { ...PLACE, acceptMissing }, ADMIN))).toEqual([
      [shard, 'recounted', 1],
    ]);
    const acts = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keyring.shard-recounted');
    expect(acts.map(detailOf).map(({ missing }) => missing)).toEqual([1]);
  });

  it('also counts a shard that looks right, if somebody accepts that rows of it are missing', async () => {
    const rig = await Rig.withDataKeys(20);
    const shard = rig.shardOf(KEY);
    const row = (await rig.store.read('datakeys', rig.partitionOf(KEY), KEY))!;
    await rig.store.write('datakeys', rig.partitionOf(KEY), [{ kind: 'delete', rowKey: KEY, etag: row.etag }]);
    const { live } = (await rig.shards())[shard]!;
    await recount(rig.deps, { ...PLACE, acceptMissing: [{ shard, rows: 1 }] }, ADMIN);
    expect((await rig.shards())[shard]).toMatchObject({ live: live - 1, at: { 1: live - 1 }, phase: 'done' });
  });

  it('believes no listing that is not the same twice', async () => {
    const rig = await relabelled();
    // The one in long pages is all there is; the other is empty.
    const tables = tablesBut(rig.store, {
      list: (query) =>
        query.table === 'datakeys' && query.limit < 1_000 ? Promise.resolve({ rows: [] }) : rig.store.list(query),
    });
    const before = await rig.shards();
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([
      [rig.shardOf(KEY), 'busy', undefined],
    ]);
    expect(await rig.shards()).toEqual(before);
    expect((await switchOf(rig)).blocked?.reason).toBe('counts-differ');
  });

  it.each([
    ['after so many rows', (page: RowPage) => ({ rows: page.rows.slice(0, 10) })],
    ['half-way', (page: RowPage) => ({ rows: page.rows.slice(0, Math.ceil(page.rows.length / 2)) })],
  ])('gives up no row that is there, though every list ends %s', async (_, cut) => {
    const cutting = (tables: Tables): Tables =>
      tablesBut(tables, {
        list: async (query) => {
          const page = await tables.list(query);
          return query.table === 'datakeys' ? cut(page) : page;
        },
      });
    const rig = await Rig.withDataKeys(40, { shardCount: 1, wrapTables: cutting });
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).blocked?.reason).toBe('counts-differ');
    expect(outcomes(await recount(rig.deps, PLACE, ADMIN))).toEqual([[0, 'recounted', 0]]);
    rig.deps = rig.freshHost();
    await rig.drain();
    await retrySwitch(rig.deps, PLACE, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(40);
  });

  /** The store with callers who write a shard at each of so many lists. */
  const writtenAt = (rig: Rig, lists: number): Tables => {
    let listed = 0;
    return tablesBut(rig.store, {
      list: async (query) => {
        const page = await rig.store.list(query);
        if (query.table === 'datakeys' && (listed += 1) <= lists) {
          const row = (await rig.store.read('datakeys', query.partitionKey, SHARD_ROW_KEY))!;
          const guard = { kind: 'merge', rowKey: SHARD_ROW_KEY, cells: {}, etag: row.etag } as const;
          await rig.store.write('datakeys', query.partitionKey, [guard]);
        }
        return page;
      },
    });
  };

  it('counts nothing of a shard that is written meanwhile', async () => {
    const rig = await relabelled();
    const shard = rig.shardOf(KEY);
    const before = (await rig.shards())[shard];
    const tables = writtenAt(rig, Infinity);
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([[shard, 'busy', 0]]);
    expect((await rig.shards())[shard]).toEqual(before);
  });

  it('ends also of a shard that is written all the time, in a moment at which it is not', async () => {
    const rig = await relabelled();
    const tables = writtenAt(rig, 400);
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([
      [rig.shardOf(KEY), 'recounted', 0],
    ]);
    await rig.drain();
    expect((await switchOf(rig)).blocked).toBeUndefined();
  });

  it('gives up a shard that is written all the time when its time is over', async () => {
    const rig = await relabelled();
    const written = writtenAt(rig, Infinity);
    let lists = 0;
    const tables = tablesBut(written, {
      list: (query) => (rig.clock.advance(10_000), (lists += 1), written.list(query)),
    });
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([[rig.shardOf(KEY), 'busy', 0]]);
    expect(lists).toBeLessThan(12);
  });

  it('gives up a shard whose writes are not answered when its time is over', async () => {
    const rig = await relabelled();
    const shard = rig.shardOf(KEY);
    const begunMs = rig.clock.now().getTime();
    const tables = tablesBut(rig.store, {
      list: (query) => {
        rig.clock.advance(1_000);
        return rig.store.list(query);
      },
      write: (table, ...rest) =>
        table === 'datakeys' ? Promise.resolve({ outcome: 'unknown' }) : rig.store.write(table, ...rest),
    });
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([[shard, 'busy', 0]]);
    expect(rig.clock.now().getTime() - begunMs).toBeLessThan(20_000);
  });

  it('counts page by page, of more rows than a page holds', async () => {
    const rig = await Rig.withDataKeys(2_300, { shardCount: 1 });
    await rig.tamperShard(0, { vain: 2, at: { 1: 2_299 } });
    expect(outcomes(await recount(rig.deps, PLACE, ADMIN))).toEqual([[0, 'recounted', 0]]);
    expect((await rig.shards())[0]).toMatchObject({ live: 2_300, at: { 1: 2_300 }, vain: 0 });
  });

  it('leaves for another call what its time does not reach', async () => {
    const rig = await Rig.withDataKeys(20);
    for (const shard of [0, 1]) await rig.tamperShard(shard, { lost: -1 });
    const tables = tablesBut(rig.store, {
      list: (query) => (rig.clock.advance(30_000), rig.store.list(query)),
    });
    const deps = { ...rig.deps, tables };
    expect(outcomes(await recount(deps, PLACE, ADMIN))).toMatchObject([
      [0, 'recounted', 0],
      [1, 'left', undefined],
    ]);
    expect(outcomes(await recount(deps, PLACE, ADMIN))).toMatchObject([[1, 'recounted', 0]]);
  });

  it('that turned back is counted once, though its answer is lost', async () => {
    const rig = await relabelled();
    let lost = 0;
    const tables = tablesBut(rig.store, {
      write: async (table, partitionKey, writes) => {
        const written = await rig.store.write(table, partitionKey, writes);
        return table === 'datakeys' && lost++ === 0 ? { outcome: 'unknown' } : written;
      },
    });
    expect(outcomes(await recount({ ...rig.deps, tables }, PLACE, ADMIN))).toEqual([
      [rig.shardOf(KEY), 'recounted', 0],
    ]);
    const acts = chainOf(rig.store, COMPANY).filter(({ action }) => action === 'keyring.shard-recounted');
    expect(acts).toHaveLength(1);
  });
});

describe('a count below none', () => {
  it('is written as it is by whoever meets it, logged, and holds the next switch', async () => {
    const rig = await Rig.withDataKeys(20);
    const partition = dataKeysPartition({ ...PLACE, shard: rig.shardOf(KEY) });
    await rig.tamperDataKey(KEY, { companyKeyVersion: 7 });
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.drain();
    const shard = (await rig.shards())[rig.shardOf(KEY)]!;
    expect(shard.at[7]).toBe(-1);
    const logged = rig.log.entries.filter(({ event }) => event === 'security.count-below-none');
    expect(logged.map(({ detail }) => detail?.['shard'])).toEqual([rig.shardOf(KEY)]);
    expect((await rig.store.read('datakeys', partition, SHARD_ROW_KEY))?.cells['at']).toContain('"7":-1');
    expect((await switchOf(rig)).blocked?.reason).toBe('counts-differ');
  });
});
