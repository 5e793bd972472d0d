// A writer of the tables can stop a switch, and grants it nothing: what was ordered and what lets it go on is sealed, and looked at where it counts.
import { describe, expect, it } from 'vitest';
import { switchCells } from '../../../shared/store/rows/switch-rows.ts';
import { companyKeyRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { cancelSwitch, confirmSwitch, retrySwitch } from '../../../shared/operations/switches/steer.ts';
import { commit } from '../../../shared/operations/switches/commit.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { chainOf } from '../audit/chain.ts';
import { ENTRA, register, remove, verifyAll } from '../tenants/tenant-rig.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, KEYRING, MANAGED, place, Rig, VENDOR } from '../switches/rig.ts';

const PLACE = place('s1');
const ROW = switchRowKey(KEYRING, 's1');

const switchOf = async (rig: Rig, switchId = 's1'): Promise<Switch> =>
  (await loadSwitch(rig.store, place(switchId)))!.value;
const forgeries = (rig: Rig): unknown[] =>
  chainOf(rig.store).flatMap(({ action, target }) => (action === 'security.row-forged' ? [target] : []));

/** One that waits for an admin of its company: the vendor ordered it. */
async function awaiting(): Promise<Rig> {
  const rig = await Rig.withDataKeys(4);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO, vendor: { maySwitch: false } }, ADMIN);
  await rig.drain();
  expect((await switchOf(rig)).state).toBe('pending-verification');
  return rig;
}

async function atWork(): Promise<Rig> {
  const rig = await Rig.withDataKeys(4);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
  return rig;
}

async function expectForged(rig: Rig): Promise<void> {
  const { state, blocked } = await switchOf(rig);
  expect(blocked).toMatchObject({ reason: 'provider', failure: { code: 'row-forged', facts: { detail: ROW } } });
  expect(state).not.toBe('completed');
  expect(forgeries(rig)).toContain(ROW);
}

const without = ({ awaitsConfirmation: _gone, ...sw }: Switch): Switch => sw;
const write = (rig: Rig, sw: Switch, rowKey = ROW): void =>
  rig.store.tamper('companies', COMPANY, rowKey, switchCells(sw));
const advance = async (rig: Rig): Promise<void> => {
  await rig.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...PLACE }]);
  await rig.drain();
};

