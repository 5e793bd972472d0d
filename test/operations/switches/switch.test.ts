import { describe, expect, it } from 'vitest';
import { mayEndAt } from '../../../shared/domain/shard-counts.ts';
import { COMPANY_ROW_KEY } from '../../../shared/store/rows/row-keys.ts';
import { loadCompanyKeyRow, loadKeyring, loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch, pauseSwitch, resumeSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { getSwitch } from '../../../shared/operations/switches/view.ts';
import { loadConnection } from '../../../shared/operations/keys/verified-connection.ts';
import {
  COMPANY,
  CONTOSO,
  CONTOSO_HOST,
  FABRIKAM,
  FABRIKAM_HOST,
  KEYRING,
  MANAGED,
  Rig,
  VENDOR,
  place,
} from './rig.ts';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';

const start = (rig: Rig, switchId: string, target: ProviderRef): ReturnType<typeof startSwitch> =>
  startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);

async function switchOf(rig: Rig, switchId: string): Promise<Switch> {
  const sw = await loadSwitch(rig.store, place(switchId));
  if (!sw) throw new Error('no switch');
  return sw.value;
}

const keyringOf = async (rig: Rig) => (await loadKeyring(rig.store, { companyId: COMPANY, keyringId: KEYRING }))!.value;
const companyKeyRow = (rig: Rig, version: number) =>
  loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version });

/** Works until some rows have moved and some have not. */
const halfWay = (rig: Rig) => async (): Promise<boolean> => {
  const shards = await rig.shards();
  return shards.some((shard) => shard.phase === 'done' && shard.generation > 0);
};

describe('a switch', () => {
  it('moves every data key and the keyring to the new provider', async () => {
    const rig = await Rig.withDataKeys(500);
    expect((await start(rig, 's1', CONTOSO)).ok).toBe(true);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
    expect(await keyringOf(rig)).toMatchObject({ provider: CONTOSO, activeVersion: 2, highVersion: 2 });
    expect((await keyringOf(rig)).switchId).toBeUndefined();
    expect(await rig.openByCaller()).toBe(500);
    expect(await companyKeyRow(rig, 1)).toBeUndefined();
    expect((await companyKeyRow(rig, 2))?.value?.wraps.map((wrap) => wrap.host)).toEqual([CONTOSO_HOST]);
  });

  it('keeps no blob of the time before', async () => {
    const rig = await Rig.withDataKeys(60);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    for (const keyId of rig.plaintexts.keys()) {
      expect(await rig.dataKey(keyId)).toMatchObject({
        companyKeyVersion: 2,
        previousVersion: 0,
        previous: new Uint8Array(0),
      });
    }
  });

  it('asks the customer’s vault for get and unwrapKey only, and constantly often', async () => {
    const counts: number[] = [];
    for (const keys of [10, 2_000]) {
      const rig = await Rig.withDataKeys(keys);
      await start(rig, 's1', CONTOSO);
      await rig.drain();
      const calls = rig.vaults.calls.filter((call) => call.host === CONTOSO_HOST);
      expect(calls.every((call) => call.operation === 'readKey' || call.operation === 'unwrap')).toBe(true);
      counts.push(calls.length);
    }
    expect(counts[0]).toBe(counts[1]);
    expect(counts[1]).toBeLessThanOrEqual(6 + 3);
  });

  it('counts exactly', async () => {
    const rig = await Rig.withDataKeys(300);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    const view = await getSwitch(rig.deps, place('s1'));
    const moved = (await Promise.all([...rig.plaintexts.keys()].map((id) => rig.dataKey(id)))).filter(
      (k) => k.companyKeyVersion === 2,
    );
    expect(view).toMatchObject({
      ok: true,
      value: { progress: { total: 300, done: moved.length, quarantined: 0, lost: 0 } },
    });
    await rig.drain();
    expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({
      value: { progress: { total: 300, done: 300, checked: 300 } },
    });
  });

  it.each([
    ['from customer to customer', CONTOSO, FABRIKAM, FABRIKAM_HOST],
    ['back to the vendor’s key', CONTOSO, MANAGED, VENDOR.host],
  ] as const)('goes %s', async (_title, first, second, host) => {
    const rig = await Rig.withDataKeys(40);
    await start(rig, 's1', first);
    await rig.drain();
    await start(rig, 's2', second);
    await rig.drain();
    expect((await switchOf(rig, 's2')).state).toBe('completed');
    expect((await companyKeyRow(rig, 3))?.value?.wraps.map((wrap) => wrap.host)).toEqual([host]);
    expect(await rig.openByCaller()).toBe(40);
  });

  it('to the key that is in force already is refused', async () => {
    const rig = await Rig.withDataKeys(1);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    expect(await start(rig, 's2', CONTOSO)).toMatchObject({
      ok: false,
      error: { type: 'state', code: 'same-vault-key' },
    });
  });

  it('two at once: one wins, the other is told which', async () => {
    const rig = await Rig.withDataKeys(5);
    const [one, two] = await Promise.all([start(rig, 's1', CONTOSO), start(rig, 's2', FABRIKAM)]);
    const won = one.ok ? 's1' : 's2';
    expect([one.ok, two.ok].sort()).toEqual([false, true]);
    expect(one.ok ? two : one).toMatchObject({ ok: false, error: { type: 'switch-in-progress', switchId: won } });
    await rig.drain();
    expect((await switchOf(rig, won)).state).toBe('completed');
  });

  it('asked for twice is one switch', async () => {
    const rig = await Rig.withDataKeys(5);
    await start(rig, 's1', CONTOSO);
    expect((await start(rig, 's1', CONTOSO)).ok).toBe(true);
    expect(await start(rig, 's1', FABRIKAM)).toMatchObject({ ok: false, error: { type: 'already-exists' } });
  });

  it('marks the connection as in use from its beginning, and the old one as free at its end', async () => {
    const rig = await Rig.withDataKeys(5);
    const usersOf = async (connectionId: string): Promise<readonly string[] | undefined> => {
      const found = await loadConnection(rig.deps, { companyId: COMPANY, connectionId });
      return found.ok ? found.value?.value.usedBy : undefined;
    };
    await start(rig, 's1', CONTOSO);
    expect(await usersOf('contoso')).toEqual(['switch|default|s1']);
    await rig.drain();
    expect(await usersOf('contoso')).toEqual(['keyring|default']);
    await start(rig, 's2', FABRIKAM);
    await rig.drain();
    expect([await usersOf('contoso'), await usersOf('fabrikam')]).toEqual([[], ['keyring|default']]);
  });
});

