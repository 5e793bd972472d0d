// A copy of the tables that is not of one instant: data keys first, control rows after them, at any instants. Every data key of it opens,
// through the product's own reader, and a pass over such a store moves every row.
import { describe, expect, it } from 'vitest';
import type { Cells, Tables } from '../../../shared/store/tables.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { retryQuarantined } from '../../../shared/operations/switches/quarantine.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { expectExactCounts } from './exact-counts.ts';
import {
  COMPANY,
  CONTOSO,
  CONTOSO_HOST,
  FABRIKAM,
  FABRIKAM_HOST,
  KEYRING,
  MANAGED,
  place,
  Rig,
  VENDOR,
} from './rig.ts';

const KEYS = 8;
const HOSTS = [VENDOR.host, CONTOSO_HOST, FABRIKAM_HOST];

interface Copied {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly cells: Cells;
}
type Snapshot = readonly Copied[];

const rowsOf = (rig: Rig, table: 'companies' | 'datakeys'): Snapshot =>
  [...rig.store.dump()]
    .filter((row) => row.table === table)
    .map(({ partitionKey, rowKey, cells }) => ({ partitionKey, rowKey, cells }));

/** Both tables after every transaction that changed one of them. */
async function filmed(
  act: (rig: Rig) => Promise<void>,
): Promise<{ rig: Rig; companies: Snapshot[]; datakeys: Snapshot[]; instants: [number, number][] }> {
  const companies: Snapshot[] = [];
  const datakeys: Snapshot[] = [];
  /** How many pictures of either there were at each instant. */
  const instants: [number, number][] = [];
  const scene: { rig?: Rig } = {};
  const shoot = (table: string): void => {
    const { rig: made } = scene;
    if (!made) return;
    if (table === 'companies') companies.push(rowsOf(made, 'companies'));
    if (table === 'datakeys') datakeys.push(rowsOf(made, 'datakeys'));
    instants.push([datakeys.length - 1, companies.length - 1]);
  };
  const rig = await Rig.withDataKeys(KEYS, {
    shardCount: 2,
    wrapTables: (tables: Tables) =>
      tablesBut(tables, {
        write: async (...write) => {
          const written = await tables.write(...write);
          shoot(write[0]);
          return written;
        },
      }),
  });
  scene.rig = rig;
  companies.push(rowsOf(rig, 'companies'));
  datakeys.push(rowsOf(rig, 'datakeys'));
  instants.push([0, 0]);
  await act(rig);
  return { rig, companies, datakeys, instants };
}

/** A host with nothing in its caches, on a store that holds the copy alone. */
function hostOn(rig: Rig, companies: Snapshot, datakeys: Snapshot) {
  const store = new FakeTables();
  for (const { partitionKey, rowKey, cells } of companies) store.tamper('companies', partitionKey, rowKey, cells);
  for (const { partitionKey, rowKey, cells } of datakeys) store.tamper('datakeys', partitionKey, rowKey, cells);
  return { ...rig.freshHost(store), store };
}

async function openedBy(rig: Rig, host: ReturnType<typeof hostOn>): Promise<number> {
  const keyIds = [...rig.plaintexts.keys()];
  const opened = await unwrapDataKeys(host, { companyId: COMPANY, keyringId: KEYRING, keyIds });
  if (!opened.ok) return 0;
  return opened.value.filter(
    (one) => one.outcome === 'unwrapped' && rig.plaintexts.get(one.keyId)?.equals(one.plaintext),
  ).length;
}

const to = async (rig: Rig, switchId: string, target: ProviderRef): Promise<void> => {
  await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
  await rig.drain();
};
const cancelled = async (rig: Rig, switchId: string, target: ProviderRef): Promise<void> => {
  await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
  let worked = 0;
  await rig.drain({ enough: () => (worked += 1) === 2 });
  await cancelSwitch(rig.deps, place(switchId), ADMIN);
  await rig.drain();
};

