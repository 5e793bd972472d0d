// What an admin may order of a switch that is under way: cancel, pause, resume, retry. Each is one transaction; whichever of
// cancel and commit comes first wins.
import type { Actor, Detail } from '../../domain/audit.ts';
import { notFound, refusedBy, type Refusal, type StateCode } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Direction } from '../../domain/shard.ts';
import { movableAt } from '../../domain/shard-counts.ts';
import { isEnded, type Switch, type SwitchState, released, type SwitchPlace } from '../../domain/switch.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { Auditing } from '../../store/append.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import { loadKeyring, loadSwitch, type Loaded } from '../../store/control-state.ts';
import type { RowWrite } from '../../store/tables.ts';
import type { Sealer, WorkQueue } from '../../domain/ports.ts';
import { type Undecided, undecided } from '../../store/races.ts';
import { loadShards } from '../../store/shard-rows.ts';
import type { ConnectionReading } from '../keys/verified-connection.ts';
import { enqueue } from './messages.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import type { OrderingVendor } from './start.ts';
import { resealSwitch } from '../keys/switch-seal.ts';
import { actOnSwitch, loadConnectionsOf, marksAtEnd } from './switch-writes.ts';
import { nextGeneration } from '../../domain/generations.ts';
import { replaceKeyring, replaceSwitch } from '../../store/control-writes.ts';
import { withoutSwitch } from '../../domain/keyring.ts';

export interface ControlDependencies extends Auditing, ConnectionReading {
  readonly tables: Auditing['tables'];
  readonly sealer: Sealer;
  readonly queue: WorkQueue;
}

/** One order of an admin on one switch, and its record. */
interface Ordered extends SwitchPlace {
  readonly record: ActRecord;
}

type Decided = Result<Loaded<Switch>, Refusal> | Undecided;

/** Before any data key was touched it just ends; afterwards it rolls back. A switch that is rolling back already stays so. */
export function cancelSwitch(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const what = {
    action: 'switch.cancel',
    logged: 'switch.cancel-ordered',
    leadsTo: 'cancelled',
    place,
    actor,
  } as const;
  return ordered(deps, what, (sw, order) => {
    if (sw.value.state === 'rolling-back') return unblockedTo(deps, order, sw, { denialAccepted: true });
    if (sw.value.state === 're-protecting')
      return turnTo(deps, order, sw, {
        direction: 'back',
        denialAccepted: sw.value.denialAccepted || isDeniedInForce(sw.value),
      });
    return endUntouched(deps, order, sw);
  });
}

export function pauseSwitch(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const what = { action: 'switch.pause', logged: 'switch.paused', place, actor };
  return ordered(deps, what, (sw, order) =>
    isMoving(sw.value.state)
      ? write(deps, order, { from: sw, to: { ...sw.value, paused: true } })
      : Promise.resolve(notMoving(sw.value)),
  );
}

export function resumeSwitch(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const what = { action: 'switch.resume', logged: 'switch.resumed', place, actor };
  return ordered(deps, what, (sw, order) =>
    isMoving(sw.value.state)
      ? write(deps, order, { from: sw, to: { ...sw.value, paused: false } })
      : Promise.resolve(notMoving(sw.value)),
  );
}

/**
 * Takes away what a switch waits for, and has it go on. With a direction it goes that way, also if the vault in force denies:
 * whoever names a direction has seen that. Forward over a denial is the company's own decision: for the vendor it is refused. So is turning forward
 * what was turned back, unless the vendor may switch without the company's word: that would order the switch once more. `withoutKeeping`: the company key that goes is given up if it still cannot be kept, which
 * can be said only of a switch that is blocked by that, and of the direction that it has.
 */
