// What an admin may order for an unfinished switch: cancel, pause, resume, confirm, retry. domain/switch-orders.ts decides what each does; here it becomes
// one transaction. Whichever of cancel and commit is first wins.
import type { Actor, Detail } from '../../domain/audit.ts';
import { nextGeneration } from '../../domain/generations.ts';
import { withoutSwitch } from '../../domain/keyring.ts';
import type { Sealer, WorkQueue } from '../../domain/ports.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { movableAt } from '../../domain/shard-counts.ts';
import type { Direction } from '../../domain/shard.ts';
import { onOrder, type Order, type Ordered, type OrderingVendor } from '../../domain/switch-orders.ts';
import { isEnded, released, type Switch, type SwitchPlace, type SwitchState } from '../../domain/switch.ts';
import { act, type Acted } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import { find, type Found, type Loaded } from '../../store/found.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import { loadShards } from '../../store/shard-rows.ts';
import type { Tx } from '../../store/tx.ts';
import { resealSwitch } from '../keys/switch-seal.ts';
import type { ConnectionReading } from '../keys/verified-connection.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import { enqueue } from './messages.ts';
import { actOnSwitch, loadConnectionsOf, markEnd } from './switch-writes.ts';

export interface ControlDependencies extends Auditing, ConnectionReading {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  readonly queue: WorkQueue;
}

type Steered = Promise<Result<Loaded<Switch>, Refusal>>;

/** Before any data key was moved the switch just ends; afterwards it rolls back. One that is rolling back goes on doing so. */
export const cancelSwitch = (deps: ControlDependencies, place: SwitchPlace, actor: Actor): Steered =>
  steer(deps, place, {
    action: 'switch.cancel',
    logged: 'switch.cancel-ordered',
    leadsTo: 'cancelled',
    actor,
    order: { type: 'cancel' },
  });

export const pauseSwitch = (deps: ControlDependencies, place: SwitchPlace, actor: Actor): Steered =>
  steer(deps, place, { action: 'switch.pause', logged: 'switch.paused', actor, order: { type: 'pause' } });

export const resumeSwitch = (deps: ControlDependencies, place: SwitchPlace, actor: Actor): Steered =>
  steer(deps, place, { action: 'switch.resume', logged: 'switch.resumed', actor, order: { type: 'resume' } });

/** The company's admin agrees to a switch that the vendor ordered. A switch that needs no confirmation stays as it is. */
export const confirmSwitch = (deps: ControlDependencies, place: SwitchPlace, actor: Actor): Steered =>
  steer(deps, place, { action: 'switch.confirm', logged: 'switch.confirmed', actor, order: { type: 'confirm' } });

/** Starts all passes again when the work so far cannot be relied on. Only for a switch whose counts differ. */
export const passAnew = (deps: ControlDependencies, place: SwitchPlace, actor: Actor): Steered =>
  steer(deps, place, {
    action: 'switch.retry',
    logged: 'switch.passed-anew',
    actor,
    detail: { anew: true },
    order: { type: 'pass-anew' },
  });

/** Clears what a switch waits for and resumes it. `back` is a cancel; `withoutKeeping` gives up the old company key. */
export function retrySwitch(
  deps: ControlDependencies,
  input: SwitchPlace & { readonly vendor?: OrderingVendor } & (
      { readonly direction?: Direction } | { readonly withoutKeeping: true }
    ),
  actor: Actor,
): Steered {
  const { companyId, keyringId, switchId, vendor } = input;
  const place = { companyId, keyringId, switchId };
  const action = 'switch.retry';
  if ('withoutKeeping' in input) {
    const detail = { withoutKeeping: true };
    const order = { type: 'end-without-keeping' } as const;
    return steer(deps, place, { action, logged: 'switch.key-given-up', actor, detail, order });
  }
  const { direction } = input;
  if (direction === 'back') return cancelSwitch(deps, place, actor);
  const order = { type: 'retry', direction, vendor } as const;
  return steer(deps, place, { action, logged: 'switch.retry-ordered', actor, detail: { direction }, order });
}

