// What an admin may order for an unfinished switch, and what becomes of it. Pure.
import type { Refusal, StateCode } from './refusal.ts';
import type { Direction } from './shard.ts';
import { isEnded, released, type Switch } from './switch.ts';

/** Present if the vendor gives the order. `maySwitch`: no admin of the company has to confirm it. */
export interface OrderingVendor {
  readonly maySwitch: boolean;
}

export type Order =
  | { readonly type: 'cancel' | 'pause' | 'resume' | 'confirm' }
  /** Clears what it waits for. With a direction it goes that way, even if the vault in force denies: an order with a direction accepts the denial. */
  | { readonly type: 'retry'; readonly direction?: Direction | undefined; readonly vendor?: OrderingVendor | undefined }
  /** Gives up the old company key if it still cannot be kept. */
  | { readonly type: 'end-without-keeping' }
  /** Turns every shard once more in the same direction, when the work so far cannot be relied on. */
  | { readonly type: 'pass-anew' };

export type Ordered =
  | { readonly type: 'refused'; readonly refusal: Refusal }
  /** It is already as ordered, or the order does not apply. */
  | { readonly type: 'unchanged' }
  | { readonly type: 'changed'; readonly next: Switch }
  /** A new generation in this direction. */
  | { readonly type: 'turned'; readonly direction: Direction; readonly denialAccepted: boolean }
  /** No row was moved yet: it ends at once. */
  | { readonly type: 'cancelled' };

const UNCHANGED: Ordered = { type: 'unchanged' };

export function onOrder(companyId: string, sw: Switch, order: Order): Ordered {
  if (isEnded(sw.state)) return refused('switch-ended', `The switch is ${sw.state}.`);
  switch (order.type) {
    case 'cancel':
      return onCancel(sw);
    case 'pause':
    case 'resume':
      return sw.state === 're-protecting' || sw.state === 'rolling-back'
        ? { type: 'changed', next: { ...sw, paused: order.type === 'pause' } }
        : refused('switch-not-running', `The switch is ${sw.state}.`);
    case 'confirm': {
      const { awaitsConfirmation, ...next } = sw;
      return awaitsConfirmation ? { type: 'changed', next } : UNCHANGED;
    }
    case 'retry':
      return order.direction === 'back' ? onCancel(sw) : onRetry(companyId, sw, order);
    case 'end-without-keeping':
      if (sw.endsWithoutKeeping) return UNCHANGED;
      return sw.blocked?.reason === 'key-not-kept'
        ? unblocked(sw, { endsWithoutKeeping: true })
        : refused('switch-not-blocked', 'Nothing says that the company key that goes cannot be kept.');
    case 'pass-anew':
      return sw.blocked?.reason === 'counts-differ'
        ? turned(sw.state === 'rolling-back' ? 'back' : 'forward', sw.denialAccepted)
        : UNCHANGED;
  }
}

function onCancel(sw: Switch): Ordered {
  if (sw.state === 'rolling-back') return unblocked(sw, { denialAccepted: true });
  if (sw.state !== 're-protecting') return { type: 'cancelled' };
  return turned('back', sw.denialAccepted || isDeniedInForce(sw));
}

function onRetry(
  companyId: string,
  sw: Switch,
  { direction, vendor }: Extract<Order, { readonly type: 'retry' }>,
): Ordered {
  const isForward = direction === 'forward';
  // invariant 9: only the company itself may go forward over a denial by the vault in force
  if (isForward && vendor && isDeniedInForce(sw))
    return adminOnly(companyId, 'The vault in force denies. Only an admin of the company may go on over that.');
  if (!isForward || sw.state !== 'rolling-back')
    return unblocked(sw, { denialAccepted: sw.denialAccepted || (isForward && !vendor) });
  if (vendor?.maySwitch === false && sw.kind === 'switch')
    return adminOnly(companyId, 'The switch was turned back. Only an admin of the company may turn it forward again.');
  // A denial that the vendor accepted on the way back does not count on the way forward.
  return turned('forward', !vendor && isDeniedInForce(sw));
}

/** The admin who turns such a switch has been shown the denial and goes on over it. */
const isDeniedInForce = ({ blocked }: Switch): boolean =>
  blocked?.reason === 'provider' && blocked.side === 'source' && blocked.failure.kind === 'denied';

const turned = (direction: Direction, denialAccepted: boolean): Ordered => ({
  type: 'turned',
  direction,
  denialAccepted,
});

const unblocked = (sw: Switch, change: Partial<Pick<Switch, 'denialAccepted' | 'endsWithoutKeeping'>>): Ordered => ({
  type: 'changed',
  next: { ...released(sw), ...change },
});

const refused = (code: StateCode, message: string): Ordered => ({
  type: 'refused',
  refusal: { type: 'state', code, message },
});

const adminOnly = (companyId: string, message: string): Ordered => ({
  type: 'refused',
  refusal: { type: 'company-admin-only', companyId, message },
});