const STORIES: readonly (readonly [string, (rig: Rig) => Promise<void>])[] = [
  ['one switch', (rig) => to(rig, 's1', CONTOSO)],
  ['two switches', async (rig) => (await to(rig, 's1', CONTOSO), to(rig, 's2', FABRIKAM))],
  ['a switch there and back', async (rig) => (await to(rig, 's1', CONTOSO), to(rig, 's2', MANAGED))],
  ['a cancel, and a switch after it', async (rig) => (await cancelled(rig, 's1', CONTOSO), to(rig, 's2', FABRIKAM))],
  [
    'a re-key, and a switch after it',
    async (rig) => {
      await startRekey(rig.deps, place('r1'), ADMIN);
      await rig.drain();
      await to(rig, 's2', CONTOSO);
    },
  ],
];

describe.each(STORIES)('a copy made beside %s', (_, act) => {
  it('opens with data keys of any instant and control rows of any later one', async () => {
    const { rig, companies, datakeys, instants } = await filmed(act);
    const seen = new Set<string>();
    const wrong: string[] = [];
    for (const [index, [data]] of instants.entries()) {
      for (const [, control] of instants.slice(index)) {
        if (seen.has(`${data}|${control}`)) continue;
        seen.add(`${data}|${control}`);
        const host = hostOn(rig, companies[control]!, datakeys[data]!);
        const opened = await openedBy(rig, host);
        if (opened !== KEYS) wrong.push(`data keys ${data}, control ${control}: ${opened}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(seen.size).toBeGreaterThan(30);
  });
});

describe('a store that is such a copy', () => {
  it('is of no use to whoever was left: the keys open only through the provider in force', async () => {
    const { rig, companies, datakeys } = await filmed(STORIES[1]![1]);
    const [first] = datakeys;
    for (const host of [VENDOR.host, CONTOSO_HOST])
      rig.vaults.fail({ operation: 'any', host, failure: 'access-denied-rbac' });
    expect(await openedBy(rig, hostOn(rig, companies.at(-1)!, first!))).toBe(KEYS);
    rig.vaults.fail({ operation: 'any', host: FABRIKAM_HOST, failure: 'access-denied-rbac' });
    expect(await openedBy(rig, hostOn(rig, companies.at(-1)!, first!))).toBe(0);
    expect(HOSTS).toHaveLength(3);
  });

  it('tells of every use of a kept key, in the log and in the record', async () => {
    const { rig, companies, datakeys } = await filmed(STORIES[0]![1]);
    rig.log.entries.length = 0;
    const host = hostOn(rig, companies.at(-1)!, datakeys[0]!);
    expect(await openedBy(rig, host)).toBe(KEYS);
    const used = rig.log.entries.filter(({ event }) => event === 'security.kept-key-used');
    expect(used).toEqual([
      {
        level: 'error',
        event: 'security.kept-key-used',
        detail: { companyId: COMPANY, keyringId: KEYRING, version: 1, by: 'reader', dataKeys: KEYS },
      },
    ]);
    const recorded = [...host.store.dump()].filter(
      ({ table, cells }) => table === 'events' && cells['action'] === 'security.kept-key-used',
    );
    expect(recorded.map(({ cells }) => cells['outcome'])).toEqual(['detected']);
  });

  it.each([
    ['after one switch', 0, 's9'],
    ['after two', 1, 's9'],
    ['after a cancel and a switch', 3, 's9'],
  ] as const)('has all its rows moved by the next switch (%s)', async (_, story, next) => {
    const { rig, companies, datakeys } = await filmed(STORIES[story]![1]);
    for (const row of [...rig.store.dump()].filter(({ table }) => table === 'datakeys')) {
      const now = datakeys[0]!.find(
        ({ partitionKey, rowKey }) => partitionKey === row.partitionKey && rowKey === row.rowKey,
      );
      if (now) rig.store.tamper('datakeys', now.partitionKey, now.rowKey, now.cells);
    }
    expect(companies.length).toBeGreaterThan(0);
    const inForce = story === 0 ? FABRIKAM : MANAGED;
    await to(rig, next, inForce);
    expect(await rig.openByCaller()).toBe(KEYS);
    await expectExactCounts(rig);
    const versions = new Set(
      (await Promise.all([...rig.plaintexts.keys()].map((keyId) => rig.dataKey(keyId)))).map(
        ({ companyKeyVersion }) => companyKeyVersion,
      ),
    );
    expect(versions.size).toBe(1);
  });
});

describe('a store whose control rows are older than its data keys', () => {
  const laid = (rig: Rig, control: Snapshot): void => {
    for (const { rowKey } of rowsOf(rig, 'companies'))
      if (!control.some((row) => row.rowKey === rowKey)) {
        const { etag } = rig.store.peek('companies', COMPANY, rowKey)!;
        void rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
      }
    for (const { partitionKey, rowKey, cells } of control) rig.store.tamper('companies', partitionKey, rowKey, cells);
    rig.queue.clear();
    rig.deps = rig.freshHost();
  };
  const generations = async (rig: Rig): Promise<number[]> => (await rig.shards()).map(({ generation }) => generation);
  /** Cancelled half-way; every shard is turned back. */
  async function turnedBack(): Promise<{ readonly rig: Rig; readonly before: Snapshot; readonly during: Snapshot }> {
    const rig = await Rig.withDataKeys(KEYS, { shardCount: 2 });
    const before = rowsOf(rig, 'companies');
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await generations(rig)).includes(1) });
    const during = rowsOf(rig, 'companies');
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect(await generations(rig)).toEqual([2, 2]);
    return { rig, before, during };
  }

  it('has its switch blocked, since shards were turned by none that there is, and a recount sets it going', async () => {
    const { rig, during } = await turnedBack();
    laid(rig, during);
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))!.value.blocked).toMatchObject({ reason: 'counts-differ' });
    expect((await recount(rig.deps, place('s1'), ADMIN)).ok).toBe(true);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))!.value).toMatchObject({ state: 'completed', generation: 3 });
    expect(await rig.openByCaller()).toBe(KEYS);
    await expectExactCounts(rig);
  });

  it('has its switch rolled back, if somebody cancels it', async () => {
    const { rig, during } = await turnedBack();
    laid(rig, during);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))!.value).toMatchObject({ state: 'cancelled', generation: 3 });
    expect(await rig.openByCaller()).toBe(KEYS);
  });

  it('is moved by its next switch, in a generation above that of every shard', async () => {
    const { rig, before } = await turnedBack();
    laid(rig, before);
    await to(rig, 's2', FABRIKAM);
    expect((await loadSwitch(rig.store, place('s2')))!.value).toMatchObject({ state: 'completed', generation: 3 });
    expect(await rig.openByCaller()).toBe(KEYS);
    await expectExactCounts(rig);
  });

  /** Row keys of the company keys that there are. */
  const companyKeys = (rig: Rig): string[] =>
    rowsOf(rig, 'companies').flatMap(({ rowKey }) => (rowKey.startsWith('companykey|') ? [rowKey] : []));

  it.each([
    ['of before the re-key', undefined],
    ['in which it is being prepared', 'preparing'],
  ] as const)(
    'makes no second company key of a number that rows are at, whose key may be found later (control rows %s)',
    async (_, state) => {
      const { rig, companies } = await filmed(async (filming) => {
        await startRekey(filming.deps, place('r1'), ADMIN);
        await filming.drain();
      });
      const second = companyKeyRowKey(KEYRING, 2);
      const found = rowsOf(rig, 'companies').find(({ rowKey }) => rowKey === second)!;
      const stateIn = (rows: Snapshot): unknown => rows.find(({ rowKey }) => rowKey.includes('|r1'))?.cells['state'];
      laid(
        rig,
        companies.find((rows) => stateIn(rows) === state)!,
      );
      if (state === undefined) await startRekey(rig.deps, place('r1'), ADMIN);
      else await rig.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...place('r1') }]);
      await rig.drain();
      expect((await loadSwitch(rig.store, place('r1')))!.value).toMatchObject({ fromVersion: 1, toVersion: 3 });
      expect(companyKeys(rig)).toEqual([companyKeyRowKey(KEYRING, 1), companyKeyRowKey(KEYRING, 3)]);
      expect(await rig.openByCaller()).toBe(0);

      rig.store.tamper('companies', COMPANY, second, found.cells);
      for (const keyId of rig.plaintexts.keys()) await retryQuarantined(rig.deps, { ...place('r1'), keyId }, ADMIN);
      await rig.drain();
      expect((await loadSwitch(rig.store, place('r1')))!.value).toMatchObject({ state: 'completed' });
      expect(await rig.openByCaller()).toBe(KEYS);
      await expectExactCounts(rig);
    },
  );
});