export function retrySwitch(
  deps: ControlDependencies,
  input: SwitchPlace & { readonly vendor?: OrderingVendor } & (
      { readonly direction?: Direction } | { readonly withoutKeeping: true }
    ),
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const { companyId, keyringId, switchId } = input;
  const place = { companyId, keyringId, switchId };
  if ('withoutKeeping' in input) return endWithoutKeeping(deps, place, actor);
  const { direction } = input;
  if (direction === 'back') return cancelSwitch(deps, place, actor);
  const detail = { direction };
  const what = { action: 'switch.retry', logged: 'switch.retry-ordered', place, actor, detail };
  return ordered(deps, what, (sw, order) => {
    const byVendor = input.vendor !== undefined;
    if (direction === 'forward' && byVendor && isDeniedInForce(sw.value)) {
      const message = 'The vault in force denies. Only an admin of the company may go on over that.';
      return Promise.resolve(err({ type: 'company-admin-only', companyId, message }));
    }
    if (direction === 'forward' && sw.value.state === 'rolling-back') {
      if (input.vendor?.maySwitch === false && sw.value.kind === 'switch') {
        const message = 'The switch was turned back. Only an admin of the company may turn it forward again.';
        return Promise.resolve(err({ type: 'company-admin-only', companyId, message }));
      }
      // What was accepted on the way back anybody may have accepted: it counts for nothing forward.
      const denialAccepted = !byVendor && isDeniedInForce(sw.value);
      return turnTo(deps, order, sw, { direction, denialAccepted });
    }
    const denialAccepted = sw.value.denialAccepted || (direction !== undefined && !byVendor);
    return unblockedTo(deps, order, sw, { denialAccepted });
  });
}

/** Whoever turns such a switch has seen the denial, and goes on over it. */
const isDeniedInForce = ({ blocked }: Switch): boolean =>
  blocked?.reason === 'provider' && blocked.side === 'source' && blocked.failure.kind === 'denied';

/** The company's own admin agrees to a switch that the vendor ordered. One that awaits nothing stays as it is. */
export function confirmSwitch(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const what = { action: 'switch.confirm', logged: 'switch.confirmed', place, actor };
  return ordered(deps, what, (sw, order) => {
    const { awaitsConfirmation, ...confirmed } = sw.value;
    return awaitsConfirmation ? write(deps, order, { from: sw, to: confirmed }) : Promise.resolve(ok(sw));
  });
}

function endWithoutKeeping(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const detail = { withoutKeeping: true };
  const what = { action: 'switch.retry', logged: 'switch.key-given-up', place, actor, detail };
  return ordered(deps, what, (sw, order) => {
    if (sw.value.endsWithoutKeeping) return Promise.resolve(ok(sw));
    if (sw.value.blocked?.reason !== 'key-not-kept') {
      const message = 'Nothing says that the company key that goes cannot be kept.';
      return Promise.resolve(refuse('switch-not-blocked', message));
    }
    return unblockedTo(deps, order, sw, { denialAccepted: sw.value.denialAccepted, endsWithoutKeeping: true });
  });
}

/**
 * Turns every shard once more in the direction that there is: where the work so far cannot be relied on, all of it is gone over again. Only
 * for a switch whose counts differ.
 */
export function passAnew(
  deps: ControlDependencies,
  place: SwitchPlace,
  actor: Actor,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const what = { action: 'switch.retry', logged: 'switch.passed-anew', place, actor, detail: { anew: true } };
  return ordered(deps, what, (sw, order) => {
    if (sw.value.blocked?.reason !== 'counts-differ') return Promise.resolve(ok(sw));
    const { state, denialAccepted } = sw.value;
    return turnTo(deps, order, sw, { direction: state === 'rolling-back' ? 'back' : 'forward', denialAccepted });
  });
}

const isMoving = (state: SwitchState): boolean => state === 're-protecting' || state === 'rolling-back';

const refuse = (code: StateCode, message: string): { readonly ok: false; readonly error: Refusal } =>
  err({ type: 'state', code, message });

const notMoving = (sw: Switch): Decided => refuse('switch-not-running', `The switch is ${sw.state}.`);

/**
 * Load, decide, write, again while others win; then one message, so that the work goes on at once. `leadsTo`: an end in which a
 * switch is as ordered, so that it is no refusal if it is met after an attempt whose answer was lost.
 */
