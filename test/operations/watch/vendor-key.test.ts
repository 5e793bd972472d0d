// The vendor rotates their own key: every keyring that it wraps follows, in slices, and nothing is walked while there is nothing to follow.
import { beforeEach, describe, expect, it } from 'vitest';
import type { ProviderRef } from '../../../shared/domain/provider.ts';
import { agendaRowKey, renewOnAgenda, vendorKeyItemOf } from '../../../shared/store/agenda.ts';
import { find } from '../../../shared/store/found.ts';
import { vendorKeyRow } from '../../../shared/store/rows/vendor-key-rows.ts';
import { companyKeyRowKey } from '../../../shared/store/rows/row-keys.ts';
import { loadCompanyKeyRow } from '../../../shared/store/control-state.ts';
import { putKeyring } from '../../../shared/operations/keyrings/keyrings.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { followVendorKey, isVendorKeySettled } from '../../../shared/operations/watch/vendor-key.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { agendaIn } from '../audit/chain.ts';
import { COMPANY, CONTOSO, MANAGED, place, Rig, VENDOR } from '../switches/rig.ts';

const KEYRINGS = ['one', 'two', 'three'];
let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(1, { shardCount: 1 });
  for (const keyringId of KEYRINGS) await putKeyring(rig.freshHost(), { companyId: COMPANY, keyringId }, ADMIN);
  await turn();
  rig.vaults.calls.length = 0;
});

const turn = (): Promise<number> => followVendorKey(rig.freshHost());
const rotate = (): string =>
  rig.vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-2048-3' }).describes.keyId;
const wrappedBy = async (keyringId: string): Promise<readonly string[]> => {
  const row = await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId, version: 1 });
  return row?.value?.wraps.map(({ keyId }) => keyId) ?? [];
};
const state = async () => (await find(rig.store, vendorKeyRow, {}))!.value!;

describe('a new version of the vendor’s own key', () => {
  it('is followed by every keyring that it wraps, with two calls for each and one for the version before', async () => {
    const keyId = rotate();
    expect(await turn()).toBe(3);
    for (const keyringId of KEYRINGS) expect(await wrappedBy(keyringId)).toEqual([keyId]);
    expect(rig.vaults.countOf('readKey')).toBe(2);
    expect(rig.vaults.countOf('unwrap')).toBe(2 * KEYRINGS.length);
    expect(await state()).toMatchObject({ keyId, wholeAt: expect.any(String) as unknown });
  });

  it('is looked for with one call a turn; nothing is listed and nothing written where there is none', async () => {
    rig.clock.advance(600_000);
    await turn();
    const tables = new FaultyTables(rig.store);
    for (let turns = 0; turns < 3; turns += 1) {
      rig.clock.advance(300_000);
      expect(await followVendorKey({ ...rig.freshHost(tables) })).toBe(0);
    }
    expect(rig.vaults.countOf('readKey')).toBe(4);
    expect(tables.writes).toEqual([]);
  });

  it('has settled once a second round has seen what a process that was about to write under the older one has written', async () => {
    const older = await wrappedBy('one');
    const rowKey = companyKeyRowKey('one', 1);
    const { cells } = rig.store.peek('companies', COMPANY, rowKey)!;
    const keyId = rotate();
    await turn();
    expect(isVendorKeySettled(await state())).toBe(false);
    // A process that had read the older version writes only now.
    rig.store.tamper('companies', COMPANY, rowKey, cells);
    expect(await wrappedBy('one')).toEqual(older);
    rig.clock.advance(600_000);
    expect(await turn()).toBe(1);
    expect(await wrappedBy('one')).toEqual([keyId]);
    expect(isVendorKeySettled(await state())).toBe(true);
  });

  it('is followed again where a turn ended half way: what has followed is not looked at once more', async () => {
    const keyId = rotate();
    rig.vaults.onCall = ({ operation }) => {
      if (operation === 'unwrap' && rig.vaults.countOf('unwrap') === 4)
        rig.vaults.fail({ operation: 'unwrap', failure: 'throttled' });
    };
    const first = await turn();
    expect(first).toBeLessThan(3);
    expect((await state()).wholeAt).toBeUndefined();
    rig.vaults.onCall = undefined;
    rig.vaults.heal();
    expect(await turn()).toBe(3 - first);
    for (const keyringId of KEYRINGS) expect(await wrappedBy(keyringId)).toEqual([keyId]);
    expect((await state()).wholeAt).toBeDefined();
  });

  it('that cannot be used is not followed, and the log says so', async () => {
    const before = await wrappedBy('one');
    rotate();
    Object.assign(rig.vaults.newestKey(VENDOR.host).describes, { keyOps: ['wrapKey'] });
    expect(await turn()).toBe(0);
    expect(await wrappedBy('one')).toEqual(before);
    expect(rig.log.events()).toContain('vendor-key.not-followed');
  });

  it('is not followed while the version before is disabled: that is logged once, and no keyring is tried', async () => {
    Object.assign(rig.vaults.newestKey(VENDOR.host).describes, { enabled: false });
    rotate();
    rig.log.entries.length = 0;
    expect(await turn()).toBe(0);
    expect(rig.vaults.countOf('unwrap')).toBe(0);
    expect(rig.log.entries.filter(({ event }) => event === 'vendor-key.not-read')).toHaveLength(1);
  });

  it('warns of its expiry in the log, once for each threshold', async () => {
    const describes = rig.vaults.newestKey(VENDOR.host).describes;
    Object.assign(describes, { expires: new Date(rig.clock.now().getTime() + 20 * 86_400_000) });
    await turn();
    await turn();
    const warned = rig.log.entries.filter(({ event }) => event === 'vendor-key.warning');
    expect(warned).toMatchObject([{ detail: { code: 'key-expires-in-a-month' } }]);
  });
});