describe('the end of a switch', () => {
  it('is not left to the timer when the company’s row changes while the vault is asked for the last time', async () => {
    const rig = await Rig.withDataKeys(5, { shardCount: 1 });
    await start(rig, 's1', CONTOSO);
    rig.vaults.onCall = async ({ host }) => {
      if (host !== CONTOSO_HOST || !(await switchOf(rig, 's1')).lease) return;
      rig.vaults.onCall = undefined;
      const company = (await rig.store.read('companies', COMPANY, COMPANY_ROW_KEY))!;
      const merge = { kind: 'merge', rowKey: COMPANY_ROW_KEY, cells: {}, etag: company.etag } as const;
      expect((await rig.store.write('companies', COMPANY, [merge])).outcome).toBe('committed');
    };
    await rig.drain();
    expect(rig.vaults.onCall).toBeUndefined();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
  });
});

describe('cancelling', () => {
  it('before anything was touched just ends it, and the version number is never used again', async () => {
    const rig = await Rig.withDataKeys(20);
    await start(rig, 's1', CONTOSO);
    rig.vaults.fail({ operation: 'readKey', host: CONTOSO_HOST, failure: 'vault-unreachable', times: 1 });
    await rig.drain({ enough: async () => (await switchOf(rig, 's1')).state === 'preparing' });
    expect((await cancelSwitch(rig.deps, place('s1'), ADMIN)).ok).toBe(true);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('cancelled');
    await start(rig, 's2', CONTOSO);
    await rig.drain();
    expect(await keyringOf(rig)).toMatchObject({ activeVersion: 3, highVersion: 3 });
    expect(await rig.openByCaller()).toBe(20);
  });

  it('half-way rolls everything back, and nothing opens with the new provider', async () => {
    const rig = await Rig.withDataKeys(400);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('cancelled');
    expect(await keyringOf(rig)).toMatchObject({ provider: MANAGED, activeVersion: 1, highVersion: 2, rollBacks: 1 });
    expect((await companyKeyRow(rig, 1))?.value?.wraps.map((wrap) => wrap.host)).toEqual([VENDOR.host]);
    expect(await companyKeyRow(rig, 2)).toBeUndefined();
    expect(await rig.openByCaller()).toBe(400);
    for (const shard of await rig.shards()) expect(mayEndAt(shard, 1)).toBe(true);
  });

  it('before anything was touched, with its answer lost, is no refusal', async () => {
    const rig = await Rig.withDataKeys(3);
    await start(rig, 's1', CONTOSO);
    let lost = 0;
    const tables = tablesBut(rig.store, {
      write: async (...write) => {
        const written = await rig.store.write(...write);
        const isAct = write[0] === 'companies' && write[2][0]?.kind !== 'delete';
        return isAct && lost++ === 0 ? { outcome: 'unknown' } : written;
      },
    });
    expect(await cancelSwitch({ ...rig.deps, tables }, place('s1'), ADMIN)).toMatchObject({
      ok: true,
      value: { value: { state: 'cancelled' } },
    });
    expect(lost).toBe(1);
  });

  it('an ended switch is refused', async () => {
    const rig = await Rig.withDataKeys(3);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    expect(await cancelSwitch(rig.deps, place('s1'), ADMIN)).toMatchObject({
      ok: false,
      error: { code: 'switch-ended' },
    });
  });

  it('goes on from the other vault when the old one cannot be reached', async () => {
    const rig = await Rig.withDataKeys(50);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    rig.vaults.fail({ operation: 'any', host: VENDOR.host, failure: 'vault-unreachable' });
    rig.deps = rig.freshHost();
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
  });

  it('can be turned forward again', async () => {
    const rig = await Rig.withDataKeys(400);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    const before = (await switchOf(rig, 's1')).generation;
    await rig.drain({ enough: halfWay(rig) });
    await retrySwitch(rig.deps, { ...place('s1'), direction: 'forward' }, ADMIN);
    expect(await switchOf(rig, 's1')).toMatchObject({ state: 're-protecting', generation: before + 1 });
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(400);
  });
});

