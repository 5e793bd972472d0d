// Tenants before and during a switch: what it waits for, what lets it go on, and what does not count.
import { describe, expect, it } from 'vitest';
import { MAX_TENANTS_PER_COMPANY, type TenantRef } from '../../../shared/domain/tenant.ts';
import type { Verification } from '../../../shared/domain/verification.ts';
import { connectionCells, readConnection } from '../../../shared/store/rows/sealed-rows.ts';
import { COMPANY_ROW_KEY, connectionRowKey, tenantRowKey } from '../../../shared/store/rows/row-keys.ts';
import { tenantCells } from '../../../shared/store/rows/tenant-rows.ts';
import { cancelSwitch } from '../../../shared/operations/switches/steer.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { leaveVerification } from '../../../shared/operations/switches/gate.ts';
import { tenantsThatHold } from '../../../shared/operations/switches/gate.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startRekey, startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, FABRIKAM, MANAGED, place, Rig } from '../switches/rig.ts';
import {
  ENTRA,
  GOOGLE,
  HOUR_MS,
  OTHER_ENTRA,
  plant,
  register,
  remove,
  stateOf,
  taken,
  verify,
  verifyAll,
  viewOf,
} from './tenant-rig.ts';

const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...place('s1') } as const;
const TENANT_ORDER = [GOOGLE, ENTRA, OTHER_ENTRA];

/** A switch with these tenants, as far as it goes by itself. */
async function begun(...tenants: readonly TenantRef[]): Promise<Rig> {
  const rig = await Rig.withDataKeys(12);
  await register(rig, ...tenants);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  rig.vaults.calls.length = 0;
  return rig;
}

const completes = async (rig: Rig, switchId = 's1'): Promise<void> => {
  await rig.drain();
  expect(await stateOf(rig, switchId)).toBe('completed');
  expect(await rig.openByCaller()).toBe(12);
};

/** All the work is done, and a tenant that came while it went on is not verified. */
async function heldAtItsEnd(...later: readonly TenantRef[]): Promise<Rig> {
  const rig = await Rig.withDataKeys(12);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
  await register(rig, ...later);
  await rig.drain();
  return rig;
}

