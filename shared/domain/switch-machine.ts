// What comes next for a switch: the table "What comes next" of docs/protocol.md. Pure, and it asks for one thing after the other, so that a worker
// that goes by it reads nothing that it does not need, and nothing before the rows that its transaction is made under.
import { mayPass, type Failure } from './failure.ts';
import { areDoneAt, mayEndAt } from './shard-counts.ts';
import { isDoneIn, isTurnedTo, type Shard, type Turn } from './shard.ts';
import { awaitsItsAdmin, isEnded, isRunning, turnOf, type Switch, type SwitchState } from './switch.ts';

/** What has been looked at. Absent: not yet. */
export interface Known {
  /** Its seal holds. */
  readonly seal?: 'good';
  /** The rows that the transaction of its next step is made under. */
  readonly rows?: 'read';
  /** How many tenants have not agreed. */
  readonly tenants?: number;
  /** Consent to the target's key, and the claim to it. */
  readonly proof?: 'good';
  /** Every shard of the keyring by its number; undefined where its row is not there. */
  readonly shards?: readonly (Shard | undefined)[];
  /** Whether another worker is about to end it. */
  readonly lease?: 'free' | 'held';
}

export type Asked = keyof Known;

/** `decision`: an admin has to retry, resume, cancel, or decide on quarantined rows. */
export type WaitsFor = 'company-admin' | 'tenants' | 'decision' | 'other-worker';

/** Those that end in a transaction of the switch. */
export type Step = 'begin' | 'prepare' | 'commit' | 'roll-back';

export type Next =
  | { readonly type: 'ended' }
  /** To be looked at before more can be said. `step`: what it all leads to. */
  | { readonly type: 'ask'; readonly what: Asked; readonly step: Step }
  | { readonly type: 'wait'; readonly for: WaitsFor }
  | { readonly type: 'step'; readonly step: Step }
  /** These shards have work left. */
  | { readonly type: 'fan-out'; readonly shards: readonly number[] }
  /** These shards are done, and count rows elsewhere or fewer than none: a company key that may be needed is not deleted. */
  | { readonly type: 'counts-differ'; readonly shards: readonly number[] };

const STEPS: Readonly<Record<Exclude<SwitchState, 'completed' | 'cancelled'>, Step>> = {
  'pending-verification': 'begin',
  preparing: 'prepare',
  're-protecting': 'commit',
  'rolling-back': 'roll-back',
};

/** True if tenants hold its next step. A re-key leads nowhere else, and the way back needs no agreement. */
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
  // Last, so that a consent is not too old before everything else that takes days is there.
  if (step === 'begin' && !known.proof) return ask('proof');
  if (ends && !known.lease) return ask('lease');
  return ends && known.lease === 'held' ? wait('other-worker') : { type: 'step', step };
}

const wait = (what: WaitsFor): Next => ({ type: 'wait', for: what });

/** What keeps the shards from an end in this very turn, which deletes a company key. */
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

/** Its counts are those of a shard that is done, but for rows in quarantine that wait for a decision. */
const isFit = (shard: Shard | undefined, writeVersion: number): boolean =>
  shard !== undefined && areDoneAt(shard, writeVersion) && (shard.quarantined > 0 || mayEndAt(shard, writeVersion));

/** `next-message`: this worker is out of date, and the act that moved the switch on has sent a message. `permit`: too many wait for vaults already. */
type StepWaitsFor = WaitsFor | 'next-message' | 'permit';

export interface StepFailure {
  /** `retry`: it may pass by itself. `blocked`: a person has to act. */
  readonly type: 'retry' | 'blocked';
  readonly failure: Failure;
  /** Whose vault, or rows, it is about. None: it is about the counts of a shard. */
  readonly side?: 'source' | 'target';
  /** All is done, but the company key that would go cannot be kept. */
  readonly ofKeeping?: true;
}

/** What came of a step of a switch. */
export type StepOutcome =
  /** The switch has ended, or the shard has nothing left to do in its turn. */
  | { readonly type: 'done' }
  /** It is no longer as it was read: look again. `others`: they wrote first, and this worker nothing. */
  | { readonly type: 'moved'; readonly by: 'this-worker' | 'others' }
  | { readonly type: 'wait'; readonly for: StepWaitsFor }
  | StepFailure;

export const MOVED = { type: 'moved', by: 'this-worker' } as const;
export const LOST_RACE = { type: 'moved', by: 'others' } as const;
export const DONE = { type: 'done' } as const;
export const OUT_OF_DATE = { type: 'wait', for: 'next-message' } as const;

/** Of a step that does not come next. */
export const outcomeOf = (then: Next): StepOutcome => (then.type === 'wait' ? then : OUT_OF_DATE);

export const failed = (failure: Failure, about: Omit<StepFailure, 'type' | 'failure'> = {}): StepFailure => ({
  type: mayPass(failure) ? 'retry' : 'blocked',
  failure,
  ...about,
});

/** `look`: the switch was read before the shard, and has to be read once more before it can be said. */
export type ShardNext = 'wait' | 'look' | 'turn' | 'pass' | 'done' | 'counts-differ';

/** What comes next for one shard: the table "What comes next for a shard" of docs/protocol.md. `generation`: of the message that is worked on. */
export function nextForShard(
  sw: Switch | undefined,
  shard: Shard | undefined,
  { generation, isReadAgain = false }: { readonly generation: number; readonly isReadAgain?: boolean },
): ShardNext {
  // invariants 3 and A25: who works for another generation than the switch's writes nothing
  if (sw?.generation !== generation || !isRunning(sw) || !shard) return 'wait';
  if (shard.generation > generation) return isReadAgain ? 'counts-differ' : 'look';
  if (shard.generation < generation) return 'turn';
  if (!isTurnedTo(shard, turnOf(sw))) return 'counts-differ';
  return shard.phase === 'done' ? 'done' : 'pass';
}
