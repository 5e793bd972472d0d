// The timer that finds stuck switches: the message was lost, the worker died, or the host never started again. It works the agenda and sends messages; a
// message too many does no harm. Only a switch that waits for a consent that has come is released first.
import { isEnded, isRunning, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { ok } from '../../domain/result.ts';
import { walkAgenda } from '../../store/agenda-walk.ts';
import { noteOnAgenda, type ListedAgendaItem } from '../../store/agenda.ts';
import { text } from '../../store/rows/cells.ts';
import { LAST_ATTEMPT, type WorkMessage } from '../../domain/work-message.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import type { Auditing } from '../../store/append.ts';
import type { WorkQueue } from '../../domain/ports.ts';
import { loadShards, type LoadedShard } from '../../store/shard-rows.ts';
import { lacksVerification } from '../tenants/verifications.ts';
import { tenantsOf } from './gate.ts';
import { decide } from './decide.ts';
import { enqueue, reprotectMessages } from './messages.ts';
import { lastMove } from './messages.ts';
import { takeIdleSwitchOff } from './agenda.ts';
import { goOnIfConsented } from './trouble.ts';

export interface SweepDependencies extends Auditing {
  readonly tables: Auditing['tables'];
  readonly queue: WorkQueue;
  readonly stuckAfterMs: number;
}

/**
 * The timer's message is tried once, for less than this time, so its next one finds no other in the queue. Less than a minute, so that a switch goes on
 * within about a minute after faults end.
 */
const RESUME_EVERY_MS = 50_000;

/** Answers how many switches it resumed. */
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
  if (sw.value.blocked) return goOnIfConsented(deps, place, sw.value);
  if (sw.value.paused) return false;
  const resumedAt = text(item.cells, 'resumedAt');
  if (resumedAt !== undefined && !isOlder(deps, resumedAt, RESUME_EVERY_MS)) return false;
  const messages = await messagesFor(deps, { ...place, shardCount: keyring.value.shardCount }, sw.value);
  if (messages.length === 0) return false;
  // invariant 5: resume a switch that stands still without waiting for a decision
  await enqueue(deps, place, messages.map(triedOnce));
  await noteOnAgenda(deps.tables, item, { resumedAt: deps.clock.now().toISOString() });
  return true;
}

/** The timer itself makes further attempts. */
const triedOnce = (message: WorkMessage): WorkMessage => ({ ...message, attempt: LAST_ATTEMPT });

/** A time in the future was written by a host whose clock was ahead. */
function isOlder(deps: SweepDependencies, at: string, ageMs: number): boolean {
  const pastMs = deps.clock.now().getTime() - Date.parse(at);
  return !(Math.abs(pastMs) < ageMs);
}

async function messagesFor(
  deps: SweepDependencies,
  { shardCount, ...place }: SwitchPlace & { readonly shardCount: number },
  sw: Switch,
): Promise<readonly WorkMessage[]> {
  if (!isRunning(sw) && !isOlder(deps, sw.createdAt, deps.stuckAfterMs)) return [];
  let shards: readonly (LoadedShard | undefined)[] = [];
  // The rows need no seal check: this only sends messages, and their workers check for themselves.
  const decided = await decide(
    sw,
    { seal: 'good', rows: 'read' },
    {
      shards: async () => {
        shards = await loadShards(deps.tables, { ...place, shardCount });
        return ok(shards.map((shard) => shard?.value));
      },
      tenants: async () => ok((await lacksTenants(deps, place, sw)) ? 1 : 0),
    },
  );
  // The decision, confirmation or verification that it waits for sends its own message.
  if (!decided.ok || decided.value.type === 'wait') return [];
  const undone = decided.value.type === 'fan-out' ? decided.value.shards : [];
  const stuck = undone.filter((index) => isOlder(deps, lastMove(sw, shards[index]?.value), deps.stuckAfterMs));
  if (undone.length > 0 && stuck.length === 0) return [];
  if (isRunning(sw))
    deps.log.write({ level: 'warning', event: 'switch.resumed-by-timer', detail: { ...place, shards: stuck.length } });
  return undone.length === 0
    ? [{ format: 1, kind: 'advance', attempt: 0, ...place }]
    : reprotectMessages(place, { generation: sw.generation, shards: toTry(sw, stuck) });
}

/** The shard whose worker met the vault's failure is enough to find out whether the vault is back; its worker resumes the others. */
function toTry({ trouble }: Switch, stuck: readonly number[]): readonly number[] {
  const isOfVault = trouble?.side !== undefined && trouble.shard !== undefined;
  return isOfVault && stuck.includes(trouble.shard) ? [trouble.shard] : stuck;
}

/** Whether a verification is missing. Whether the existing ones are good, a worker finds out. */
async function lacksTenants({ tables }: SweepDependencies, place: SwitchPlace, sw: Switch): Promise<boolean> {
  const { companyId, keyringId, switchId } = place;
  const tenants = await tenantsOf(tables, { companyId, sw });
  return lacksVerification(tables, tenants, { companyId, approval: { for: 'switch', keyringId, switchId } });
}
