// Table Storage may answer a page that is short, or empty, and yet not the last. Found by the simulation (docs/simulation.md).
import { expect, test } from 'vitest';
import type { Tables } from '../../shared/store/tables.ts';
import { nextDue, noteForPurge } from '../../shared/operations/data-keys/purge-list.ts';
import { listConnections, putConnection } from '../../shared/operations/connections/connections.ts';
import { startSwitch } from '../../shared/operations/switches/start.ts';
import { getSwitch } from '../../shared/operations/switches/view.ts';
import { ADMIN } from '../fakes/actors.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { ConnectionWorld, INPUT } from '../operations/connections/connection-world.ts';
import { CONTOSO, COMPANY, KEYRING, place, Rig } from '../operations/switches/rig.ts';

/** Every list begins with an empty page, and goes on row by row. */
const shortPages = (tables: Tables): Tables => ({
  read: (table, partitionKey, rowKey) => tables.read(table, partitionKey, rowKey),
  write: (table, partitionKey, writes) => tables.write(table, partitionKey, writes),
  list: (query) =>
    query.continuation === undefined
      ? Promise.resolve({ rows: [], continuation: query.after ?? '' })
      : tables.list({ ...query, limit: 1 }),
});

test('every quarantined row is named, however short the pages of the list are', async () => {
  const rig = await Rig.withDataKeys(12, { shardCount: 2, wrapTables: shortPages });
  const broken = ['key-000001', 'key-000004', 'key-000007', 'key-000009'];
  for (const keyId of broken) await rig.tamperDataKey(keyId, { blob: new Uint8Array(61) });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  const view = await getSwitch(rig.deps, place('s1'));
  expect(view.ok && view.value.quarantine.map(({ keyId }) => keyId).sort()).toEqual(broken);
});

test('every connection is listed behind an empty page', async () => {
  const world = new ConnectionWorld();
  for (const connectionId of ['a', 'b']) {
    await putConnection(world.deps, { companyId: COMPANY, connectionId, input: INPUT, condition: {} }, ADMIN);
  }
  const deps = { ...world.deps, tables: shortPages(world.tables) };
  const first = await listConnections(deps, { companyId: COMPANY, limit: 2 });
  expect(first).toMatchObject({ value: { connections: [{ value: { connectionId: 'a' } }], continuation: 'a' } });
  const second = await listConnections(deps, { companyId: COMPANY, limit: 2, continuation: 'a' });
  expect(second).toMatchObject({ value: { connections: [{ value: { connectionId: 'b' } }] } });
});

test('when the next purge is due is found behind an empty page', async () => {
  const tables = shortPages(new FakeTables());
  const keyring = { companyId: COMPANY, keyringId: KEYRING };
  await noteForPurge(tables, keyring, { keyId: 'a', purgeAfter: '2026-03-01T00:00:00.000Z' });
  await noteForPurge(tables, keyring, { keyId: 'b', purgeAfter: '2026-02-01T00:00:00.000Z' });
  expect(await nextDue(tables, keyring, '2026-01-01T00:00:00.000Z')).toBe('2026-02-01T00:00:00.000Z');
  expect(await nextDue(tables, keyring, '2026-04-01T00:00:00.000Z')).toBeUndefined();
});
