// What a message from the work queue sets going. Every message may come twice, late, out of order or for something long over: the
// tables are asked first, and a message that has nothing to do does nothing (invariant A23). Failures that may pass go again as a new message with
// back-off; what somebody has to mend blocks the switch; anything else is a bug and is thrown, so that the queue counts it.
import { KEYSWITCH } from '../../domain/audit.ts';
import { mayPass, type Failure } from '../../domain/failure.ts';
import type { Blocked, Switch, SwitchPlace } from '../../domain/switch.ts';
import { present } from '../../domain/plain-object.ts';
import { switchRowKey } from '../../store/rows/row-keys.ts';
import { LAST_ATTEMPT, LAST_ROUND, type WorkMessage } from '../../domain/work-message.ts';
import { recordFailure, type Recording } from '../../store/record-event.ts';
import { loadKeyring, loadSwitch, type Loaded } from '../../store/control-state.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { WorkQueue } from '../../domain/ports.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import { recordPoison } from './poison.ts';
import { backOffMs, type BackOff } from '../../domain/back-off.ts';
import { loadShard } from '../../store/shard-rows.ts';
import { decide, seen } from './decide.ts';
import { enqueue, reprotectMessages } from './messages.ts';
import { commit, type Committing } from './commit.ts';
import { leaveVerification } from './gate.ts';
import { prepare, type Preparing } from './prepare.ts';
import { passShard, type ShardPassing } from './pass.ts';
import { setOthersGoing } from './messages.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import { checkSwitch } from '../keys/switch-seal.ts';
import { blockSwitch, endTrouble, noteTrouble, triesElsewhere } from './trouble.ts';
import { NO_PERMIT } from './vault-permits.ts';

export interface WorkDependencies extends Preparing, Omit<Committing, 'vaults' | 'sealer'>, ShardPassing, Recording {
  readonly tables: Recording['tables'];
  readonly queue: WorkQueue;
  /** How long a consent serves for a set-up that is not finished. */
  readonly consentMs: number;
  readonly backOff: BackOff;
  /** How long one message works before it hands over to its continuation. */
  readonly messageBudgetMs: number;
}

/** What is left of a message's work. */
type Rest =
  | { readonly type: 'nothing' }
  | { readonly type: 'continue'; readonly message: WorkMessage }
  /** There was no permit to wait for a vault: this comes again. */
  | { readonly type: 'no-permit'; readonly message: WorkMessage }
  | Trouble;
interface Trouble {
  readonly type: 'trouble';
  /** Of the switch as it was when this was met. */
  readonly generation: number;
  /** Undefined: it is not about a vault, but about the counts of a shard. */
  readonly side?: 'source' | 'target';
  readonly failure: Failure;
  /** All is done, but the company key that would go cannot be kept. */
  readonly ofKeeping?: true;
  /** Whose worker met it; undefined on the way to a beginning or an end. */
  readonly shard?: number;
}

const troubleOf = (
  generation: number,
  { side, failure, ofKeeping, shard }: Pick<Trouble, 'side' | 'failure' | 'ofKeeping' | 'shard'>,
): Trouble => ({ type: 'trouble', generation, failure, ...present({ side, ofKeeping, shard }) });

const NOTHING: Rest = { type: 'nothing' };
const MAX_LOST_RACES = 8;
/** Until a message that found no permit looks again: soon at first, for a vault that answers; about a minute in all its rounds. */
const ROUNDS: BackOff = { firstMs: 250, lastMs: 6_000 };

export async function handleSwitchWork(deps: WorkDependencies, message: WorkMessage): Promise<void> {
  const { companyId, keyringId, switchId } = message;
  const place: SwitchPlace = { companyId, keyringId, switchId };
  try {
    const sw = await loadSwitch(deps.tables, place);
    if (!sw) {
      await recordPoison(deps, { reason: 'no such switch', value: message });
      return;
    }
    const rest =
      message.kind === 'advance' ? await advanceInTurn(deps, message) : await reprotect(deps, message, sw.value);
    if (rest.type === 'continue') await deps.queue.send([rest.message]);
    if (rest.type === 'no-permit') await giveBack(deps, rest.message, sw.value);
    if (rest.type === 'trouble') await meetTrouble(deps, place, { message, trouble: rest });
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.write({ level: 'warning', event: 'store.unavailable', detail: { ...place, reason: error.message } });
    await goAgainLater(deps, message, delayOf(deps, message));
  }
}

