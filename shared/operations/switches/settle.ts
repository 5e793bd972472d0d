// What happens to a message after its work. After a failure that may pass, a copy is sent with back-off; one that a person has to mend blocks the
// switch; anything else is a bug and is thrown, so that the queue counts it.
import { KEYSWITCH } from '../../domain/audit.ts';
import { backOffMs, type BackOff } from '../../domain/back-off.ts';
import { present } from '../../domain/plain-object.ts';
import type { Entropy, WorkQueue } from '../../domain/ports.ts';
import type { StepFailure, StepOutcome } from '../../domain/switch-machine.ts';
import type { Blocked, Switch, SwitchPlace } from '../../domain/switch.ts';
import { LAST_ATTEMPT, LAST_ROUND, type WorkMessage } from '../../domain/work-message.ts';
import { recordFailure, type Recording } from '../../store/record-event.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import { blockSwitch, noteTrouble, triesElsewhere } from './trouble.ts';

export interface Settling extends Recording {
  readonly queue: WorkQueue;
  readonly backOff: BackOff;
  readonly entropy: Entropy;
}

/** What a message's work came to. */
export interface Worked {
  readonly outcome: StepOutcome;
  /** The switch's generation at that time. */
  readonly generation: number;
  /** The shard whose worker it was; undefined at the beginning or the end of a switch. */
  readonly shard?: number;
  /** What is left of the message's work. */
  readonly left: WorkMessage;
}

/** Back-off of a message that found no permit: short at first, about a minute over all its rounds. */
const ROUNDS: BackOff = { firstMs: 250, lastMs: 6_000 };

/** `found`: the switch when the message was taken. Throws StoreUnavailable. */
export async function settle(deps: Settling, place: SwitchPlace, worked: Worked, found: Switch): Promise<void> {
  const { outcome, left } = worked;
  switch (outcome.type) {
    case 'done':
      return;
    case 'moved':
      return deps.queue.send([{ ...left, attempt: 0 }]);
    case 'wait':
      return outcome.for === 'permit' ? giveBack(deps, left, found) : undefined;
    case 'retry':
    case 'blocked':
      deps.log.write({
        level: 'warning',
        event: 'switch.trouble',
        detail: { ...place, code: outcome.failure.code, side: outcome.side },
      });
      return outcome.type === 'retry'
        ? tryLater(deps, place, worked, outcome)
        : block(deps, place, worked.generation, outcome);
  }
}

async function tryLater(
  deps: Settling,
  place: SwitchPlace,
  { generation, shard, left }: Worked,
  { failure, side }: StepFailure,
): Promise<void> {
  const delayMs = delayOf(deps, left);
  const nextTryAt = delayMs === undefined ? undefined : new Date(deps.clock.now().getTime() + delayMs).toISOString();
  const triesAgain = await noteTrouble(deps, place, { generation, failure, ...present({ side, shard, nextTryAt }) });
  return triesAgain ? goAgainLater(deps, left, delayMs) : undefined;
}

async function block(
  deps: Settling,
  place: SwitchPlace,
  generation: number,
  { failure, side, ofKeeping }: StepFailure,
): Promise<void> {
  const since = deps.clock.now().toISOString();
  const target = switchRow.key(place);
  await recordFailure(deps, KEYSWITCH, { companyId: place.companyId, target, failure });
  const blocked: Blocked =
    side === undefined
      ? { reason: 'counts-differ', since, failure }
      : { reason: ofKeeping ? 'key-not-kept' : 'provider', since, side, failure };
  await blockSwitch(deps, place, { generation, blocked });
}

/** For when the store or the queue was away. */
export const comeAgain = (deps: Settling, message: WorkMessage): Promise<void> =>
  goAgainLater(deps, message, delayOf(deps, message));

/**
 * How long until a message is tried again. Undefined after LAST_ATTEMPT tries: then the timer takes over, which sends its own messages while a switch
 * stands still, and in a long outage messages must not pile up.
 */
function delayOf({ backOff, entropy }: Settling, { attempt }: WorkMessage): number | undefined {
  if (attempt >= LAST_ATTEMPT) return undefined;
  return backOffMs(backOff, { attempt, chance: (entropy.bytes(1)[0] ?? 0) / 255 });
}

/** Sends a copy with a new id (invariant A24): an abandoned message would come back at once, and one with the same id would be dropped. */
async function goAgainLater(deps: Settling, message: WorkMessage, delayMs: number | undefined): Promise<void> {
  if (delayMs === undefined) {
    const { companyId, keyringId, switchId } = message;
    deps.log.write({ level: 'warning', event: 'switch.left-to-timer', detail: { companyId, keyringId, switchId } });
    return;
  }
  await deps.queue.send([{ ...message, attempt: message.attempt + 1 }], { delayMs });
}

/** For a message that found no permit and did nothing. */
async function giveBack(deps: Settling, message: WorkMessage, sw: Switch): Promise<void> {
  const shard = message.kind === 'reprotect' ? message.firstShard : undefined;
  if (triesElsewhere(sw, { shard, now: deps.clock.now().toISOString() })) return;
  const chance = (deps.entropy.bytes(1)[0] ?? 0) / 255;
  const delayMs = message.attempt < LAST_ROUND ? backOffMs(ROUNDS, { attempt: message.attempt, chance }) : undefined;
  await goAgainLater(deps, message, delayMs);
}