async function ordered(
  deps: ControlDependencies,
  what: {
    readonly action: string;
    readonly logged: string;
    readonly place: SwitchPlace;
    readonly actor: Actor;
    readonly detail?: Detail;
    readonly leadsTo?: SwitchState;
  },
  decide: (sw: Loaded<Switch>, order: Ordered) => Promise<Decided>,
): Promise<Result<Loaded<Switch>, Refusal>> {
  const { place } = what;
  const { companyId, keyringId, switchId } = place;
  let tried = false;
  const attempt = async (record: ActRecord): Promise<Decided> => {
    const sw = await loadSwitch(deps.tables, place);
    if (!sw) return err(notFound('switch', switchId));
    if (await record.landed()) return ok(sw);
    if (tried && sw.value.state === what.leadsTo) return ok(sw);
    if (isEnded(sw.value.state)) return refuse('switch-ended', `The switch is ${sw.value.state}.`);
    tried = true;
    return decide(sw, { ...place, record });
  };
  const act = actOnSwitch(what.action, place, what.detail);
  const decided = await audited(deps, what.actor, act, (record) => settleAct(deps, record, () => attempt(record)));
  if (!decided.ok) return decided;
  deps.log.write({ level: 'info', event: what.logged, detail: { companyId, keyringId, switchId } });
  if (!isEnded(decided.value.value.state)) {
    const message: WorkMessage = { format: 1, kind: 'advance', attempt: 0, companyId, keyringId, switchId };
    await enqueue(deps, place, [message]);
  }
  return decided;
}

async function write(
  deps: ControlDependencies,
  order: Ordered,
  { from: sw, to }: { readonly from: Loaded<Switch>; readonly to: Switch },
  others: readonly RowWrite[] = [],
): Promise<Decided> {
  const { companyId, record } = order;
  const sealed = await resealSwitch(deps, order, { from: sw.value, to });
  if (!sealed.ok) return err(refusedBy(sealed.error));
  const next = sealed.value;
  const writes = [replaceSwitch(sw, next), ...others];
  const written = await record.write('companies', companyId, writes, { state: next.state });
  return written.outcome === 'committed' ? ok({ value: next, etag: written.etags[0] ?? '' }) : undecided(written);
}

const unblockedTo = (
  deps: ControlDependencies,
  order: Ordered,
  sw: Loaded<Switch>,
  change: { readonly denialAccepted: boolean; readonly endsWithoutKeeping?: true },
): Promise<Decided> => write(deps, order, { from: sw, to: { ...released(sw.value), ...change } });

/** A new generation in the other direction: every shard is turned to it before its rows are passed over. */
async function turnTo(
  deps: ControlDependencies,
  place: Ordered,
  sw: Loaded<Switch>,
  { direction, denialAccepted }: { readonly direction: Direction; readonly denialAccepted: boolean },
): Promise<Decided> {
  const keyring = await loadKeyring(deps.tables, place);
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
    // About how many rows are there already; only progress is told from it.
    doneAtTurn: shards.reduce((sum, shard) => sum + (shard ? movableAt(shard.value, version) : 0), 0),
  };
  return write(deps, place, { from: sw, to: next }, [replaceKeyring(keyring, { ...keyring.value, generation })]);
}

/** Nothing was re-protected yet: what stays is the row that says so, and the number of the version that was reserved. */
async function endUntouched(deps: ControlDependencies, place: Ordered, sw: Loaded<Switch>): Promise<Decided> {
  const keyring = await loadKeyring(deps.tables, place);
  if (keyring?.value.switchId !== place.switchId) return 'lost-race';
  const { source, target } = sw.value;
  const connections = await loadConnectionsOf(deps, place.companyId, { needed: [], leaving: [target] });
  if (!connections.ok) return err(refusedBy(connections.error));
  const next: Switch = { ...released(sw.value), state: 'cancelled', endedAt: deps.clock.now().toISOString() };
  const ended = await write(deps, place, { from: sw, to: next }, [
    replaceKeyring(keyring, withoutSwitch(keyring.value)),
    ...marksAtEnd(sw.value, connections.value, source),
  ]);
  if (typeof ended !== 'string') await takeEndedSwitchOff(deps.tables, place);
  return ended;
}
