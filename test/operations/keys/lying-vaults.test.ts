// A vault that hands out anything but the company key which was wrapped for it is caught at that very call: nothing is answered, written or
// moved under what it said, and with its true answer everything opens.
import { describe, expect, it } from 'vitest';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/store/control-state.ts';
import { generateDataKeys } from '../../../shared/operations/data-keys/generate.ts';
import { unwrapDataKeys } from '../../../shared/operations/data-keys/unwrap.ts';
import { retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { LIES, lie } from '../../fakes/lying-vaults.ts';
import { valueOf } from '../data-keys/world.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, MANAGED, place, Rig, VENDOR } from '../switches/rig.ts';

const KEYS = 6;
const KEYRING_PLACE = { companyId: COMPANY, keyringId: KEYRING };
const SUBSTITUTED = { code: 'key-substituted' };

async function start(rig: Rig, switchId: string, target: typeof CONTOSO): Promise<void> {
  valueOf(await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN));
}

/** Six data keys under the customer's key. */
async function underContoso(): Promise<Rig> {
  const rig = await Rig.withDataKeys(KEYS);
  await start(rig, 's1', CONTOSO);
  await rig.drain();
  expect(await rig.openByCaller()).toBe(KEYS);
  rig.log.entries.length = 0;
  return rig;
}

const securityEvents = (rig: Rig): string[] =>
  rig.log.entries.map(({ event }) => event).filter((event) => event.startsWith('security.'));
const stored = (rig: Rig): unknown[] => [...rig.store.dump()].filter(({ table }) => table === 'datakeys');
const blockedOf = async (rig: Rig, switchId: string): Promise<unknown> =>
  (await loadSwitch(rig.store, place(switchId)))?.value.blocked;

describe.each(Object.entries(LIES))('a vault that answers with %s', (_, how) => {
  it('makes no data key and opens none, and is told as a security event', async () => {
    const rig = await underContoso();
    const before = stored(rig);
    const honest = lie(rig.vaults, CONTOSO_HOST, how);
    const made = await generateDataKeys(rig.freshHost(), {
      ...KEYRING_PLACE,
      keys: [{ keyId: 'fresh' }],
      request: { requestId: 'r' },
    });
    expect(made).toMatchObject({ ok: false, error: { type: 'failure', failure: SUBSTITUTED } });
    expect(stored(rig)).toEqual(before);
    const keyIds = [...rig.plaintexts.keys()];
    const opened = valueOf(await unwrapDataKeys(rig.freshHost(), { ...KEYRING_PLACE, keyIds }));
    expect(opened).toMatchObject(keyIds.map((keyId) => ({ keyId, outcome: 'failure', failure: SUBSTITUTED })));
    expect(new Set(securityEvents(rig))).toEqual(new Set(['security.key-substituted']));
    honest();
    expect(await rig.openByCaller()).toBe(KEYS);
  });

  it('is never switched to: no wrap of it is stored', async () => {
    const rig = await Rig.withDataKeys(KEYS);
    lie(rig.vaults, CONTOSO_HOST, how);
    await start(rig, 's1', CONTOSO);
    await rig.drain();
    expect(await blockedOf(rig, 's1')).toMatchObject({ side: 'target', failure: SUBSTITUTED });
    expect((await loadCompanyKeyRow(rig.store, { ...KEYRING_PLACE, version: 1 }))?.value?.wraps).toHaveLength(1);
    expect(await loadCompanyKeyRow(rig.store, { ...KEYRING_PLACE, version: 2 })).toBeUndefined();
    expect(await rig.openByCaller()).toBe(KEYS);
  });

  it('is left only once it tells the truth', async () => {
    const rig = await underContoso();
    const honest = lie(rig.vaults, CONTOSO_HOST, how);
    await start(rig, 's2', MANAGED);
    await rig.drain();
    expect(await blockedOf(rig, 's2')).toMatchObject({ side: 'source', failure: SUBSTITUTED });
    honest();
    valueOf(await retrySwitch(rig.deps, place('s2'), ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s2')))?.value.state).toBe('completed');
    expect(await rig.openByCaller()).toBe(KEYS);
  });

  it('moves no row when it begins to lie in the middle of the work', async () => {
    const rig = await Rig.withDataKeys(KEYS);
    await start(rig, 's1', CONTOSO);
    const isPrepared = async (): Promise<boolean> =>
      (await loadSwitch(rig.store, place('s1')))?.value.state === 're-protecting';
    await rig.drain({ enough: isPrepared });
    rig.deps = rig.freshHost();
    const lies = [lie(rig.vaults, CONTOSO_HOST, how), lie(rig.vaults, VENDOR.host, how)];
    const versions = async (): Promise<number[]> =>
      Promise.all([...rig.plaintexts.keys()].map(async (keyId) => (await rig.dataKey(keyId)).companyKeyVersion));
    const before = await versions();
    await rig.drain();
    expect(await blockedOf(rig, 's1')).toMatchObject({ failure: SUBSTITUTED });
    expect(await versions()).toEqual(before);
    for (const honest of lies.reverse()) honest();
    expect(await rig.openByCaller()).toBe(KEYS);
    rig.deps = rig.freshHost();
    valueOf(await retrySwitch(rig.deps, place('s1'), ADMIN));
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s1')))?.value.state).toBe('completed');
    expect(await rig.openByCaller()).toBe(KEYS);
  });
});