describe('a switch that waits for an admin of its company', () => {
  it('is not confirmed by a writer of the tables', async () => {
    const rig = await awaiting();
    write(rig, without(await switchOf(rig)));
    await advance(rig);
    await expectForged(rig);
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it.each(['preparing', 're-protecting'] as const)('goes no further by being called %s', async (state) => {
    const rig = await awaiting();
    await rig.tamperSwitch('s1', { state, toVersion: 2 });
    await advance(rig);
    expect(await switchOf(rig)).toMatchObject({ state, awaitsConfirmation: true });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });

  it('does not end while its admin has not confirmed it, wherever it stands', async () => {
    const rig = await atWork();
    await rig.amendSwitch('s1', { awaitsConfirmation: true });
    await rig.drain();
    expect(await commit(rig.deps, PLACE)).toEqual({ type: 'wait', for: 'company-admin' });
    await confirmSwitch(rig.deps, PLACE, ADMIN);
    await rig.drain();
    expect((await switchOf(rig)).state).toBe('completed');
  });

  it('leads where the admin has confirmed it to, and nowhere else', async () => {
    const rig = await awaiting();
    await confirmSwitch(rig.deps, PLACE, ADMIN);
    for (const target of [FABRIKAM, MANAGED]) {
      write(rig, { ...(await switchOf(rig)), target });
      await rig.drain();
      await expectForged(rig);
    }
    expect(rig.vaults.countOf('unwrap')).toBe(0);
  });
});

it('a switch that waits for tenants does not get past them by being called preparing: nothing is wrapped by its target', async () => {
  const rig = await Rig.withDataKeys(4);
  await register(rig, ENTRA);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await rig.drain();
  await rig.tamperSwitch('s1', { state: 'preparing', toVersion: 2 });
  const before = rig.store.peek('companies', COMPANY, companyKeyRowKey(KEYRING, 1));
  await advance(rig);
  expect((await switchOf(rig)).state).toBe('preparing');
  expect(rig.store.peek('companies', COMPANY, companyKeyRowKey(KEYRING, 1))).toEqual(before);
  expect(rig.vaults.countOf('unwrap')).toBe(0);
  await verifyAll(rig, 's1', ENTRA);
  await rig.drain();
  expect((await switchOf(rig)).state).toBe('completed');
  expect(await rig.openByCaller()).toBe(4);
});

it.each<[string, (sw: Switch) => Switch]>([
  ['carries no seal', ({ seal: _none, ...sw }) => ({ ...sw, seal: undefined as never })],
  ['carries the seal of another', (sw) => ({ ...sw, seal: { ...sw.seal, signature: 'AAAA' } })],
  ['was asked for by another', (sw) => ({ ...sw, requestedBy: 'somebody' })],
])('a switch that %s is not begun', async (_what, change) => {
  const rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  write(rig, change(await switchOf(rig)));
  await rig.drain();
  await expectForged(rig);
});

it('a switch that is copied to another id is not begun under it', async () => {
  const rig = await Rig.withDataKeys(1);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  const copied = await switchOf(rig);
  await cancelSwitch(rig.deps, PLACE, ADMIN);
  await startSwitch(rig.deps, { ...place('s2'), target: FABRIKAM }, ADMIN);
  write(rig, { ...copied, switchId: 's2' }, switchRowKey(KEYRING, 's2'));
  await rig.drain();
  expect((await switchOf(rig, 's2')).blocked).toMatchObject({ failure: { code: 'row-forged' } });
});

describe('a switch that was removed from a tenant’s hold', () => {
  it('is not let go by a writer of the tables', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await remove(rig, ENTRA);
    await rig.drain();
    const { removedTenants, ...let_go } = await switchOf(rig);
    expect(removedTenants).toEqual([ENTRA]);
    write(rig, let_go);
    await advance(rig);
    await expectForged(rig);
  });

  it('takes no further tenant while somebody has forged it', async () => {
    const rig = await Rig.withDataKeys(1);
    await register(rig, ENTRA);
    await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
    await rig.tamperSwitch('s1', { target: FABRIKAM });
    expect(await remove(rig, ENTRA)).toMatchObject({ error: { failure: { code: 'row-forged' } } });
  });
});

describe('a denial by the vault in force', () => {
  it('is accepted by no writer of the tables', async () => {
    const rig = await atWork();
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'access-denied-rbac' });
    await rig.tamperSwitch('s1', { denialAccepted: true });
    rig.deps = rig.freshHost();
    rig.vaults.calls.length = 0;
    await rig.drain();
    await expectForged(rig);
    expect(rig.vaults.calls.filter(({ host }) => host === CONTOSO_HOST)).toEqual([]);
  });

  it('is not made accepted by an order on a switch that somebody has forged', async () => {
    const rig = await atWork();
    await rig.tamperSwitch('s1', { target: FABRIKAM });
    for (const order of [
      () => retrySwitch(rig.deps, { ...PLACE, direction: 'forward' }, ADMIN),
      () => retrySwitch(rig.deps, { ...PLACE, direction: 'forward' }, ADMIN),
    ]) {
      expect(await order()).toMatchObject({ error: { failure: { code: 'row-forged' } } });
    }
    expect((await switchOf(rig)).denialAccepted).toBe(false);
  });
});

it('a company key that cannot be kept is given up by no writer of the tables', async () => {
  const rig = await atWork();
  await rig.tamperSwitch('s1', { endsWithoutKeeping: true });
  expect(await commit(rig.deps, PLACE)).toMatchObject({ type: 'blocked', failure: { code: 'row-forged' } });
});

it('an order that changes nothing that is sealed costs no signature', async () => {
  const rig = await atWork();
  rig.vaults.calls.length = 0;
  await retrySwitch(rig.deps, PLACE, ADMIN);
  expect(rig.vaults.countOf('sign')).toBe(0);
});

it('nothing is ordered while nothing can be sealed', async () => {
  const rig = await Rig.withDataKeys(1);
  rig.vaults.fail({ operation: 'sign', failure: 'vault-unreachable', times: 1 });
  expect(await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN)).toMatchObject({
    error: { failure: { code: 'vault-unreachable' } },
  });
  expect(await loadSwitch(rig.store, PLACE)).toBeUndefined();
});
