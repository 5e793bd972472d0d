// The timer that finds what got stuck: a switch whose message was lost, whose worker died, or whose host was never started again.
// It works the agenda and only sends messages; a message too many does no harm.
import { isEnded, isRunning, turnOf, type Switch } from '../../domain/switch.ts';
import { walkAgenda } from '../agenda-walk.ts';
import { noteOnAgenda, type ListedAgendaItem } from '../agenda.ts';
import { text } from '../../domain/rows/cells.ts';
import { LAST_ATTEMPT, type WorkMessage } from '../../domain/work-message.ts';
import { loadKeyring, loadSwitch } from '../control-state.ts';
import type { Clock, Log, Tables, WorkQueue } from '../ports.ts';
import { loadShards } from '../shard-rows.ts';
import { lacksVerification } from '../tenants/verifications.ts';
import { tenantsOf } from './tenants-hold.ts';
import { enqueue, isDone, reprotectMessages } from './enqueue.ts';
import { lastMove } from './shard-moves.ts';
import { takeIdleSwitchOff } from './switch-agenda.ts';
import type { SwitchPlace } from './switch-writes.ts';

export interface SweepDependencies {
  readonly tables: Tables;
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly log: Log;
  readonly stuckAfterMs: number;
}

/**
 * A message of the timer is tried once and goes round for its turn for less than this: what is sent after it finds no other. Less than a
 * minute, so that a switch goes on within about one when faults stop.
 */
const RESUME_EVERY_MS = 50_000;

/** Answers how many switches were set going again. */
export async function sweepSwitches(deps: SweepDependencies): Promise<number> {
  const { sum } = await walkAgenda(deps, { kind: 'switch' }, async (item) => ((await lookAt(deps, item)) ? 1 : 0));
  return sum;
}

async function lookAt(deps: SweepDependencies, item: ListedAgendaItem): Promise<boolean> {
  const { companyId, id: keyringId } = item;
  const keyring = await loadKeyring(deps.tables, { companyId, keyringId });
  const switchId = keyring?.value.switchId;
  const place = switchId === undefined ? undefined : { companyId, keyringId, switchId };
  const sw = place && (await loadSwitch(deps.tables, place));
  if (!keyring || !place || !sw || isEnded(sw.value.state)) {
    await takeIdleSwitchOff({ tables: deps.tables, now: deps.clock.now() }, item);
    return false;
  }
  if (sw.value.paused || sw.value.blocked) return false;
  const resumedAt = text(item.cells, 'resumedAt');
  if (resumedAt !== undefined && !isOlder(deps, resumedAt, RESUME_EVERY_MS)) return false;
  const messages = isRunning(sw.value)
    ? await messagesForShards(deps, { ...place, shardCount: keyring.value.shardCount }, sw.value)
    : await messagesForBeginning(deps, place, sw.value);
  if (messages.length === 0) return false;
  // invariant 5: whatever stands still without waiting for somebody is set going again
  await enqueue(deps, place, messages.map(triedOnce));
  await noteOnAgenda(deps.tables, item, { resumedAt: deps.clock.now().toISOString() });
  return true;
}

/** The timer itself tries again. */
const triedOnce = (message: WorkMessage): WorkMessage => ({ ...message, attempt: LAST_ATTEMPT });

/** What is said to be of later than now, a host has written whose clock was ahead. */
function isOlder(deps: SweepDependencies, at: string, ageMs: number): boolean {
  const pastMs = deps.clock.now().getTime() - Date.parse(at);
  return !(Math.abs(pastMs) < ageMs);
}

async function messagesForBeginning(
  deps: SweepDependencies,
  place: SwitchPlace,
  sw: Switch,
): Promise<readonly WorkMessage[]> {
  if (!isOlder(deps, sw.createdAt, deps.stuckAfterMs)) return [];
  if (sw.awaitsConfirmation || (await waitsForTenants(deps, place, sw))) return [];
  return [{ format: 1, kind: 'advance', attempt: 0, ...place }];
}

async function messagesForShards(
  deps: SweepDependencies,
  { shardCount, ...place }: SwitchPlace & { readonly shardCount: number },
  sw: Switch,
): Promise<readonly WorkMessage[]> {
  const shards = await loadShards(deps.tables, { ...place, shardCount });
  const undone = shards.flatMap((shard, index) => (isDone(shard, turnOf(sw)) ? [] : [index]));
  const stuck = undone.filter((index) => isOlder(deps, lastMove(sw, shards[index]?.value), deps.stuckAfterMs));
  if (undone.length > 0 && stuck.length === 0) return [];
  // Nothing is stuck: what is left is somebody's decision on a quarantined row, and that sends its own message.
  if (undone.length === 0 && shards.some((shard) => (shard?.value.quarantined ?? 0) > 0)) return [];
  if (undone.length === 0 && (await waitsForTenants(deps, place, sw))) return [];
  deps.log.write({ level: 'warning', event: 'switch.resumed-by-timer', detail: { ...place, shards: stuck.length } });
  return undone.length === 0
    ? [{ format: 1, kind: 'advance', attempt: 0, ...place }]
    : reprotectMessages(place, { generation: sw.generation, shards: toTry(sw, stuck) });
}

/** The shard that met a vault is enough to find out whether it has come back: it sets the others going. */
function toTry({ trouble }: Switch, stuck: readonly number[]): readonly number[] {
  const isOfVault = trouble?.side !== undefined && trouble.shard !== undefined;
  return isOfVault && stuck.includes(trouble.shard) ? [trouble.shard] : stuck;
}

/** Verifying the last of them sends its own message. Where none lacks one, a worker says whether they are good. */
async function waitsForTenants({ tables }: SweepDependencies, place: SwitchPlace, sw: Switch): Promise<boolean> {
  if (sw.kind === 'rekey' || sw.state === 'rolling-back') return false;
  const { companyId, keyringId, switchId } = place;
  return lacksVerification(tables, await tenantsOf(tables, { companyId, sw }), {
    companyId,
    approval: { for: 'switch', keyringId, switchId },
  });
}
