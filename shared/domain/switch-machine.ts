// What comes next for a switch: the table "What comes next" of docs/protocol.md. Pure. Asks for one thing after another, so that a worker reads only
// what it needs, and nothing before the rows that its transaction depends on.
import { mayPass, type Failure } from './failure.ts';
import { areDoneAt, mayEndAt } from './shard-counts.ts';
import { isDoneIn, isTurnedTo, type Shard, type Turn } from './shard.ts';
import { awaitsItsAdmin, isEnded, isRunning, turnOf, type Switch, type SwitchState } from './switch.ts';

/** What the worker has looked at so far; absent means not yet. */
export interface Known {
  /** Its seal holds. */
  readonly seal?: 'good';
  /** The rows that the next step's transaction depends on. */
  readonly rows?: 'read';
  /** How many tenants have not agreed. */
  readonly tenants?: number;
  /** Consent to the target's key, and the company's claim to that key. */
  readonly proof?: 'good';
  /** Every shard of the keyring by its number; undefined where its row is missing. */
  readonly shards?: readonly (Shard | undefined)[];
  /** Whether another worker has claimed the switch's end. */
  readonly lease?: 'free' | 'held';
}

export type Asked = keyof Known;

/** `decision`: an admin has to retry, resume, cancel, or decide on quarantined rows. */
export type WaitsFor = 'company-admin' | 'tenants' | 'decision' | 'other-worker';

/** The steps that end with a transaction on the switch. */
export type Step = 'begin' | 'prepare' | 'commit' | 'roll-back';

export type Next =
  | { readonly type: 'ended' }
  /** The worker must look at `what` first, on the way to `step`. */
  | { readonly type: 'ask'; readonly what: Asked; readonly step: Step }
  | { readonly type: 'wait'; readonly for: WaitsFor }
  | { readonly type: 'step'; readonly step: Step }
  /** These shards have work left. */
  | { readonly type: 'fan-out'; readonly shards: readonly number[] }
  /** These shards are done, but count rows at other versions or negative counts: the old company key may be needed and stays. */
  | { readonly type: 'counts-differ'; readonly shards: readonly number[] };

const STEPS: Readonly<Record<Exclude<SwitchState, 'completed' | 'cancelled'>, Step>> = {
  'pending-verification': 'begin',
  preparing: 'prepare',
  're-protecting': 'commit',
  'rolling-back': 'roll-back',
};

/** True if tenants must agree to the next step. A re-key stays with the same vault, and the way back needs no agreement. */
export const needsTenants = ({ kind, state }: Pick<Switch, 'kind' | 'state'>): boolean =>
  kind === 'switch' && !isEnded(state) && state !== 'rolling-back';

export function next(sw: Switch, known: Known): Next {
  const { state } = sw;
  if (state === 'completed' || state === 'cancelled') return { type: 'ended' };
  const step = STEPS[state];
  const ask = (what: Asked): Next => ({ type: 'ask', what, step });
  if (sw.blocked || sw.paused) return wait(awaitsItsAdmin(sw) ? 'company-admin' : 'decision');
  if (!known.seal) return ask('seal');
  if (awaitsItsAdmin(sw)) return wait('company-admin');
  if (!known.rows) return ask('rows');
  const ends = step === 'commit' || step === 'roll-back';
  if (ends && !known.shards) return ask('shards');
  const left = ends && known.shards ? leftIn(known.shards, turnOf(sw)) : undefined;
  if (left) return left;
  if (needsTenants(sw)) {
    if (known.tenants === undefined) return ask('tenants');
    if (known.tenants > 0) return wait('tenants');
  }
  // Last, so that the consent is fresh once everything else, which may take days, is there.
  if (step === 'begin' && !known.proof) return ask('proof');
  if (ends && !known.lease) return ask('lease');
  return ends && known.lease === 'held' ? wait('other-worker') : { type: 'step', step };
}

