import { asRead } from '../../fakes/providers.ts';
import { describe, expect, it } from 'vitest';
import { switchCells } from '../../../shared/store/rows/switch-rows.ts';
import {
  companyKeyRowKey,
  connectionRowKey,
  keyringRowKey,
  switchRowKey,
} from '../../../shared/store/rows/row-keys.ts';
import { makeWrap } from '../../../shared/operations/keys/make-wrap.ts';
import { loadCompanyKeyRow, loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { handleDeadLetter } from '../../../shared/operations/switches/dead-letter.ts';
import { followKeyVersion } from '../../../shared/operations/watch/follow-key-version.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { parseWorkMessage } from '../../../shared/domain/work-message.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { keyVersionOf } from '../../fakes/fake-vaults.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';

const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...place('s1') } as const;
const stateOf = async (rig: Rig): Promise<string | undefined> =>
  (await loadSwitch(rig.store, place('s1')))?.value.state;

async function switched(keys = 10): Promise<Rig> {
  const rig = await Rig.withDataKeys(keys);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  rig.vaults.calls.length = 0;
  return rig;
}

describe('following a new version of the same key', () => {
  const follow = (rig: Rig): ReturnType<typeof followKeyVersion> =>
    followKeyVersion(rig.deps, { companyId: COMPANY, keyringId: KEYRING, ref: CONTOSO }, ADMIN);

  it('rewraps the company key under it and touches no data key', async () => {
    const rig = await switched();
    const before = await rig.dataKey('key-000001');
    rig.vaults.addKey({ host: CONTOSO_HOST, keyName: 'customer-key', fixture: 'rsa-2048-4' });
    expect(await follow(rig)).toMatchObject({
      ok: true,
      value: { rewrapped: 1, keyId: expect.stringContaining(keyVersionOf(2)) as string },
    });
    const row = await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 2 });
    expect(row?.value?.wraps[0]?.keyId).toContain(keyVersionOf(2));
    expect(await rig.dataKey('key-000001')).toEqual(before);
    expect(await rig.openByCaller()).toBe(10);
  });

  it('twice changes nothing more', async () => {
    const rig = await switched();
    expect(await follow(rig)).toMatchObject({ ok: true, value: { rewrapped: 0 } });
  });

  it('beside a prepare that wraps under the older version ends with every row under the newer', async () => {
    const rig = await Rig.withDataKeys(10);
    rig.vaults.addKey({ host: VENDOR.host, keyName: VENDOR.keyName, fixture: 'rsa-2048-4' });
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const managed = { companyId: COMPANY, keyringId: KEYRING, ref: { provider: 'managed' } } as const;
    await Promise.all([rig.drain(), followKeyVersion(rig.deps, managed, ADMIN)]);
    await followKeyVersion(rig.deps, managed, ADMIN);
    expect(await stateOf(rig)).toBe('completed');
    expect(await rig.openByCaller()).toBe(10);
  });

  it('to a key that is unfit is refused and changes nothing', async () => {
    const rig = await switched();
    rig.vaults.addKey({
      host: CONTOSO_HOST,
      keyName: 'customer-key',
      fixture: 'rsa-2048-4',
      change: { keyOps: ['encrypt'] },
    });
    expect(await follow(rig)).toMatchObject({ ok: false, error: { failure: { code: 'key-operation-not-permitted' } } });
    expect(await rig.openByCaller()).toBe(10);
  });
});

describe("the vendor's own key that is unfit", () => {
  const unfit = { code: 'key-operation-not-permitted', owner: 'vendor' };
  const spoil = (rig: Rig): unknown =>
    rig.vaults.addKey({
      host: VENDOR.host,
      keyName: VENDOR.keyName,
      fixture: 'rsa-2048-4',
      change: { keyOps: ['encrypt'] },
    });

  it('is for the vendor to mend when its newest version is to be followed', async () => {
    const rig = await Rig.withDataKeys(1);
    spoil(rig);
    const managed = { companyId: COMPANY, keyringId: KEYRING, ref: { provider: 'managed' } } as const;
    expect(await followKeyVersion(rig.deps, managed, ADMIN)).toMatchObject({ error: { failure: unfit } });
  });

  it('and when a switch leads back to it', async () => {
    const rig = await switched();
    spoil(rig);
    await startSwitch(rig.deps, { ...place('s2'), target: { provider: 'managed' } }, ADMIN);
    await rig.drain();
    expect((await loadSwitch(rig.store, place('s2')))?.value.blocked).toMatchObject({ side: 'target', failure: unfit });
  });
});