describe('waiting', () => {
  it('a paused switch moves no row until it is resumed', async () => {
    const rig = await Rig.withDataKeys(400);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    await pauseSwitch(rig.deps, place('s1'), ADMIN);
    const before = await rig.shards();
    await rig.drain();
    expect(await rig.shards()).toEqual(before);
    await resumeSwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
  });

  it('a vault in force that denies blocks the switch until somebody chooses; forward uses the other vault', async () => {
    const rig = await Rig.withDataKeys(400);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    rig.vaults.fail({ operation: 'any', host: VENDOR.host, failure: 'key-disabled' });
    rig.deps = rig.freshHost();
    await rig.drain();
    expect(await switchOf(rig, 's1')).toMatchObject({
      blocked: { reason: 'provider', side: 'source', failure: { code: 'key-disabled' } },
    });
    expect(await rig.openByCaller()).toBe(0);
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 's1')).blocked).toBeDefined();
    await retrySwitch(rig.deps, { ...place('s1'), direction: 'forward' }, ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(400);
  });

  it('a new vault that denies at the end blocks the switch, which goes on when the access is back', async () => {
    const rig = await Rig.withDataKeys(60);
    await start(rig, 's1', CONTOSO);
    await rig.drain({ enough: halfWay(rig) });
    rig.vaults.fail({ operation: 'any', host: CONTOSO_HOST, failure: 'key-disabled' });
    rig.deps = rig.freshHost();
    await rig.drain();
    expect(await switchOf(rig, 's1')).toMatchObject({ state: 're-protecting', blocked: { side: 'target' } });
    expect(await rig.openByCaller()).toBe(60);
    rig.vaults.heal();
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 's1')).state).toBe('completed');
  });
});

describe('a re-key', () => {
  it('changes the company key under the same provider', async () => {
    const rig = await Rig.withDataKeys(100);
    await startRekey(rig.deps, { ...place('r1') }, ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 'r1')).state).toBe('completed');
    expect(await keyringOf(rig)).toMatchObject({ provider: MANAGED, activeVersion: 2 });
    expect((await companyKeyRow(rig, 2))?.value?.wraps).toHaveLength(1);
    expect(await companyKeyRow(rig, 1)).toBeUndefined();
    expect(await rig.openByCaller()).toBe(100);
  });

  it('can be cancelled half-way', async () => {
    const rig = await Rig.withDataKeys(300);
    await startRekey(rig.deps, { ...place('r1') }, ADMIN);
    await rig.drain({ enough: halfWay(rig) });
    await cancelSwitch(rig.deps, place('r1'), ADMIN);
    await rig.drain();
    expect((await switchOf(rig, 'r1')).state).toBe('cancelled');
    expect((await companyKeyRow(rig, 1))?.value?.wraps).toHaveLength(1);
    expect(await rig.openByCaller()).toBe(300);
  });
});
