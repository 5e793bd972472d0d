// An attempt whose answer was lost arrives while the next one is already reading: what that one then finds is its own call's work.
import { expect, it } from 'vitest';
import { connectionRowKey, tenantRowKey } from '../../shared/store/rows/row-keys.ts';
import { deleteConnection, putConnection } from '../../shared/operations/connections/connections.ts';
import type { Tables } from '../../shared/store/tables.ts';
import { deleteTenant, putTenant } from '../../shared/operations/tenants/tenants.ts';
import { ADMIN } from '../fakes/actors.ts';
import { tablesBut } from '../fakes/tables-but.ts';
import { chainOf } from '../operations/audit/chain.ts';
import {
  COMPANY,
  CONNECTION,
  ConnectionWorld,
  INPUT,
  OTHER_HOST,
  PLACE,
} from '../operations/connections/connection-world.ts';
import { Rig } from '../operations/switches/rig.ts';
import { ENTRA, register } from '../operations/tenants/tenant-rig.ts';

/** The first write of the row is done when the row is read for the second time, just before that. */
function arrivingLate(store: Tables, lateRow: string): Tables {
  let land: (() => Promise<unknown>) | undefined;
  let hasTripped = false;
  return tablesBut(store, {
    read: async (table, partitionKey, rowKey) => {
      if (rowKey === lateRow) await land?.();
      return store.read(table, partitionKey, rowKey);
    },
    write: (table, partitionKey, writes) => {
      if (hasTripped || !writes.some(({ rowKey }) => rowKey === lateRow))
        return store.write(table, partitionKey, writes);
      hasTripped = true;
      land = () => ((land = undefined), store.write(table, partitionKey, writes));
      return Promise.resolve({ outcome: 'unknown' });
    },
  });
}

const etagOf = async (world: ConnectionWorld): Promise<string> =>
  (await world.tables.read('companies', COMPANY, connectionRowKey(CONNECTION)))!.etag;

async function withConnection(): Promise<ConnectionWorld> {
  const world = new ConnectionWorld();
  await putConnection(world.deps, { ...PLACE, input: INPUT, condition: {} }, ADMIN);
  return world;
}

it('a connection is deleted, and not said to be missing', async () => {
  const world = await withConnection();
  const tables = arrivingLate(world.tables, connectionRowKey(CONNECTION));
  const deleted = await deleteConnection({ ...world.deps, tables }, { ...PLACE, condition: {} }, ADMIN);
  expect(deleted).toEqual({ ok: true, value: undefined });
  expect(chainOf(world.store, COMPANY).at(-1)).toMatchObject({ action: 'connection.delete' });
});

it('a connection is changed, and its own change is no other’s', async () => {
  const world = await withConnection();
  const condition = { ifMatch: await etagOf(world) };
  const tables = arrivingLate(world.tables, connectionRowKey(CONNECTION));
  const input = { ...INPUT, vaultUri: `https://${OTHER_HOST}` };
  const put = await putConnection({ ...world.deps, tables }, { ...PLACE, input, condition }, ADMIN);
  expect(put).toMatchObject({ ok: true, value: { created: false, value: { host: OTHER_HOST } } });
});

it('a tenant is removed, and not said to be missing', async () => {
  const rig = await Rig.withDataKeys(0);
  await register(rig, ENTRA);
  const tables = arrivingLate(rig.store, tenantRowKey(ENTRA));
  const place = { companyId: COMPANY, ...ENTRA, condition: {} };
  expect(await deleteTenant({ ...rig.deps, tables }, place, ADMIN)).toEqual({ ok: true, value: undefined });
});

it('a refusal that comes of nothing that the call has done stays one', async () => {
  const rig = await Rig.withDataKeys(0);
  const tables = arrivingLate(rig.store, tenantRowKey(ENTRA));
  const place = { companyId: COMPANY, ...ENTRA };
  expect(await deleteTenant({ ...rig.deps, tables }, { ...place, condition: {} }, ADMIN)).toMatchObject({ ok: false });
  expect(await putTenant({ ...rig.deps, tables }, { ...place, condition: {} }, ADMIN)).toMatchObject({ ok: true });
});
