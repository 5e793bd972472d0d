// What an order of an admin does to a switch, by its state, by what it waits for, and by who orders.
import { describe, expect, it } from 'vitest';
import { failure } from '../../shared/failures.ts';
import { onOrder, type Order } from '../../shared/domain/switch-orders.ts';
import type { Blocked, Switch, SwitchState } from '../../shared/domain/switch.ts';
import { NOW, switchIn } from './switch-in.ts';

const VENDOR = { maySwitch: false };
const FORWARD: Order = { type: 'retry', direction: 'forward' };

const denied = (side: 'source' | 'target'): Blocked => ({
  reason: 'provider',
  since: NOW,
  side,
  failure: failure('access-denied-rbac', {}),
});
const NOT_KEPT: Blocked = {
  reason: 'key-not-kept',
  since: NOW,
  side: 'source',
  failure: failure('access-denied-rbac', {}),
};
const COUNTS: Blocked = { reason: 'counts-differ', since: NOW, failure: failure('counts-differ', {}) };

const ordered = (sw: Switch, order: Order) => onOrder('acme', sw, order);

describe('an order', () => {
  it.each<[SwitchState, Order['type'], string]>([
    ['pending-verification', 'cancel', 'cancelled'],
    ['preparing', 'cancel', 'cancelled'],
    ['re-protecting', 'cancel', 'turned'],
    ['rolling-back', 'cancel', 'changed'],
    ['pending-verification', 'pause', 'refused'],
    ['preparing', 'resume', 'refused'],
    ['re-protecting', 'pause', 'changed'],
    ['rolling-back', 'resume', 'changed'],
    ['preparing', 'confirm', 'unchanged'],
    ['preparing', 'retry', 'changed'],
    ['re-protecting', 'end-without-keeping', 'refused'],
    ['re-protecting', 'pass-anew', 'unchanged'],
  ])('of a switch in %s, to %s, leaves it %s', (state, type, outcome) => {
    expect(ordered(switchIn(state), { type }).type).toBe(outcome);
  });

  it.each(['cancel', 'pause', 'resume', 'confirm', 'retry', 'end-without-keeping', 'pass-anew'] as const)(
    'to %s is refused of a switch that has ended',
    (type) => {
      for (const state of ['completed', 'cancelled'] as const)
        expect(ordered(switchIn(state), { type })).toMatchObject({ refusal: { code: 'switch-ended' } });
    },
  );

  it('takes away what the switch waits for, and the lease on its end', () => {
    const waiting = switchIn('re-protecting', { blocked: denied('target'), lease: { worker: 'w', until: NOW } });
    expect(ordered(waiting, { type: 'retry' })).toEqual({ type: 'changed', next: switchIn('re-protecting') });
  });

  it('confirms only what awaits confirmation', () => {
    const { awaitsConfirmation: _, ...confirmed } = switchIn('preparing', { awaitsConfirmation: true });
    const waiting = switchIn('preparing', { awaitsConfirmation: true });
    expect(ordered(waiting, { type: 'confirm' })).toEqual({ type: 'changed', next: confirmed });
  });

  it('gives up the key that goes, or passes anew, only where the switch is blocked by that', () => {
    const notKept = ordered(switchIn('re-protecting', { blocked: NOT_KEPT }), { type: 'end-without-keeping' });
    expect(notKept).toMatchObject({ type: 'changed', next: { endsWithoutKeeping: true } });
    const back = switchIn('rolling-back', { blocked: COUNTS, denialAccepted: true });
    expect(ordered(back, { type: 'pass-anew' })).toEqual({ type: 'turned', direction: 'back', denialAccepted: true });
  });
});

describe('a denial by the vault in force', () => {
  const deniedForward = switchIn('re-protecting', { blocked: denied('source') });
  const deniedBack = switchIn('rolling-back', { blocked: denied('source'), denialAccepted: true });

  it('is gone over forward by an admin of the company alone', () => {
    expect(ordered(deniedForward, FORWARD)).toMatchObject({ type: 'changed', next: { denialAccepted: true } });
    const byVendor = ordered(deniedForward, { ...FORWARD, vendor: { maySwitch: true } });
    expect(byVendor).toMatchObject({ refusal: { type: 'company-admin-only', companyId: 'acme' } });
    expect(ordered(deniedForward, { type: 'retry' })).toMatchObject({ next: { denialAccepted: false } });
  });

  it('is accepted by who cancels because of it, and of the other vault by no one', () => {
    expect(ordered(deniedForward, { type: 'cancel' })).toMatchObject({ direction: 'back', denialAccepted: true });
    const other = switchIn('re-protecting', { blocked: denied('target') });
    expect(ordered(other, { type: 'cancel' })).toMatchObject({ direction: 'back', denialAccepted: false });
  });

  it('that was accepted on the way back counts for nothing forward', () => {
    const unblocked = switchIn('rolling-back', { denialAccepted: true });
    expect(ordered(unblocked, FORWARD)).toEqual({ type: 'turned', direction: 'forward', denialAccepted: false });
    expect(ordered(deniedBack, FORWARD)).toMatchObject({ direction: 'forward', denialAccepted: true });
  });

  it('keeps the vendor from turning a switch forward again, and a re-key never', () => {
    const back = switchIn('rolling-back');
    expect(ordered(back, { ...FORWARD, vendor: VENDOR })).toMatchObject({ type: 'refused' });
    const rekey = switchIn('rolling-back', { kind: 'rekey' });
    expect(ordered(rekey, { ...FORWARD, vendor: VENDOR })).toMatchObject({ direction: 'forward' });
  });
});