describe('a switch of a company with tenants', () => {
  it('waits for all of them before anything is asked of a vault, and says for whom', async () => {
    const rig = await begun(ENTRA, OTHER_ENTRA, GOOGLE);
    expect(await viewOf(rig, 's1')).toMatchObject({
      state: 'pending-verification',
      unverifiedTenants: TENANT_ORDER,
      waitsFor: 'tenants',
    });
    await verifyAll(rig, 's1', ENTRA, OTHER_ENTRA);
    await rig.drain();
    expect(await viewOf(rig, 's1')).toMatchObject({
      state: 'pending-verification',
      unverifiedTenants: [GOOGLE],
      waitsFor: 'tenants',
    });
    expect(rig.vaults.calls.filter(({ host }) => host !== '')).toEqual([]);
  });

  it('waits for one of a kind that is not registered: nobody can verify it, and it does not count as none', async () => {
    const rig = await Rig.withDataKeys(1);
    const unknown: TenantRef = { kind: 'github', tenantId: 'contoso' };
    const cells = tenantCells({ ...unknown, registeredAt: rig.clock.now().toISOString() });
    await rig.store.write('companies', COMPANY, [{ kind: 'insert', rowKey: tenantRowKey(unknown), cells }]);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain();
    expect(await viewOf(rig, 's1')).toMatchObject({ state: 'pending-verification', unverifiedTenants: [unknown] });
  });

  it('goes through by itself when the last is verified, also one that came while it waited', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    await register(rig, OTHER_ENTRA);
    await verifyAll(rig, 's1', GOOGLE);
    expect(taken(rig)).toEqual([]);
    expect((await viewOf(rig, 's1')).unverifiedTenants).toEqual([OTHER_ENTRA]);
    await verifyAll(rig, 's1', OTHER_ENTRA);
    await completes(rig);
    const view = await viewOf(rig, 's1');
    expect(view.unverifiedTenants).toEqual([]);
    expect(view.waitsFor).toBeUndefined();
  });

  it('is held by one that is removed after it was ordered, until that one is back and verified', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await remove(rig, ENTRA);
    await remove(rig, GOOGLE);
    rig.clock.advance(HOUR_MS);
    expect(await sweepSwitches({ ...rig.deps, stuckAfterMs: 1_000 })).toBe(0);
    await handleSwitchWork(rig.deps, ADVANCE);
    const held = { state: 'pending-verification', waitsFor: 'tenants', unverifiedTenants: [ENTRA, GOOGLE] };
    expect(await viewOf(rig, 's1')).toMatchObject(held);
    await register(rig, ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA, GOOGLE);
    await completes(rig);
  });

  it('is held by one that is removed after it was verified only as long as that word is good', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    await remove(rig, ENTRA);
    await verifyAll(rig, 's1', GOOGLE);
    await completes(rig);
  });

  it('is not held by one that was removed before it was ordered', async () => {
    const rig = await begun(ENTRA);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await remove(rig, ENTRA);
    await startSwitch(rig.deps, { ...place('s2'), target: CONTOSO }, ADMIN);
    await completes(rig, 's2');
  });

  it('takes no more removals than its row has room for, and says so', async () => {
    const rig = await begun(ENTRA);
    for (let tenant = 0; tenant < MAX_TENANTS_PER_COMPANY; tenant += 1) {
      const one = { kind: 'google-workspace', tenantId: `t${tenant}.example` } as const;
      await register(rig, one);
      expect((await remove(rig, one)).ok).toBe(true);
    }
    expect(await remove(rig, ENTRA)).toMatchObject({ error: { code: 'too-many-tenants' } });
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect((await remove(rig, ENTRA)).ok).toBe(true);
  });

  it('says in the log for how many it waits', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    const detail = { ...place('s1'), tenants: 2 };
    expect(rig.log.entries).toContainEqual({ level: 'info', event: 'switch.waits-for-tenants', detail });
  });

  it('tries again where its company is not there any more', async () => {
    const rig = await begun(ENTRA);
    const { etag } = rig.store.peek('companies', COMPANY, COMPANY_ROW_KEY)!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey: COMPANY_ROW_KEY, etag }]);
    const sw = await loadSwitch(rig.store, place('s1'));
    expect(await leaveVerification(rig.deps, place('s1'), sw!)).toEqual({ type: 'moved', by: 'others' });
  });

  it.each(['pending-verification', 'preparing', 're-protecting'] as const)('is held by them in %s', async (state) => {
    const rig = await begun(ENTRA);
    const sw = { ...(await loadSwitch(rig.store, place('s1')))!.value, state };
    const asked = { companyId: COMPANY, sw };
    expect(await tenantsThatHold(rig.deps, asked)).toMatchObject({ ok: true, value: [ENTRA] });
    for (const free of [
      { ...sw, kind: 'rekey' as const },
      { ...sw, state: 'rolling-back' as const },
    ]) {
      expect(await tenantsThatHold(rig.deps, { ...asked, sw: free })).toEqual({ ok: true, value: [] });
    }
  });

  it('can be cancelled while it waits', async () => {
    const rig = await begun(ENTRA);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect(await stateOf(rig, 's1')).toBe('cancelled');
    expect(await verify(rig, 's1', ENTRA, { destination: 'x' })).toMatchObject({ error: { code: 'switch-ended' } });
    expect(taken(rig)).toEqual([]);
  });

  it('takes nothing from what was said of an earlier switch to the same vault key', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    await startSwitch(rig.deps, { ...place('s2'), target: CONTOSO }, ADMIN);
    await rig.drain();
    expect(await viewOf(rig, 's2')).toMatchObject({ waitsFor: 'tenants', unverifiedTenants: [GOOGLE, ENTRA] });
  });

  it('waits for a vault key that is the vendor’s own too: back, or to any earlier provider, is a switch like any other', async () => {
    const rig = await begun();
    await register(rig, ENTRA);
    for (const [switchId, target] of [
      ['s2', MANAGED],
      ['s3', FABRIKAM],
      ['s4', CONTOSO],
    ] as const) {
      await startSwitch(rig.deps, { ...place(switchId), target }, ADMIN);
      await rig.drain();
      expect(await viewOf(rig, switchId)).toMatchObject({ waitsFor: 'tenants', unverifiedTenants: [ENTRA] });
      await verifyAll(rig, switchId, ENTRA);
      await completes(rig, switchId);
    }
  });

  it('is not held if it is a re-key', async () => {
    const rig = await Rig.withDataKeys(12);
    await register(rig, ENTRA);
    await startRekey(rig.deps, place('s1'), ADMIN);
    expect((await viewOf(rig, 's1')).unverifiedTenants).toEqual([]);
    await completes(rig);
  });

  it('is not held on its way back', async () => {
    const rig = await heldAtItsEnd(ENTRA);
    await cancelSwitch(rig.deps, place('s1'), ADMIN);
    expect((await viewOf(rig, 's1')).unverifiedTenants).toEqual([]);
    await rig.drain();
    expect(await stateOf(rig, 's1')).toBe('cancelled');
    expect(await rig.openByCaller()).toBe(12);
  });
});