async function meetTrouble(
  deps: WorkDependencies,
  place: SwitchPlace,
  met: { readonly message: WorkMessage; readonly trouble: Trouble },
): Promise<void> {
  const { generation, failure, side, ofKeeping, shard } = met.trouble;
  deps.log.write({ level: 'warning', event: 'switch.trouble', detail: { ...place, code: failure.code, side } });
  if (mayPass(failure)) {
    const delayMs = delayOf(deps, met.message);
    const nextTryAt = delayMs === undefined ? undefined : new Date(deps.clock.now().getTime() + delayMs).toISOString();
    const triesAgain = await noteTrouble(deps, place, { generation, failure, ...present({ side, shard, nextTryAt }) });
    return triesAgain ? goAgainLater(deps, met.message, delayMs) : undefined;
  }
  const since = deps.clock.now().toISOString();
  const target = switchRowKey(place.keyringId, place.switchId);
  await recordFailure(deps, KEYSWITCH, { companyId: place.companyId, target, failure });
  const blocked: Blocked =
    side === undefined
      ? { reason: 'counts-differ', since, failure }
      : { reason: ofKeeping ? 'key-not-kept' : 'provider', since, side, failure };
  await blockSwitch(deps, place, { generation, blocked });
}

/**
 * How long until a message is tried again. Undefined after so many: then the timer takes over, which sends messages of its own while a
 * switch stands still, and in a long outage those must not pile up.
 */
function delayOf({ backOff, entropy }: WorkDependencies, { attempt }: WorkMessage): number | undefined {
  if (attempt >= LAST_ATTEMPT) return undefined;
  return backOffMs(backOff, { attempt, chance: (entropy.bytes(1)[0] ?? 0) / 255 });
}

/** A copy of its own (invariant A24): a message that is abandoned would come back at once, and one with the same id would be dropped. */
async function goAgainLater(deps: WorkDependencies, message: WorkMessage, delayMs: number | undefined): Promise<void> {
  if (delayMs === undefined) {
    const { companyId, keyringId, switchId } = message;
    deps.log.write({ level: 'warning', event: 'switch.left-to-timer', detail: { companyId, keyringId, switchId } });
    return;
  }
  await deps.queue.send([{ ...message, attempt: message.attempt + 1 }], { delayMs });
}

/** It did nothing and waited for nobody; its place is another's. */
async function giveBack(deps: WorkDependencies, message: WorkMessage, sw: Switch): Promise<void> {
  const shard = message.kind === 'reprotect' ? message.firstShard : undefined;
  if (triesElsewhere(sw, { shard, now: deps.clock.now().toISOString() })) return;
  const chance = (deps.entropy.bytes(1)[0] ?? 0) / 255;
  const delayMs = message.attempt < LAST_ROUND ? backOffMs(ROUNDS, { attempt: message.attempt, chance }) : undefined;
  await goAgainLater(deps, message, delayMs);
}

/** Its steps ask vaults, each up to its time-out. */
async function advanceInTurn(deps: WorkDependencies, message: WorkMessage): Promise<Rest> {
  const { companyId, keyringId, switchId } = message;
  const rest = await deps.vaultPermits.run(companyId, () => advance(deps, { companyId, keyringId, switchId }));
  return rest === NO_PERMIT ? { type: 'no-permit', message } : rest;
}

/** Whatever comes next for a switch, as far as it goes without moving a row. */
async function advance(deps: WorkDependencies, place: SwitchPlace): Promise<Rest> {
  let losses = 0;
  while (losses < MAX_LOST_RACES) {
    if (losses > 0) await pauseAfterLosing(deps, losses);
    const sw = await loadSwitch(deps.tables, place);
    if (!sw) return NOTHING;
    const rest = await step(deps, place, sw);
    if (rest !== 'moved' && rest !== 'lost-race') return rest;
    losses = rest === 'moved' ? 0 : losses + 1;
  }
  throw new StoreUnavailable('lost too many races for a switch');
}

