import { describe, expect, it } from 'vitest';
import { switchCells } from '../../../shared/domain/rows/control-rows.ts';
import { companyKeyRowKey, connectionRowKey, switchRowKey } from '../../../shared/domain/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/domain/rows/sealed-rows.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/operations/control-state.ts';
import { cancelSwitch } from '../../../shared/operations/switches/control-switch.ts';
import { tryFinish, type FinishOutcome } from '../../../shared/operations/switches/finish.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, place, Rig } from './rig.ts';

const switchOf = async (rig: Rig, switchId: string): Promise<Switch> =>
  (await loadSwitch(rig.store, place(switchId)))!.value;

const allDone = async (rig: Rig, generation: number): Promise<boolean> =>
  (await rig.shards()).every((shard) => shard.phase === 'done' && shard.generation === generation);

/** Everything is done but the end: the vault that it ends with cannot be reached, so the work went by the other. */
async function atItsEnd(rig: Rig, switchId: string): Promise<void> {
  rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'vault-unreachable' });
  const { generation } = await switchOf(rig, switchId);
  await rig.drain({ enough: () => allDone(rig, generation) });
  rig.vaults.heal();
}

async function prepared(switchId: string, rig: Rig, target: typeof CONTOSO): Promise<void> {
  await startSwitch(rig.deps, { ...place(switchId), target, requestedBy: 'admin' });
  await rig.drain({ enough: async () => (await switchOf(rig, switchId)).state === 're-protecting' });
}

async function forwardAtItsEnd(): Promise<Rig> {
  const rig = await Rig.withDataKeys(8);
  await prepared('s1', rig, CONTOSO);
  await atItsEnd(rig, 's1');
  return rig;
}

/** Back to a customer's vault. */
async function backAtItsEnd(): Promise<Rig> {
  const rig = await Rig.withDataKeys(8);
  await prepared('s1', rig, CONTOSO);
  await rig.drain();
  await prepared('s2', rig, FABRIKAM);
  await cancelSwitch(rig.deps, place('s2'));
  await atItsEnd(rig, 's2');
  return rig;
}

const tamperSwitch = async (rig: Rig, change: Partial<Switch>): Promise<void> => {
  const cells = switchCells({ ...(await switchOf(rig, 's1')), ...change });
  rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, 's1'), cells);
};

const failed = (side: 'source' | 'target') => ({ type: 'failed', side, failure: { code: 'row-forged' } });

describe('the end of a switch', () => {
  it('waits for whoever decides on a quarantined row', async () => {
    const rig = await Rig.withDataKeys(8);
    await rig.tamperDataKey('key-000001', { blob: new Uint8Array(61) });
    await prepared('s1', rig, CONTOSO);
    await rig.drain();
    expect(await tryFinish(rig.deps, place('s1'))).toEqual({ type: 'undecided' });
  });

  it('is left to the worker that claimed it', async () => {
    const rig = await forwardAtItsEnd();
    const others: FinishOutcome[] = [];
    rig.vaults.onCall = async ({ operation }) => {
      if (operation === 'unwrap') others.push(await tryFinish(rig.deps, place('s1')));
    };
    expect(await tryFinish(rig.deps, place('s1'))).toEqual({ type: 'finished' });
    expect(others).toEqual([{ type: 'claimed' }]);
  });

  it('is free again from the moment at which a claim ends', async () => {
    const rig = await forwardAtItsEnd();
    await tamperSwitch(rig, { finishing: { worker: 'dead', until: rig.clock.now().toISOString() } });
    expect(await tryFinish(rig.deps, place('s1'))).toEqual({ type: 'finished' });
  });

  it.each([1, 2])('is refused if company key %i cannot be read', async (version) => {
    const rig = await forwardAtItsEnd();
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, version), { format: 1, wraps: 'none' });
    expect(await tryFinish(rig.deps, place('s1'))).toMatchObject(failed('source'));
  });

  it('is refused if the company key that stays has no wrap of the provider that it ends with', async () => {
    const rig = await forwardAtItsEnd();
    const row = (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 2 }))!.value!;
    const wraps = row.wraps.filter(({ host }) => host !== CONTOSO_HOST);
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), companyKeyCells({ ...row, wraps }));
    expect(await tryFinish(rig.deps, place('s1'))).toMatchObject(failed('target'));
    expect(rig.log.entries).toContainEqual({
      level: 'error',
      event: 'security.row-forged',
      detail: { companyId: COMPANY, row: companyKeyRowKey(KEYRING, 2) },
    });
  });

  it.each([
    ['forward', forwardAtItsEnd, 's1', 'target'],
    ['back', backAtItsEnd, 's2', 'source'],
  ] as const)('is refused on the way %s if the connection that it ends with is forged', async (_, begin, id, side) => {
    const rig = await begin();
    const rowKey = connectionRowKey('contoso');
    const row = await rig.store.read('companies', COMPANY, rowKey);
    rig.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, host: 'mallory.vault.azure.net' });
    expect(await tryFinish(rig.deps, place(id))).toMatchObject(failed(side));
  });
});