describe('a verification', () => {
  it('counts until it is 24 hours old when the switch leaves its beginning', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    rig.clock.advance(24 * HOUR_MS);
    await verifyAll(rig, 's1', GOOGLE);
    await completes(rig);
  });

  it('that is older then has to be given again', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    rig.clock.advance(24 * HOUR_MS + 1);
    await verifyAll(rig, 's1', GOOGLE);
    await rig.drain();
    expect(await viewOf(rig, 's1')).toMatchObject({ waitsFor: 'tenants', unverifiedTenants: [ENTRA] });
    await verifyAll(rig, 's1', ENTRA);
    await completes(rig);
  });

  it('may be of any age when the switch completes', async () => {
    const rig = await begun(ENTRA);
    await verifyAll(rig, 's1', ENTRA);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    rig.clock.advance(100 * HOUR_MS);
    await completes(rig);
  });

  const FORGED: readonly [string, Parameters<typeof plant>[3]][] = [
    [
      'whose time was changed',
      { signed: { verifiedAt: '2020-01-01T00:00:00.000Z' }, changed: { verifiedAt: '2026-01-01T00:00:00.000Z' } },
    ],
    ['whose seal is another’s', { changed: { seal: { keyVersion: 'unknown', signature: 'AAAA' } } }],
    ['of another company', { of: 'globex' }],
    ['of another switch', { signed: { approval: 'switch|default|s0' } }],
    ['of another tenant', { signed: { tenantId: OTHER_ENTRA.tenantId } }],
    ['of another kind of tenant', { signed: { kind: 'google-workspace' } }],
  ];

  it.each(FORGED)('%s counts as none, and is a security event', async (_, planted) => {
    const rig = await begun(ENTRA);
    await plant(rig, 's1', ENTRA, planted);
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(await stateOf(rig, 's1')).toBe('pending-verification');
    const row = `verification|switch|default|s1|microsoft-365|${ENTRA.tenantId}`;
    expect(rig.log.entries).toContainEqual({
      level: 'error',
      event: 'security.row-forged',
      detail: { companyId: COMPANY, row },
    });
    expect(chainOf(rig.store)).toContainEqual(
      expect.objectContaining({ action: 'security.row-forged', target: row, outcome: 'detected' }) as object,
    );
    await verifyAll(rig, 's1', ENTRA);
    await completes(rig);
  });

  it('that cannot be read counts as none, and is a security event', async () => {
    const rig = await begun(ENTRA);
    await plant(rig, 's1', ENTRA, { changed: { adminId: 7 as unknown as Verification['adminId'] } });
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(await stateOf(rig, 's1')).toBe('pending-verification');
    expect(rig.log.events()).toContain('security.row-forged');
  });

  it('of another destination counts as none', async () => {
    const rig = await begun(ENTRA);
    await plant(rig, 's1', ENTRA, { signed: { destination: 'elsewhere' } });
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(await viewOf(rig, 's1')).toMatchObject({ waitsFor: 'tenants', unverifiedTenants: [ENTRA] });
  });

  it('counts under an earlier version of the seal key', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    rig.vaults.rotateSealKey();
    await verifyAll(rig, 's1', GOOGLE);
    await completes(rig);
  });

  it('that cannot be checked while the seal key is away has the switch try again, and blocks nothing', async () => {
    const rig = await begun(ENTRA);
    await verifyAll(rig, 's1', ENTRA);
    rig.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable', times: 1 });
    await handleSwitchWork(rig.deps, rig.queue.take()!);
    expect((await viewOf(rig, 's1')).blocked).toBeUndefined();
    expect(rig.queue.size).toBe(1);
    await completes(rig);
  });
});