describe('rows that were forged', () => {
  it('a company key re-wrapped with the customer’s public key stops the work by name, with no vault call', async () => {
    const rig = await switched();
    const target = { ref: CONTOSO, host: CONTOSO_HOST, keyName: 'customer-key', tenantId: VENDOR.tenantId };
    const vaultKey = await rig.vaults.readKey(target);
    const context = { companyId: COMPANY, keyringId: KEYRING, version: 2 };
    const row = (await loadCompanyKeyRow(rig.store, context))!;
    const mine = { sign: () => Promise.resolve({ ok: true, value: row.value!.wraps[0]!.seal } as const) };
    const key = rig.vaults.addKey({ host: FABRIKAM_HOST, keyName: 'scratch', fixture: 'rsa-2048-2' }).describes;
    const wrap = await makeWrap(
      { sealer: mine, providers: rig.deps.providers },
      {
        target,
        key: { ...asRead(key), keyId: row.value!.wraps[0]!.keyId },
        companyKey: Buffer.alloc(32),
        context,
      },
    );
    expect(vaultKey.ok || wrap.ok).toBe(true);
    if (!wrap.ok) return;
    const stored = await rig.store.read('companies', COMPANY, companyKeyRowKey(KEYRING, 2));
    const forged = [{ ...wrap.value, tenantId: row.value!.wraps[0]!.tenantId }];
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), {
      ...stored?.cells,
      wraps: JSON.stringify(forged),
    });
    rig.vaults.calls.length = 0;
    expect(await rig.openByCaller()).toBe(0);
    expect(rig.vaults.calls.filter(({ operation }) => operation === 'unwrap' || operation === 'readKey')).toEqual([]);
    expect(rig.log.events()).toContain('security.row-forged');
  });

  it('a connection pointed at another vault blocks the switch by name, with no call to either vault', async () => {
    const rig = await Rig.withDataKeys(5);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const row = await rig.store.read('companies', COMPANY, connectionRowKey('contoso'));
    rig.store.tamper('companies', COMPANY, connectionRowKey('contoso'), { ...row?.cells, host: FABRIKAM_HOST });
    rig.vaults.calls.length = 0;
    await rig.drain();
    expect(await loadSwitch(rig.store, place('s1'))).toMatchObject({
      value: { blocked: { failure: { code: 'row-forged' } } },
    });
    expect(rig.vaults.calls.filter(({ host }) => host === FABRIKAM_HOST || host === CONTOSO_HOST)).toEqual([]);
  });

  it('a forged connection does not hold a switch that is cancelled', async () => {
    const rig = await Rig.withDataKeys(5);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const row = await rig.store.read('companies', COMPANY, connectionRowKey('contoso'));
    rig.store.tamper('companies', COMPANY, connectionRowKey('contoso'), { ...row?.cells, host: FABRIKAM_HOST });
    expect((await cancelSwitch(rig.deps, place('s1'), ADMIN)).ok).toBe(true);
    expect(await stateOf(rig)).toBe('cancelled');
  });

  it('a keyring said to be the vendor’s is not re-keyed out of its company’s hands', async () => {
    const rig = await switched();
    const rowKey = keyringRowKey(KEYRING);
    const row = await rig.store.read('companies', COMPANY, rowKey);
    const forged = { ...row?.cells, inForceProvider: 'managed', inForceConnectionId: '' };
    rig.store.tamper('companies', COMPANY, rowKey, forged);
    await startRekey(rig.deps, { ...place('s2') }, ADMIN);
    await rig.drain();
    expect(await loadSwitch(rig.store, place('s2'))).toMatchObject({
      value: { state: 'preparing', blocked: { failure: { code: 'row-forged' } } },
    });
    expect(rig.vaults.calls.filter(({ operation }) => operation === 'unwrap' || operation === 'readKey')).toEqual([]);
    expect(await rig.openByCaller()).toBe(10);
  });

  it('a re-key finds a forged company key before any vault is asked', async () => {
    const rig = await switched();
    const stored = await rig.store.read('companies', COMPANY, companyKeyRowKey(KEYRING, 2));
    const wraps = String(stored?.cells['wraps']).replace(/"signature":"..../, '"signature":"AAAA');
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 2), { ...stored?.cells, wraps });
    await startRekey(rig.deps, { ...place('r1') }, ADMIN);
    rig.vaults.calls.length = 0;
    await rig.drain();
    const sw = await loadSwitch(rig.store, place('r1'));
    expect(sw).toMatchObject({ value: { state: 'preparing', blocked: { failure: { code: 'row-forged' } } } });
    expect(rig.vaults.calls.filter(({ operation }) => operation !== 'publicKey')).toEqual([]);
  });

  it('a wrap copied from another company’s row is refused', async () => {
    const rig = await switched();
    const row = (await loadCompanyKeyRow(rig.store, { companyId: COMPANY, keyringId: KEYRING, version: 2 }))!;
    const stored = await rig.store.read('companies', COMPANY, companyKeyRowKey(KEYRING, 2));
    rig.store.tamper('companies', COMPANY, companyKeyRowKey(KEYRING, 3), {
      ...stored?.cells,
      wraps: JSON.stringify(row.value!.wraps),
    });
    await rig.tamperDataKey('key-000001', { companyKeyVersion: 3 });
    rig.vaults.calls.length = 0;
    expect(await rig.openByCaller()).toBe(9);
    expect(rig.vaults.countOf('unwrap')).toBe(1);
  });
});

