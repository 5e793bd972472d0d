import { describe, expect, it } from 'vitest';
import { keyringCells } from '../../../shared/store/rows/keyring-rows.ts';
import {
  COMPANY_ROW_KEY,
  companyKeyRowKey,
  connectionRowKey,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { companyKeyCells } from '../../../shared/store/rows/sealed-rows.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadCompanyKeyRow, loadKeyring, loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables, WriteOutcome } from '../../../shared/store/tables.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { commit } from '../../../shared/operations/switches/commit.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, MANAGED, place, Rig } from './rig.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

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

async function prepared(switchId: string, rig: Rig, target: ProviderRef): Promise<void> {
  await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
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
  await cancelSwitch(rig.deps, place('s2'), ADMIN);
  await atItsEnd(rig, 's2');
  return rig;
}

const failed = (side: 'source' | 'target') => ({ type: 'blocked', side, failure: { code: 'row-forged' } });

describe('the end of a switch', () => {
  it('waits for whoever decides on a quarantined row', async () => {
    const rig = await Rig.withDataKeys(8);
    await rig.tamperDataKey('key-000001', { blob: new Uint8Array(61) });
    await prepared('s1', rig, CONTOSO);
    await rig.drain();
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'wait', for: 'decision' });
  });

  it('is left to the worker that has the lease on it', async () => {
    const rig = await forwardAtItsEnd();
    const others: unknown[] = [];
    rig.vaults.onCall = async ({ operation }) => {
      if (operation === 'unwrap') others.push(await commit(rig.deps, place('s1')));
    };
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'done' });
    // One for the company key that stays, and two for the one that goes: also by the vault in force, which may deny.
    const waits = { type: 'wait', for: 'other-worker' };
    expect(others).toEqual([waits, waits, waits]);
  });

  it('is free again from the moment at which the lease ends', async () => {
    const rig = await forwardAtItsEnd();
    await rig.tamperSwitch('s1', { lease: { worker: 'dead', until: rig.clock.now().toISOString() } });
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'done' });
  });

  it.each([1, 2])('is refused if company key %i cannot be read', async (version) => {
    const rig = await forwardAtItsEnd();
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, version), { format: 1, wraps: 'none' });
    expect(await commit(rig.deps, place('s1'))).toMatchObject(failed('source'));
  });

  it('is refused if the company key that stays has no wrap of the provider that it ends with', async () => {
    const rig = await forwardAtItsEnd();
    const row = (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 2 }))!.value!;
    const wraps = row.wraps.filter(({ host }) => host !== CONTOSO_HOST);
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), companyKeyCells({ ...row, wraps }));
    expect(await commit(rig.deps, place('s1'))).toMatchObject(failed('target'));
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
    expect(await commit(rig.deps, place(id))).toMatchObject(failed(side));
  });

  it.each([
    ['company', COMPANY_ROW_KEY],
    ['keyring', keyringRowKey(KEYRING)],
    ['switch', switchRowKey(KEYRING, 's1')],
    ['company key that stays', companyKeyRowKey(KEYRING, 2)],
    ['company key that goes', companyKeyRowKey(KEYRING, 1)],
  ])('is nothing for a worker who finds no %s any more', async (_, rowKey) => {
    const rig = await forwardAtItsEnd();
    const row = (await rig.store.read('companies', COMPANY, rowKey))!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: row.etag }]);
    rig.vaults.calls.length = 0;
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'wait', for: 'next-message' });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('is nothing for a worker whose switch is paused, or is not the keyring’s any more', async () => {
    const rig = await forwardAtItsEnd();
    await rig.tamperSwitch('s1', { paused: true });
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'wait', for: 'next-message' });
    await rig.tamperSwitch('s1', { paused: false });
    const keyring = (await loadKeyring(rig.store, { companyId: COMPANY, keyringId: KEYRING }))!.value;
    const cells = keyringCells({ ...keyring, switchId: 'other' });
    rig.store.tamper('companies', COMPANY, keyringRowKey(KEYRING), cells);
    expect(await commit(rig.deps, place('s1'))).toEqual({ type: 'wait', for: 'next-message' });
  });

  it('names as source what denies a re-key, and the vault that a switch goes back to', async () => {
    const rekey = await Rig.withDataKeys(8);
    await startRekey(rekey.deps, { ...place('s1') }, ADMIN);
    // The worker of the last of four shards would go on to the end.
    await rekey.drain({
      enough: async () => (await rekey.shards()).filter(({ generation }) => generation === 1).length === 3,
    });
    rekey.vaults.fail({ operation: 'unwrap', failure: 'access-denied-rbac' });
    await rekey.drain();
    expect((await switchOf(rekey, 's1')).blocked).toMatchObject({ side: 'source' });

    const back = await backAtItsEnd();
    back.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    expect(await commit(back.deps, place('s2'))).toMatchObject({ type: 'blocked', side: 'source' });
  });

  it('is told once, by name', async () => {
    const rig = await forwardAtItsEnd();
    rig.log.entries.length = 0;
    await commit(rig.deps, place('s1'));
    expect(rig.log.entries).toEqual([{ level: 'info', event: 'switch.completed', detail: place('s1') }]);
  });

  it('puts the vault that it ends with on the agenda of checks, and the vendor’s own never', async () => {
    const rig = await Rig.withDataKeys(1);
    const checks = (): string[] =>
      [...rig.store.dump()].flatMap(({ table, rowKey }) =>
        table === 'agenda' && rowKey.startsWith('check|') ? [rowKey] : [],
      );
    await prepared('s1', rig, CONTOSO);
    await rig.drain();
    expect(checks()).toEqual(['check|acme|contoso']);
    await prepared('s2', rig, MANAGED);
    await rig.drain();
    expect(checks()).toEqual(['check|acme|contoso']);
  });
});

describe('the lease on the end', () => {
  /** The store; the first write of a switch’s row alone, which takes the lease, is answered so. */
  function answering(rig: Rig, answer: (write: () => Promise<WriteOutcome>) => Promise<WriteOutcome>): Tables {
    let isFirst = true;
    return tablesBut(rig.store, {
      write: (table, partition, writes) => {
        const write = (): Promise<WriteOutcome> => rig.store.write(table, partition, writes);
        if (!isFirst || table !== 'companies') return write();
        isFirst = false;
        return answer(write);
      },
    });
  }

  it.each([
    ['was written after all', true, { type: 'done' }],
    ['was not written', false, { type: 'moved', by: 'others' }],
  ] as const)('whose answer was lost is looked up: it %s', async (_, isWritten, outcome) => {
    const rig = await forwardAtItsEnd();
    const tables = answering(rig, async (write) => {
      if (isWritten) await write();
      return { outcome: 'unknown' };
    });
    expect(await commit({ ...rig.deps, tables }, place('s1'))).toEqual(outcome);
  });

  it('that others were faster than is lost, and no vault is asked', async () => {
    const rig = await forwardAtItsEnd();
    rig.vaults.calls.length = 0;
    const tables = answering(rig, async (write) => {
      await write();
      return { outcome: 'conflict', index: 0, reason: 'changed' };
    });
    expect(await commit({ ...rig.deps, tables }, place('s1'))).toEqual({ type: 'moved', by: 'others' });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });
});
