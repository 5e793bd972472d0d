import { describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import { switchCells } from '../../../shared/store/rows/switch-rows.ts';
import { connectionRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Blocked, Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { RowWrite, Tables } from '../../../shared/store/tables.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { loadConnectionsOf, markEnd } from '../../../shared/operations/switches/switch-writes.ts';
import { blockSwitch } from '../../../shared/operations/switches/trouble.ts';
import { changeOnce } from '../../../shared/store/act.ts';
import type { Writes } from '../../../shared/store/tx.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { markUse } from '../../../shared/store/connection-use.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, FABRIKAM, KEYRING, MANAGED, place, Rig } from './rig.ts';

const PLACE = place('s1');
const SINCE = '2026-01-01T00:00:00.000Z';
const DENIED: Blocked = {
  reason: 'provider',
  since: SINCE,
  side: 'target',
  failure: failure('access-denied-rbac', {}),
};
const DEAD_LETTER: Blocked = { reason: 'dead-letter', since: SINCE, detail: 'planted' };

async function reProtecting(): Promise<Rig> {
  const rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
  return rig;
}

const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, PLACE))!.value;

async function connectionOf(rig: Rig, connectionId: string) {
  const connection = await loadConnection(rig.deps, { companyId: COMPANY, connectionId });
  if (!connection.ok || !connection.value) throw new Error('no connection');
  return connection.value;
}

async function forge(rig: Rig, connectionId: string): Promise<void> {
  const rowKey = connectionRowKey(connectionId);
  const row = (await rig.store.read('companies', COMPANY, rowKey))!;
  rig.store.tamper('companies', COMPANY, rowKey, { ...row.cells, host: 'mallory.vault.azure.net' });
}

describe('blocking a switch', () => {
  it.each([
    ['provider', DENIED, { reason: 'provider', side: 'target', code: 'access-denied-rbac' }],
    ['dead letter', DEAD_LETTER, { reason: 'dead-letter' }],
  ] as const)('for a %s changes nothing but what it waits for, and is recorded', async (_, blocked, detail) => {
    const rig = await reProtecting();
    const before = await switchOf(rig);
    await blockSwitch(rig.deps, PLACE, { generation: 1, blocked });
    expect(await switchOf(rig)).toEqual({ ...before, blocked });
    const record = chainOf(rig.store).at(-1);
    expect(record).toMatchObject({ action: 'switch.blocked', by: 'keyswitch', target: switchRowKey(KEYRING, 's1') });
    expect(JSON.parse(record?.detail ?? '')).toEqual(detail);
  });

  it.each([
    ['is over', { state: 'cancelled' }],
    ['has turned', { generation: 2 }],
    ['waits already', { blocked: DEAD_LETTER }],
  ] as const)('changes nothing if it %s', async (_, change) => {
    const rig = await reProtecting();
    const cells = switchCells({ ...(await switchOf(rig)), ...change });
    rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, 's1'), cells);
    const before = [...rig.store.dump()];
    await blockSwitch(rig.deps, PLACE, { generation: 1, blocked: DENIED });
    expect([...rig.store.dump()]).toEqual(before);
  });

  it('changes nothing if there is none', async () => {
    const rig = await Rig.withDataKeys(1);
    const before = [...rig.store.dump()];
    await blockSwitch(rig.deps, PLACE, { generation: 1, blocked: DENIED });
    expect([...rig.store.dump()]).toEqual(before);
  });
});