describe('messages', () => {
  it.each([
    ['no object', 'text'],
    ['an unknown format', { ...ADVANCE, format: 2 }],
    ['an unknown kind', { ...ADVANCE, kind: 'drop-tables' }],
    ['an unknown field', { ...ADVANCE, cursor: 'x' }],
    ['an id that is none', { ...ADVANCE, companyId: '../etc' }],
    ['a range of shards that is none', { ...ADVANCE, kind: 'reprotect', generation: 1, firstShard: 3, lastShard: 1 }],
  ])('that are malformed (%s) are not understood', (_title, value) => {
    expect(parseWorkMessage(value).ok).toBe(false);
  });

  it('for a switch that does not exist are recorded once as poison and done with', async () => {
    const rig = await Rig.withDataKeys(1);
    await handleSwitchWork(rig.deps, ADVANCE);
    await handleSwitchWork(rig.deps, ADVANCE);
    const poison = [...rig.store.dump()].filter(({ rowKey }) => rowKey.startsWith('poison|'));
    expect(poison).toMatchObject([{ partitionKey: '_system', cells: { reason: 'no such switch' } }]);
    expect(rig.queue.size).toBe(0);
  });

  it('of an older generation, or for a switch that has ended, change nothing', async () => {
    const rig = await switched();
    const before = [...rig.store.dump()];
    await handleSwitchWork(rig.deps, { ...ADVANCE, kind: 'reprotect', generation: 1, firstShard: 0, lastShard: 3 });
    await handleSwitchWork(rig.deps, ADVANCE);
    expect([...rig.store.dump()]).toEqual(before);
  });

  it('that the queue gave up on block the switch with the reason, until somebody retries', async () => {
    const rig = await Rig.withDataKeys(5);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    const message = rig.queue.take();
    await handleDeadLetter(rig.deps, { body: message, reason: 'MaxDeliveryCountExceeded', messageId: 'm-1' });
    expect(await loadSwitch(rig.store, place('s1'))).toMatchObject({
      value: { blocked: { reason: 'dead-letter', detail: 'MaxDeliveryCountExceeded' } },
    });
    await retrySwitch(rig.deps, place('s1'), ADMIN);
    await rig.drain();
    expect(await stateOf(rig)).toBe('completed');
  });
});

it('a message given up on after its switch was turned blocks nothing', async () => {
  const rig = await Rig.withDataKeys(5);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await stateOf(rig)) === 're-protecting' });
  const message = rig.queue.take();
  expect(message).toMatchObject({ kind: 'reprotect', generation: 1 });
  await cancelSwitch(rig.deps, place('s1'), ADMIN);
  await handleDeadLetter(rig.deps, { body: message, reason: 'MaxDeliveryCountExceeded' });
  await rig.drain();
  expect(await stateOf(rig)).toBe('cancelled');
});

it('a switch row that cannot be read is a bug, not an answer', async () => {
  const rig = await Rig.withDataKeys(1);
  const cells = switchCells((await started(rig))!);
  rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, 's1'), { ...cells, state: 'nonsense' });
  await expect(handleSwitchWork(rig.deps, ADVANCE)).rejects.toThrow('row switch|default|s1');
});

async function started(rig: Rig) {
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  return (await loadSwitch(rig.store, place('s1')))?.value;
}
