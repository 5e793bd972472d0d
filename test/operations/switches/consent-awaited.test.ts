// A switch that waits for consent, and the timer: the process that took the consent may have died before the switch went on.
import { beforeEach, describe, expect, it } from 'vitest';
import { failure } from '../../../shared/failures.ts';
import type { Blocked } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { sweepSwitches } from '../../../shared/operations/switches/sweep.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { consentTo } from '../../fixtures/consented-connection.ts';
import { chainOf } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CUSTOMER_TENANT, place, Rig } from './rig.ts';

const PLACE = place('s1');
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...PLACE } as const;
const HOUR_MS = 3_600_000;

let rig: Rig;
const sweep = (): Promise<number> => sweepSwitches(rig.freshHost());
const blocked = async (): Promise<Blocked | undefined> => (await loadSwitch(rig.store, PLACE))?.value.blocked;
const consent = (): Promise<void> =>
  consentTo(
    {
      tables: rig.store,
      sealer: rig.vaults,
      put: ({ table, partitionKey, rowKey, cells }) => rig.store.tamper(table, partitionKey, rowKey, cells),
    },
    { companyId: COMPANY, connectionId: 'contoso', tenantId: CUSTOMER_TENANT, at: rig.clock.now().toISOString() },
  );

/** Blocked an hour after the consent that its connection bears. */
beforeEach(async () => {
  rig = await Rig.withDataKeys(2);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  rig.queue.clear();
  rig.clock.advance(HOUR_MS);
  const tenant = rig.vaults.tenants.get(CUSTOMER_TENANT)!;
  tenant.consented = false;
  await handleSwitchWork(rig.deps, ADVANCE);
  tenant.consented = true;
  expect(await blocked()).toMatchObject({ side: 'target', failure: { code: 'consent-required' } });
  rig.clock.advance(HOUR_MS);
});

describe('the timer', () => {
  it('has the switch go on where consent has come since, and that is recorded', async () => {
    await consent();
    expect(await sweep()).toBe(1);
    expect(await blocked()).toBeUndefined();
    expect([rig.queue.take(), rig.queue.size]).toEqual([ADVANCE, 0]);
    expect(chainOf(rig.store).map(({ action }) => action)).toEqual([
      'switch.start',
      'switch.blocked',
      'switch.unblocked',
    ]);
  });

  it('leaves it where its connection bears no consent but the one that did not do', async () => {
    expect([await sweep(), rig.queue.size]).toEqual([0, 0]);
    expect(await blocked()).toBeDefined();
  });

  it('leaves one that is blocked for another reason, whatever consent comes', async () => {
    const since = rig.clock.now().toISOString();
    const other: Blocked = { reason: 'provider', since, side: 'target', failure: failure('vault-firewall') };
    await rig.amendSwitch('s1', { blocked: other });
    await consent();
    expect([await sweep(), rig.queue.size]).toEqual([0, 0]);
    expect(await blocked()).toEqual(other);
  });
});