async function step(
  deps: WorkDependencies,
  place: SwitchPlace,
  sw: Loaded<Switch>,
): Promise<Rest | 'moved' | 'lost-race'> {
  const { generation } = sw.value;
  const seal = async () => seen('source', await checkSwitch(deps, place, sw.value), () => 'good' as const);
  const decided = await decide(sw.value, {}, { seal });
  if (!decided.ok) return troubleOf(generation, decided.error);
  const then = decided.value;
  if (then.type === 'ended') await takeEndedSwitchOff(deps.tables, place);
  // What else is to be looked at, each step looks at under the rows of its transaction.
  if (then.type !== 'ask') return NOTHING;
  if (then.step === 'begin') {
    const left = await leaveVerification(deps, place, sw);
    if (typeof left === 'string') return left;
    return left.type === 'waits' ? NOTHING : troubleOf(generation, left);
  }
  if (then.step === 'prepare') {
    const prepared = await prepare(deps, place, sw);
    if (prepared.type === 'failed') return troubleOf(generation, prepared);
    if (prepared.type === 'waits') return NOTHING;
    return prepared.type === 'prepared' ? 'moved' : 'lost-race';
  }
  const end = await commit(deps, place);
  if (end.type === 'failed' || end.type === 'counts-differ') return troubleOf(generation, end);
  if (end.type === 'lost-race' || end.type === 'stale') return 'lost-race';
  if (end.type === 'undone') await enqueue(deps, place, reprotectMessages(place, { generation, shards: end.shards }));
  return NOTHING;
}

async function reprotect(
  deps: WorkDependencies,
  message: Extract<WorkMessage, { kind: 'reprotect' }>,
  found: Switch,
): Promise<Rest> {
  const { companyId, keyringId, switchId, generation } = message;
  const deadline = new Date(deps.clock.now().getTime() + deps.messageBudgetMs);
  for (let shard = message.firstShard; shard <= message.lastShard; shard += 1) {
    const outcome = await passShard(deps, { companyId, keyringId, switchId, shard }, { generation, deadline });
    if (outcome.type === 'stale') return NOTHING;
    if (outcome.type === 'no-permit') return { type: 'no-permit', message: { ...message, firstShard: shard } };
    const hasGoneOn = outcome.type === 'done' || outcome.type === 'out-of-time';
    if (hasGoneOn && found.trouble?.shard === shard) {
      await endTrouble(deps, { companyId, keyringId, switchId }, shard);
      await setOthersGoing(deps, { companyId, keyringId, switchId }, { shard, since: found.trouble.since });
    }
    if (outcome.type === 'out-of-time')
      return { type: 'continue', message: { ...message, attempt: 0, firstShard: shard } };
    if (outcome.type === 'counts-differ') return troubleOf(generation, outcome);
    if (outcome.type === 'problem') {
      const { problem } = outcome;
      // A company key that is gone means that this worker is out of date, not that anything is wrong.
      if (problem.type === 'gone') return NOTHING;
      return troubleOf(generation, { side: problem.side, failure: problem.failure, shard });
    }
  }
  const place: SwitchPlace = { companyId, keyringId, switchId };
  if (await othersAreAtWork(deps, place, message)) return NOTHING;
  const end = await deps.vaultPermits.run(companyId, () => endOf(deps, place, generation));
  return end === NO_PERMIT ? { type: 'no-permit', message } : end;
}

/**
 * Whether another shard has work left: its worker comes here too, and later. Looked for from the next shard on, one by one, so
 * that all but the last workers read next to nothing.
 */
async function othersAreAtWork(
  { tables }: WorkDependencies,
  place: SwitchPlace,
  { generation, lastShard }: { readonly generation: number; readonly lastShard: number },
): Promise<boolean> {
  const keyring = await loadKeyring(tables, place);
  const shardCount = keyring?.value.shardCount ?? 0;
  for (let further = 1; further < shardCount; further += 1) {
    const shard = await loadShard(tables, { ...place, shard: (lastShard + further) % shardCount });
    if (!(shard?.value.generation === generation && shard.value.phase === 'done')) return true;
  }
  return false;
}

/** Every shard seems done: whoever finds them so with all that a commit is made under ends the switch. */
async function endOf(deps: WorkDependencies, place: SwitchPlace, generation: number): Promise<Rest> {
  const end = await commit(deps, place);
  if (end.type === 'failed' || end.type === 'counts-differ') return troubleOf(generation, end);
  return end.type === 'lost-race' ? advance(deps, place) : NOTHING;
}