it('while it cannot be told who is verified a switch waits for what keeps it from being told, and not for tenants', async () => {
  const rig = await begun(ENTRA);
  expect((await viewOf(rig, 's1')).waitsFor).toBe('tenants');
  await verifyAll(rig, 's1', ENTRA);
  rig.vaults.fail({ operation: 'publicKey', failure: 'vault-unreachable' });
  await handleSwitchWork(rig.deps, rig.queue.take()!);
  const view = await viewOf(rig, 's1');
  expect([view.state, view.waitsFor, view.unverifiedTenants]).toEqual(['pending-verification', undefined, [ENTRA]]);
  expect(view.trouble?.failure).toMatchObject({ code: 'vault-unreachable', owner: 'vendor' });
  rig.vaults.heal();
  await completes(rig);
});

describe('a tenant that comes while the work goes on', () => {
  it('holds the commit, not the work, and the switch says so', async () => {
    const rig = await heldAtItsEnd(ENTRA, GOOGLE);
    expect((await rig.shards()).map(({ phase }) => phase)).toEqual(['done', 'done', 'done', 'done']);
    expect(await viewOf(rig, 's1')).toMatchObject({
      state: 're-protecting',
      waitsFor: 'tenants',
      unverifiedTenants: [GOOGLE, ENTRA],
    });
    expect(await rig.openByCaller()).toBe(12);
  });

  it('is named while there is work left, but is not what the switch waits for', async () => {
    const rig = await Rig.withDataKeys(12);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    await register(rig, ENTRA);
    const view = await viewOf(rig, 's1');
    expect([view.unverifiedTenants, view.waitsFor]).toEqual([[ENTRA], undefined]);
  });

  it('lets it complete by itself when it is verified', async () => {
    const rig = await heldAtItsEnd(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', GOOGLE);
    expect(taken(rig)).toEqual([]);
    await verifyAll(rig, 's1', ENTRA);
    await completes(rig);
  });

  it('holds it also if it is removed', async () => {
    const rig = await heldAtItsEnd(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', GOOGLE);
    await remove(rig, ENTRA);
    await rig.drain();
    expect(await viewOf(rig, 's1')).toMatchObject({ state: 're-protecting', unverifiedTenants: [ENTRA] });
    await register(rig, ENTRA);
    await verifyAll(rig, 's1', ENTRA);
    await completes(rig);
    expect((await loadSwitch(rig.store, place('s1')))?.value.removedTenants).toEqual([ENTRA]);
  });

  it('verified before the work is done causes no second worker', async () => {
    const rig = await Rig.withDataKeys(12);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    await register(rig, ENTRA);
    const waiting = rig.queue.size;
    await verifyAll(rig, 's1', ENTRA);
    expect(rig.queue.size).toBe(waiting);
    await completes(rig);
  });

  it('holds the commit also if it comes after the commit has looked', async () => {
    const rig = await Rig.withDataKeys(12);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
    let came = false;
    rig.vaults.onCall = async ({ operation, host }) => {
      const isLast = operation === 'unwrap' && host === CONTOSO_HOST;
      const done = (await rig.shards()).every(({ phase, generation }) => phase === 'done' && generation === 1);
      if (came || !isLast || !done) return;
      came = true;
      await register(rig, ENTRA);
    };
    await rig.drain();
    expect(came).toBe(true);
    expect(await viewOf(rig, 's1')).toMatchObject({ state: 're-protecting', waitsFor: 'tenants' });
    await verifyAll(rig, 's1', ENTRA);
    await completes(rig);
  });

  it('holds the beginning also if it comes after the beginning has looked', async () => {
    const rig = await begun(ENTRA);
    await plant(rig, 's1', ENTRA);
    let came = false;
    rig.vaults.onCall = async ({ operation }) => {
      if (came || operation !== 'publicKey') return;
      came = true;
      await register(rig, GOOGLE);
    };
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(came).toBe(true);
    expect(await viewOf(rig, 's1')).toMatchObject({ state: 'pending-verification', unverifiedTenants: [GOOGLE] });
  });
});

describe('the timer', () => {
  const sweep = (rig: Rig): Promise<number> => sweepSwitches({ ...rig.deps, stuckAfterMs: 1_000 });

  it.each([
    ['its beginning', () => begun(ENTRA)],
    ['its end', () => heldAtItsEnd(ENTRA)],
  ])('leaves a switch alone that waits for a tenant at %s, and logs nothing', async (_, make) => {
    const rig = await make();
    rig.clock.advance(HOUR_MS);
    rig.log.entries.length = 0;
    expect(await sweep(rig)).toBe(0);
    expect([rig.queue.size, rig.log.entries]).toEqual([0, []]);
  });

  it.each([
    ['its beginning', () => begun(ENTRA)],
    ['its end', () => heldAtItsEnd(ENTRA)],
  ])('sets a switch going at %s whose message after the last verification was lost', async (_, make) => {
    const rig = await make();
    rig.queue.away = true;
    await verifyAll(rig, 's1', ENTRA);
    rig.queue.away = false;
    rig.clock.advance(2_000);
    expect(await sweep(rig)).toBe(1);
    await completes(rig);
  });

  it('leaves a switch alone that waits for one of two', async () => {
    const rig = await begun(ENTRA, GOOGLE);
    await verifyAll(rig, 's1', ENTRA);
    rig.clock.advance(HOUR_MS);
    expect([await sweep(rig), rig.queue.size]).toEqual([0, 0]);
  });

  it('leaves a switch alone that waits for a tenant while it is prepared, and what is wrapped by its target waits too', async () => {
    const rig = await begun(ENTRA);
    await verifyAll(rig, 's1', ENTRA);
    rig.vaults.fail({ operation: 'readKey', failure: 'vault-unreachable', times: 1 });
    await handleSwitchWork(rig.deps, rig.queue.take()!);
    rig.queue.clear();
    await register(rig, GOOGLE);
    rig.clock.advance(HOUR_MS);
    expect([await stateOf(rig, 's1'), await sweep(rig)]).toEqual(['preparing', 0]);
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(await viewOf(rig, 's1')).toMatchObject({
      state: 'preparing',
      waitsFor: 'tenants',
      unverifiedTenants: [GOOGLE],
    });
    expect(rig.vaults.countOf('unwrap')).toBe(0);
    await verifyAll(rig, 's1', GOOGLE);
    await completes(rig);
  });
});

it('a switch whose connection somebody changed shows every tenant as unverified, and still shows itself', async () => {
  const rig = await begun(ENTRA);
  await verifyAll(rig, 's1', ENTRA);
  const row = (await rig.store.read('companies', COMPANY, connectionRowKey('contoso')))!;
  const connection = readConnection(row.cells, { companyId: COMPANY, connectionId: 'contoso' })!;
  rig.store.tamper('companies', COMPANY, row.rowKey, connectionCells({ ...connection, host: 'evil.vault.azure.net' }));
  await rig.drain();
  expect(await viewOf(rig, 's1')).toMatchObject({
    state: 'pending-verification',
    unverifiedTenants: [ENTRA],
    blocked: { reason: 'provider', side: 'target', failure: { code: 'row-forged' } },
  });
});
