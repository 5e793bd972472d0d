// What a switch must be able to show before any vault is asked: consent to its target, young enough, and the claim to the key.
import { beforeEach, describe, expect, it } from 'vitest';
import { CLAIM_ROW_KEY, claimPartition, connectionRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { lackOfProof, type Proving } from '../../../shared/operations/switches/gate.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FakeSignIns } from '../../fakes/fake-sign-ins.ts';
import { codeOf, globalAdminOf, Walk } from '../sign-ins/walk.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, CUSTOMER_TENANT, MANAGED, place, Rig } from './rig.ts';

const DAY_MS = 24 * 3_600_000;
const CLAIM = claimPartition({ host: CONTOSO_HOST, keyName: 'customer-key' });

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.withDataKeys(6);
  rig.deps = { ...rig.deps, consentMs: DAY_MS };
  rig.vaults.calls.length = 0;
});

const order = (switchId = 's1'): ReturnType<typeof startSwitch> =>
  startSwitch(rig.deps, { ...place(switchId), target: CONTOSO }, ADMIN);
const switchNow = async (switchId = 's1'): Promise<NonNullable<Awaited<ReturnType<typeof loadSwitch>>>['value']> =>
  (await loadSwitch(rig.store, place(switchId)))!.value;
const vaultCalls = (): string[] =>
  rig.vaults.calls.map(({ operation }) => operation).filter((operation) => !['sign', 'publicKey'].includes(operation));

async function withoutConsent(): Promise<void> {
  const rowKey = connectionRowKey('contoso');
  const row = await rig.store.read('companies', COMPANY, rowKey);
  rig.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, consent: '' });
}

/** An administrator of the customer's tenant goes through a new link. */
async function consentAnew(): Promise<void> {
  const deps = {
    ...rig.deps,
    signIns: new FakeSignIns(rig.clock),
    signInTimes: { linkMs: DAY_MS, stepMs: 600_000 },
  };
  const walked = await new Walk(deps).through(
    { companyId: COMPANY, connectionId: 'contoso' },
    globalAdminOf(CUSTOMER_TENANT),
  );
  expect(codeOf(walked)).toBeUndefined();
}

describe('a switch to a vault key', () => {
  it('is not begun without consent, nor with one that is too old', async () => {
    await withoutConsent();
    expect(codeOf(await order())).toBe('consent-required');
    await consentAnew();
    rig.clock.advance(DAY_MS + 1);
    expect(codeOf(await order())).toBe('consent-required');
    await consentAnew();
    expect(codeOf(await order())).toBeUndefined();
  });

  it('waits for consent that grew too old before it left its verification, and goes on by itself once there is another', async () => {
    expect(codeOf(await order())).toBeUndefined();
    rig.clock.advance(DAY_MS + 1);
    await rig.drain();
    expect(await switchNow()).toMatchObject({
      state: 'pending-verification',
      blocked: { side: 'target', failure: { code: 'consent-required' } },
    });
    expect(vaultCalls()).toEqual([]);
    await consentAnew();
    await rig.drain();
    expect((await switchNow()).state).toBe('completed');
    expect(await rig.openByCaller()).toBe(6);
  });

  it('asks nothing of a vault whose key belongs to another company by now', async () => {
    expect(codeOf(await order())).toBeUndefined();
    const claim = await rig.store.read('vaultkeys', CLAIM, CLAIM_ROW_KEY);
    rig.store.tamper('vaultkeys', CLAIM, CLAIM_ROW_KEY, { ...claim?.cells, companyId: 'globex' });
    await rig.drain();
    expect(await switchNow()).toMatchObject({ blocked: { failure: { code: 'vault-key-in-use' } } });
    expect(vaultCalls()).toEqual([]);
  });

  it('reads the claim again when it prepares', async () => {
    expect(codeOf(await order())).toBeUndefined();
    const claim = await rig.store.read('vaultkeys', CLAIM, CLAIM_ROW_KEY);
    rig.vaults.onCall = ({ operation, host }) => {
      if (operation !== 'readKey' || host === CONTOSO_HOST) return;
      rig.store.tamper('vaultkeys', CLAIM, CLAIM_ROW_KEY, { ...claim?.cells, state: 'releasing' });
    };
    await rig.drain();
    expect(await switchNow()).toMatchObject({
      state: 'preparing',
      blocked: { side: 'target', failure: { code: 'consent-required' } },
    });
    expect(rig.vaults.calls.some(({ host }) => host === CONTOSO_HOST)).toBe(false);
  });

  it('needs no proof for the way back to the vendor, nor for a re-key under a key in force', async () => {
    expect(codeOf(await order())).toBeUndefined();
    await rig.drain();
    rig.clock.advance(300 * DAY_MS);
    expect(codeOf(await startRekey(rig.deps, place('s2'), ADMIN))).toBeUndefined();
    await rig.drain();
    expect((await switchNow('s2')).state).toBe('completed');
    expect(codeOf(await startSwitch(rig.deps, { ...place('s3'), target: MANAGED }, ADMIN))).toBeUndefined();
    await rig.drain();
    expect((await switchNow('s3')).state).toBe('completed');
    expect(codeOf(await order('s4'))).toBe('consent-required');
  });

  it('gets no company key out of a vault whose consent somebody took out of the tables', async () => {
    expect(codeOf(await order())).toBeUndefined();
    await rig.drain();
    await withoutConsent();
    rig.deps = { ...rig.deps, ...rig.freshHost() };
    rig.vaults.calls.length = 0;
    expect(codeOf(await startRekey(rig.deps, place('s2'), ADMIN))).toBeUndefined();
    await rig.drain();
    expect(await switchNow('s2')).toMatchObject({ blocked: { failure: { code: 'consent-required' } } });
    expect(vaultCalls()).toEqual([]);
  });
});

describe('what a switch lacks', () => {
  const toVault = { kind: 'switch', target: CONTOSO } as const;
  const lack = async (sw: Pick<Switch, 'kind' | 'target'>, deps: Proving = rig.deps): Promise<string | undefined> =>
    (await lackOfProof(deps, COMPANY, sw))?.code;
  const rowKey = connectionRowKey('contoso');

  it('is consent, but not for a re-key, which stays where it is', async () => {
    expect(await lack(toVault)).toBeUndefined();
    await withoutConsent();
    expect(await lack(toVault)).toBe('consent-required');
    expect(await lack({ ...toVault, kind: 'rekey' })).toBeUndefined();
  });

  it('is nothing on the way to the vendor, and nothing is read for that', async () => {
    const read = (): never => expect.fail('was read');
    expect(await lack({ kind: 'switch', target: MANAGED }, { ...rig.deps, tables: { read } })).toBeUndefined();
  });

  it('is told of a connection that somebody forged, and left to others of one that is gone', async () => {
    const { cells, etag } = rig.store.peek('companies', COMPANY, rowKey)!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    expect(await lack(toVault)).toBeUndefined();
    rig.store.tamper('companies', COMPANY, rowKey, { ...cells, host: 'evil.vault.azure.net' });
    expect(await lack(toVault)).toBe('row-forged');
  });
});
