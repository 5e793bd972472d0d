// What checks of vaults do to the list of denials that every process goes by.
import { beforeEach, describe, expect, it } from 'vitest';
import { checkConnection, checkIfUsed, type CheckDependencies } from '../../../shared/operations/watch/vault-checks.ts';
import { connectionCells, readConnection } from '../../../shared/store/rows/sealed-rows.ts';
import { connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import { CONFIRM_AFTER_MS, type VaultState } from '../../../shared/domain/health.ts';
import { DENIALS_AGE_MS } from '../../../shared/operations/keys/denials.ts';
import { failure } from '../../../shared/failures.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { Died } from '../../fakes/tables-but.ts';
import { COMPANY, CONTOSO_HOST } from '../switches/rig.ts';
import { Bridged, CONNECTION, settled, told } from '../keys/bridged-world.ts';

let world: Bridged;
let deps: CheckDependencies;
let tables: FaultyTables;
beforeEach(async () => {
  world = await Bridged.begin();
  tables = new FaultyTables(world.rig.store);
  deps = world.host({ tables });
});

async function check(): Promise<VaultState> {
  world.rig.clock.advance(DENIALS_AGE_MS);
  const checked = await checkConnection(deps, CONNECTION);
  if (!checked.ok) throw new Error(checked.error.type);
  return checked.value.state;
}

describe('a check', () => {
  it('that finds a vault revoked lists it, before it writes the state', async () => {
    const serving = world.host();
    await told(serving);
    world.vaultSays('access-denied-rbac');
    tables.at(({ writes }) => writes.some(({ rowKey }) => rowKey.startsWith('!current|'))).dies('before');
    await expect(check()).rejects.toThrow(Died);
    await serving.denials.look();
    expect(await told(serving)).toBe('access-denied-rbac');
  });

  it('lists what another that died has not listed', async () => {
    world.vaultSays(failure('vault-not-found', { vaultHost: CONTOSO_HOST, nameGone: true }));
    const confirm = async (): Promise<VaultState> => (world.rig.clock.advance(CONFIRM_AFTER_MS), check());
    expect([await confirm(), await confirm(), await world.isListed()]).toEqual(['unreachable', 'unreachable', false]);
    tables.at(({ writes }) => writes.some(({ rowKey }) => rowKey.startsWith('denied|'))).dies('before');
    await expect(confirm()).rejects.toThrow(Died);
    tables.recovers();
    expect([await confirm(), await world.isListed()]).toEqual(['revoked', true]);
  });

  it('takes a vault off that is well again, and not one that cannot be reached', async () => {
    world.vaultSays('key-disabled');
    expect([await check(), await world.isListed()]).toEqual(['revoked', true]);
    world.vaultSays('vault-unreachable');
    expect([await check(), await world.isListed()]).toEqual(['unreachable', true]);
    world.vaultSays(undefined);
    expect([await check(), await world.isListed()]).toEqual(['healthy', false]);
  });

  it('leaves a denial listed that another process met while it looked', async () => {
    world.rig.vaults.onCall = async ({ operation }) => {
      if (operation === 'unwrap') await world.host().denials.add(CONNECTION, 'key-disabled', { again: true });
    };
    expect([await check(), await world.isListed()]).toEqual(['healthy', true]);
    world.rig.vaults.onCall = undefined;
    expect([await check(), await world.isListed()]).toEqual(['healthy', false]);
  });

  it('takes a vault off that nothing is under any more', async () => {
    await world.host().denials.add(CONNECTION, 'key-disabled', { again: true });
    const { store } = world.rig;
    const row = (await store.read('companies', COMPANY, connectionRowKey('contoso')))!;
    const connection = readConnection(row.cells, { companyId: COMPANY, connectionId: 'contoso' })!;
    store.tamper('companies', COMPANY, connectionRowKey('contoso'), connectionCells({ ...connection, usedBy: [] }));
    world.rig.clock.advance(DENIALS_AGE_MS);
    await checkIfUsed(deps, CONNECTION, {});
    expect(await world.isListed()).toBe(false);
  });
});

describe('an unwrap that its vault refuses, or that cannot reach it', () => {
  it.each(['key-disabled', 'vault-refused', 'vault-unreachable'] as const)(
    'asks for a check at once (%s)',
    async (code) => {
      world.vaultSays(code);
      const host = world.host();
      expect([await told(host), await told(host)]).toEqual([code, code]);
      await settled();
      const asked = [world.rig.checkQueue.take(), world.rig.checkQueue.take()];
      const because = code === 'vault-unreachable' ? 'outage' : 'denial';
      expect(asked).toEqual([{ format: 1, kind: 'check', ...CONNECTION, because }, undefined]);
    },
  );
});
