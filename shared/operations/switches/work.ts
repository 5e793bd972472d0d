// What a message from the work queue does. A message may come twice, late, out of order or for something long over: it reads the tables first, and does
// nothing if there is nothing to do (invariant A23). The switch machine says what comes next; each step answers its outcome.
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { DONE, OUT_OF_DATE, outcomeOf, type Step, type StepOutcome } from '../../domain/switch-machine.ts';
import type { ReprotectMessage, WorkMessage } from '../../domain/work-message.ts';
import { loadKeyring, loadSwitch, type Found } from '../../store/control-state.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import { loadShard } from '../../store/shard-rows.ts';
import { checkSwitch } from '../keys/switch-seal.ts';
import { takeEndedSwitchOff } from './agenda.ts';
import { commit, type Committing } from './commit.ts';
import { decide, seen } from './decide.ts';
import { leaveVerification, type Proving } from './gate.ts';
import { enqueue, reprotectMessages, setOthersGoing } from './messages.ts';
import { passShard, type ShardPassing } from './pass.ts';
import { recordPoison } from './poison.ts';
import { prepare, type Preparing } from './prepare.ts';
import { comeAgain, settle, type Settling, type Worked } from './settle.ts';
import { endTrouble } from './trouble.ts';
import { NO_PERMIT } from './vault-permits.ts';

export interface WorkDependencies extends Preparing, Committing, Proving, ShardPassing, Settling {
  readonly tables: Settling['tables'];
  readonly providers: Preparing['providers'];
  readonly sealer: Preparing['sealer'];
  /** How long one message works before it hands over to its continuation. */
  readonly messageBudgetMs: number;
}

const MAX_LOST_RACES = 8;

export async function handleSwitchWork(deps: WorkDependencies, message: WorkMessage): Promise<void> {
  const { companyId, keyringId, switchId } = message;
  const place: SwitchPlace = { companyId, keyringId, switchId };
  try {
    const sw = await loadSwitch(deps.tables, place);
    if (!sw) {
      await recordPoison(deps, { reason: 'no such switch', value: message });
      return;
    }
    const worked =
      message.kind === 'advance'
        ? await withPermit(deps, message, () => advance(deps, place))
        : await reprotect(deps, message, sw.value);
    await settle(deps, place, { left: message, ...worked }, sw.value);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.write({ level: 'warning', event: 'store.unavailable', detail: { ...place, reason: error.message } });
    await comeAgain(deps, message);
  }
}

type Advanced = Pick<Worked, 'outcome' | 'generation'>;

/** Runs a step under a permit, since steps ask vaults, each call up to its time-out. */
async function withPermit(
  deps: WorkDependencies,
  { companyId }: SwitchPlace,
  step: () => Promise<Advanced>,
): Promise<Advanced> {
  const advanced = await deps.vaultPermits.run(companyId, step);
  return advanced === NO_PERMIT ? { outcome: { type: 'wait', for: 'permit' }, generation: 0 } : advanced;
}

/** Takes a switch as far as it goes without moving rows. */
async function advance(deps: WorkDependencies, place: SwitchPlace): Promise<Advanced> {
  let losses = 0;
  while (losses < MAX_LOST_RACES) {
    if (losses > 0) await pauseAfterLosing(deps, losses);
    const sw = await loadSwitch(deps.tables, place);
    if (!sw) return { outcome: OUT_OF_DATE, generation: 0 };
    const outcome = await advanceOnce(deps, place, sw);
    if (outcome.type !== 'moved') return { outcome, generation: sw.value.generation };
    losses = outcome.by === 'this-worker' ? 0 : losses + 1;
  }
  throw new StoreUnavailable('lost too many races for a switch');
}

async function advanceOnce(deps: WorkDependencies, place: SwitchPlace, sw: Found<Switch>): Promise<StepOutcome> {
  const seal = async () => seen('source', await checkSwitch(deps, place, sw.value), () => 'good' as const);
  const decided = await decide(sw.value, {}, { seal });
  if (!decided.ok) return decided.error;
  const then = decided.value;
  // Each step looks at the rest itself, under the rows of its transaction.
  if (then.type === 'ask') return STEPS[then.step](deps, place, sw);
  if (then.type === 'ended') await takeEndedSwitchOff(deps.tables, place);
  return then.type === 'ended' ? DONE : outcomeOf(then);
}

type CarryOut = (deps: WorkDependencies, place: SwitchPlace, sw: Found<Switch>) => Promise<StepOutcome>;

const endOrFanOut: CarryOut = async (deps, place, { value: { generation } }) => {
  const end = await commit(deps, place);
  if (end.type !== 'fan-out') return end;
  await enqueue(deps, place, reprotectMessages(place, { generation, shards: end.shards }));
  return OUT_OF_DATE;
};

const STEPS: Readonly<Record<Step, CarryOut>> = {
  begin: leaveVerification,
  prepare,
  commit: endOrFanOut,
  'roll-back': endOrFanOut,
};

async function reprotect(
  deps: WorkDependencies,
  message: ReprotectMessage,
  found: Switch,
): Promise<Omit<Worked, 'left'> & Partial<Worked>> {
  const { companyId, keyringId, switchId, generation } = message;
  const place: SwitchPlace = { companyId, keyringId, switchId };
  const deadline = new Date(deps.clock.now().getTime() + deps.messageBudgetMs);
  for (let shard = message.firstShard; shard <= message.lastShard; shard += 1) {
    const outcome = await passShard(deps, { ...place, shard }, { generation, deadline });
    const hasGoneOn = outcome.type === 'done' || outcome.type === 'moved';
    if (hasGoneOn && found.trouble?.shard === shard) {
      await endTrouble(deps, place, shard);
      await setOthersGoing(deps, place, { shard, since: found.trouble.since });
    }
    if (outcome.type !== 'done') return { outcome, generation, shard, left: { ...message, firstShard: shard } };
  }
  if (await othersAreAtWork(deps, place, message)) return { outcome: DONE, generation };
  return withPermit(deps, place, () => endOf(deps, place, generation));
}

/**
 * Whether another shard has work left: its worker comes here later. Checked one by one from the next shard on, so that all but the last workers read next
 * to nothing.
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

/** All shards look done. Re-reads everything that the commit depends on, then commits. */
async function endOf(deps: WorkDependencies, place: SwitchPlace, generation: number): Promise<Advanced> {
  const end = await commit(deps, place);
  if (end.type === 'moved') return advance(deps, place);
  return { outcome: end.type === 'fan-out' ? OUT_OF_DATE : end, generation };
}