describe('the connections behind providers', () => {
  it('are each read once, and the vendor’s own key has none', async () => {
    const rig = await Rig.withDataKeys(1);
    const read: string[] = [];
    const tables: Pick<Tables, 'read'> = {
      read: (table, partition, rowKey) => (read.push(rowKey), rig.store.read(table, partition, rowKey)),
    };
    const refs = { needed: [MANAGED, CONTOSO, { ...CONTOSO }], leaving: [FABRIKAM, MANAGED] };
    expect(await loadConnectionsOf({ ...rig.deps, tables }, COMPANY, refs)).toEqual({
      ok: true,
      value: [await connectionOf(rig, 'contoso'), await connectionOf(rig, 'fabrikam')],
    });
    expect(read).toEqual(['connection|contoso', 'connection|fabrikam']);
    read.length = 0;
    await loadConnectionsOf({ ...rig.deps, tables }, COMPANY, { needed: [CONTOSO] });
    expect(read).toEqual(['connection|contoso']);
  });

  it('are left out where they are gone', async () => {
    const rig = await Rig.withDataKeys(1);
    const gone = { provider: 'azure-key-vault', connectionId: 'nobody' } as const;
    const refs = { needed: [gone, CONTOSO], leaving: [{ ...gone }] };
    const found = await loadConnectionsOf(rig.deps, COMPANY, refs);
    expect(found.ok && found.value.map(({ value }) => value.connectionId)).toEqual(['contoso']);
  });

  it('are refused where one that is needed is forged, and left out where it is only being left', async () => {
    const rig = await Rig.withDataKeys(1);
    await forge(rig, 'contoso');
    const needed = await loadConnectionsOf(rig.deps, COMPANY, { needed: [CONTOSO], leaving: [FABRIKAM] });
    expect(needed).toMatchObject({ ok: false, error: { code: 'row-forged' } });
    const left = await loadConnectionsOf(rig.deps, COMPANY, { needed: [FABRIKAM], leaving: [CONTOSO] });
    expect(left.ok && left.value.map(({ value }) => value.connectionId)).toEqual(['fabrikam']);
  });
});

/** What a transaction is made of. */
async function writes(fill: (tx: Writes) => void): Promise<readonly RowWrite[]> {
  let seen: readonly RowWrite[] = [];
  const tables = tablesBut(new FakeTables(), {
    write: (_table, _partition, all) => {
      seen = all;
      return Promise.resolve({ outcome: 'unknown' });
    },
  });
  await changeOnce({ tables }, (tx) => {
    fill(tx);
    return undefined;
  });
  return seen;
}

describe('the marks of who uses a connection', () => {
  const marked = async (usedBy: readonly string[]) => {
    const { value, ...found } = await connectionOf(await Rig.withDataKeys(1), 'contoso');
    return { ...found, value: { ...value, usedBy } };
  };
  const write = (etag: string, usedBy: readonly string[], connectionId = 'contoso') => ({
    kind: 'merge',
    rowKey: `connection|${connectionId}`,
    cells: { usedBy: JSON.stringify(usedBy) },
    etag,
  });

  it('are added once and taken away, and nothing else of the row is written', async () => {
    const connection = await marked(['a', 'b', 'c']);
    const use = { add: ['c', 'd'], remove: ['b', 'x'] };
    expect(await writes((tx) => markUse(tx, connection, use))).toEqual([write(connection.etag, ['a', 'c', 'd'])]);
  });

  it('stay as they are where there is nothing to change, and the row is guarded', async () => {
    const connection = await marked(['a']);
    expect(await writes((tx) => markUse(tx, connection, {}))).toEqual([write(connection.etag, ['a'])]);
  });

  it('at the end of a switch are the keyring’s on what it ends with, and nobody’s on the other', async () => {
    const rig = await reProtecting();
    const sw = await switchOf(rig);
    const used = ['keyring|other', 'keyring|default', 'switch|default|s1'];
    const loaded = [await connectionOf(rig, 'contoso'), await connectionOf(rig, 'fabrikam')];
    const connections = loaded.map(({ value, ...found }) => ({ ...found, value: { ...value, usedBy: used } }));
    const [contoso, fabrikam] = loaded.map(({ etag }) => etag);
    expect(await writes((tx) => markEnd(tx, sw, { connections, endsWith: CONTOSO }))).toEqual([
      write(contoso ?? '', ['keyring|other', 'keyring|default']),
      write(fabrikam ?? '', ['keyring|other'], 'fabrikam'),
    ]);
    const ended = { connections: connections.slice(0, 1), endsWith: MANAGED };
    const inOrder = await writes((tx) => markEnd(tx, sw, ended));
    expect(inOrder).toEqual([write(contoso ?? '', ['keyring|other'])]);
  });
});
