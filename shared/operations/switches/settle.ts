// What becomes of a message after its work. A failure that may pass sends a copy of the message with back-off; one that a person has to mend blocks the
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

/** What a message came to. */
export interface Worked {
  readonly outcome: StepOutcome;
  /** Of the switch as it was when this came of it. */
  readonly generation: number;
  /** Whose worker met it; undefined on the way to a beginning or an end. */
  readonly shard?: number;
  /** What is left of the message's work. */
  readonly left: WorkMessage;
}

/** Until a message that found no permit looks again: soon at first, for a vault that answers; about a minute in all its rounds. */
const ROUNDS: BackOff = { firstMs: 250, lastMs: 6_000 };

/** `found`: the switch as it was when the message was taken. Throws StoreUnavailable. */
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

/** The store or the queue was away. */
export const comeAgain = (deps: Settling, message: WorkMessage): Promise<void> =>
  goAgainLater(deps, message, delayOf(deps, message));

/**
 * How long until a message is tried again. Undefined after so many: then the timer takes over, which sends messages of its own while a
 * switch stands still, and in a long outage those must not pile up.
 */
function delayOf({ backOff, entropy }: Settling, { attempt }: WorkMessage): number | undefined {
  if (attempt >= LAST_ATTEMPT) return undefined;
  return backOffMs(backOff, { attempt, chance: (entropy.bytes(1)[0] ?? 0) / 255 });
}

/** A copy of its own (invariant A24): a message that is abandoned would come back at once, and one with the same id would be dropped. */
async function goAgainLater(deps: Settling, message: WorkMessage, delayMs: number | undefined): Promise<void> {
  if (delayMs === undefined) {
    const { companyId, keyringId, switchId } = message;
    deps.log.write({ level: 'warning', event: 'switch.left-to-timer', detail: { companyId, keyringId, switchId } });
    return;
  }
  await deps.queue.send([{ ...message, attempt: message.attempt + 1 }], { delayMs });
}

/** It found no permit, and did nothing. */
async function giveBack(deps: Settling, message: WorkMessage, sw: Switch): Promise<void> {
  const shard = message.kind === 'reprotect' ? message.firstShard : undefined;
  if (triesElsewhere(sw, { shard, now: deps.clock.now().toISOString() })) return;
  const chance = (deps.entropy.bytes(1)[0] ?? 0) / 255;
  const delayMs = message.attempt < LAST_ROUND ? backOffMs(ROUNDS, { attempt: message.attempt, chance }) : undefined;
  await goAgainLater(deps, message, delayMs);
}