/** `leadsTo`: the end that the order leads to. If the switch has ended so, an earlier attempt of this call may have done it: no refusal. */
async function steer(
  deps: ControlDependencies,
  place: SwitchPlace,
  what: {
    readonly action: string;
    readonly logged: string;
    readonly actor: Actor;
    readonly order: Order;
    readonly detail?: Detail;
    readonly leadsTo?: SwitchState;
  },
): Steered {
  const { companyId, keyringId, switchId } = place;
  let tried = false;
  const about = { actor: what.actor, ...actOnSwitch(what.action, place, what.detail) };
  const steered = await act<Loaded<Switch>>(deps, about, async (tx) => {
    const sw = await tx.need(switchRow, place);
    if (tried && sw.value.state === what.leadsTo) return ok(sw);
    tried = true;
    return carryOut(deps, place, { tx, sw, ordered: onOrder(companyId, sw.value, what.order) });
  });
  if (!steered.ok) return steered;
  deps.log.write({ level: 'info', event: what.logged, detail: { companyId, keyringId, switchId } });
  // One message, so that the work resumes at once.
  if (!isEnded(steered.value.value.state))
    await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, companyId, keyringId, switchId }]);
  return steered;
}

interface Steering {
  readonly tx: Tx;
  readonly sw: Found<Switch>;
}

function carryOut(
  deps: ControlDependencies,
  place: SwitchPlace,
  { ordered, ...steering }: Steering & { readonly ordered: Ordered },
): Promise<Acted<Loaded<Switch>>> {
  switch (ordered.type) {
    case 'refused':
      return Promise.resolve(err(ordered.refusal));
    case 'unchanged':
      return Promise.resolve(ok(steering.sw));
    case 'changed':
      return write(deps, place, steering, ordered.next);
    case 'turned':
      return turn(deps, place, steering, ordered);
    case 'cancelled':
      return endUntouched(deps, place, steering);
  }
}

async function write(
  deps: ControlDependencies,
  place: SwitchPlace,
  { tx, sw }: Steering,
  to: Switch,
  more: { readonly beside?: () => void; readonly then?: () => Promise<void> } = {},
): Promise<Acted<Loaded<Switch>>> {
  const sealed = await resealSwitch(deps, place, { from: sw.value, to });
  if (!sealed.ok) return err(refusedBy(sealed.error));
  const written = tx.replace(sw, sealed.value);
  more.beside?.();
  tx.detail({ state: sealed.value.state });
  return {
    done: async () => {
      await more.then?.();
      return written();
    },
    ifLanded: async () => {
      await more.then?.();
      return ok((await find(deps.tables, switchRow, place)) ?? sw);
    },
  };
}

/** A new generation: every shard is turned to it before a pass goes over its rows. */
async function turn(
  deps: ControlDependencies,
  place: SwitchPlace,
  { tx, sw }: Steering,
  { direction, denialAccepted }: Extract<Ordered, { readonly type: 'turned' }>,
): Promise<Acted<Loaded<Switch>>> {
  const keyring = await tx.find(keyringRow, place);
  if (keyring?.value.switchId !== place.switchId) return 'lost-race';
  const { shardCount } = keyring.value;
  const shards = await loadShards(deps.tables, { companyId: place.companyId, keyringId: place.keyringId, shardCount });
  const generation = nextGeneration(keyring.value, shards);
  const version = direction === 'forward' ? sw.value.toVersion : sw.value.fromVersion;
  const { endsWithoutKeeping: _void, ...kept } = released(sw.value);
  const next: Switch = {
    ...kept,
    state: direction === 'forward' ? 're-protecting' : 'rolling-back',
    generation,
    paused: false,
    denialAccepted,
    turnedAt: deps.clock.now().toISOString(),
    // About how many rows are already there; used only for progress.
    doneAtTurn: shards.reduce((sum, shard) => sum + (shard ? movableAt(shard.value, version) : 0), 0),
  };
  const beside = (): void => void tx.replace(keyring, { ...keyring.value, generation });
  return write(deps, place, { tx, sw }, next, { beside });
}

/** No row was moved yet: ends the switch, of which the row and the reserved version number remain. */
async function endUntouched(
  deps: ControlDependencies,
  place: SwitchPlace,
  { tx, sw }: Steering,
): Promise<Acted<Loaded<Switch>>> {
  const keyring = await tx.find(keyringRow, place);
  if (keyring?.value.switchId !== place.switchId) return 'lost-race';
  const { source, target } = sw.value;
  const connections = await loadConnectionsOf(deps, place.companyId, { needed: [], leaving: [target] });
  if (!connections.ok) return err(refusedBy(connections.error));
  const next: Switch = { ...released(sw.value), state: 'cancelled', endedAt: deps.clock.now().toISOString() };
  const beside = (): void => {
    tx.replace(keyring, withoutSwitch(keyring.value));
    markEnd(tx, sw.value, { connections: connections.value, endsWith: source });
  };
  return write(deps, place, { tx, sw }, next, { beside, then: () => takeEndedSwitchOff(deps.tables, place) });
}