const wait = (what: WaitsFor): Next => ({ type: 'wait', for: what });

/** What keeps the shards from ending this turn; the end deletes a company key. */
function leftIn(shards: readonly (Shard | undefined)[], turn: Turn): Next | undefined {
  const { writeVersion } = turn;
  const undone = numbersOf(shards, (shard) => !isDoneIn(shard, turn));
  if (undone.length > 0) return { type: 'fan-out', shards: undone };
  const differ = numbersOf(shards, (shard) => !isFit(shard, writeVersion));
  if (differ.length > 0) return { type: 'counts-differ', shards: differ };
  if (shards.some((shard) => !shard || !mayEndAt(shard, writeVersion))) return wait('decision');
  return undefined;
}

const numbersOf = (
  shards: readonly (Shard | undefined)[],
  isMeant: (shard: Shard | undefined) => boolean,
): readonly number[] => shards.flatMap((shard, number) => (isMeant(shard) ? [number] : []));

/** Its counts are those of a done shard, but for quarantined rows that wait for a decision. */
const isFit = (shard: Shard | undefined, writeVersion: number): boolean =>
  shard !== undefined && areDoneAt(shard, writeVersion) && (shard.quarantined > 0 || mayEndAt(shard, writeVersion));

/** `next-message`: this worker is out of date; a newer message is on its way. `permit`: too many workers wait for vaults already. */
type StepWaitsFor = WaitsFor | 'next-message' | 'permit';

export interface StepFailure {
  /** `retry`: may pass by itself. `blocked`: a person has to act. */
  readonly type: 'retry' | 'blocked';
  readonly failure: Failure;
  /** Whose vault or rows the failure is about; absent for a shard's counts. */
  readonly side?: 'source' | 'target';
  /** All rows are done, but the company key that goes cannot be kept. */
  readonly ofKeeping?: true;
}

/** The outcome of one step of a switch. */
export type StepOutcome =
  /** The switch has ended, or the shard has nothing left to do in its turn. */
  | { readonly type: 'done' }
  /** The switch has changed since it was read: look again. `others`: another worker wrote first, and this one wrote nothing. */
  | { readonly type: 'moved'; readonly by: 'this-worker' | 'others' }
  | { readonly type: 'wait'; readonly for: StepWaitsFor }
  | StepFailure;

export const MOVED = { type: 'moved', by: 'this-worker' } as const;
export const LOST_RACE = { type: 'moved', by: 'others' } as const;
export const DONE = { type: 'done' } as const;
export const OUT_OF_DATE = { type: 'wait', for: 'next-message' } as const;

/** The outcome for a step that is not the next one. */
export const outcomeOf = (then: Next): StepOutcome => (then.type === 'wait' ? then : OUT_OF_DATE);

export const failed = (failure: Failure, about: Omit<StepFailure, 'type' | 'failure'> = {}): StepFailure => ({
  type: mayPass(failure) ? 'retry' : 'blocked',
  failure,
  ...about,
});

/** `look`: the switch was read before the shard and must be read again to decide. */
export type ShardNext = 'wait' | 'look' | 'turn' | 'pass' | 'done' | 'counts-differ';

/** What comes next for one shard: the table "What comes next for a shard" of docs/protocol.md. `generation`: of the message. */
export function nextForShard(
  sw: Switch | undefined,
  shard: Shard | undefined,
  { generation, isReadAgain = false }: { readonly generation: number; readonly isReadAgain?: boolean },
): ShardNext {
  // invariants 3 and A25: a worker of another generation than the switch's writes nothing
  if (sw?.generation !== generation || !isRunning(sw) || !shard) return 'wait';
  if (shard.generation > generation) return isReadAgain ? 'counts-differ' : 'look';
  if (shard.generation < generation) return 'turn';
  if (!isTurnedTo(shard, turnOf(sw))) return 'counts-differ';
  return shard.phase === 'done' ? 'done' : 'pass';
}