describe('a keyring on the agenda', () => {
  const items = (): string[] => agendaIn(rig.store, 'vendor-key');
  const item = agendaRowKey(vendorKeyItemOf({ companyId: COMPANY, keyringId: 'default' }));

  it('leaves it when no wrap of the vendor’s key is left, and comes back with a switch to that key', async () => {
    const switchTo = async (switchId: string, target: ProviderRef): Promise<void> => {
      await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
      await rig.drain();
    };
    await switchTo('s1', CONTOSO);
    expect(items()).not.toContain(item);
    await startSwitch(rig.deps, { ...place('s2'), target: MANAGED }, ADMIN);
    expect(items()).toContain(item);
    rotate();
    await turn();
    expect(items()).toContain(item);
    await rig.drain();
    await switchTo('s3', CONTOSO);
    rotate();
    await turn();
    rig.clock.advance(600_000);
    await turn();
    expect(items()).not.toContain(item);
  });

  it('stays on it where a round looks between its being put on and its first key, and follows with the second round', async () => {
    const tables = new FaultyTables(rig.store);
    let keyId = '';
    tables
      .atNext(({ writes }) => writes.some(({ rowKey }) => rowKey === 'keyring|late'))
      .comesAfter(async () => {
        keyId = rotate();
        await turn();
      });
    await putKeyring(rig.freshHost(tables), { companyId: COMPANY, keyringId: 'late' }, ADMIN);
    expect(await wrappedBy('late')).not.toEqual([keyId]);
    rig.clock.advance(600_000);
    expect(await turn()).toBe(1);
    expect(await wrappedBy('late')).toEqual([keyId]);
    expect(isVendorKeySettled(await state())).toBe(true);
  });

  it('stays on it where it was put on anew since a round found nothing', async () => {
    const nothing = { companyId: COMPANY, keyringId: 'nothing' };
    await renewOnAgenda(rig.store, vendorKeyItemOf(nothing));
    rotate();
    await turn();
    rig.clock.advance(600_000);
    await renewOnAgenda(rig.store, vendorKeyItemOf(nothing));
    await turn();
    expect(items()).toContain(agendaRowKey(vendorKeyItemOf(nothing)));
    rig.clock.advance(600_000);
    rotate();
    await turn();
    expect(items()).not.toContain(agendaRowKey(vendorKeyItemOf(nothing)));
  });
});
