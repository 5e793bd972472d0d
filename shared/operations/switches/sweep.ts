// The timer that finds what got stuck: a switch whose message was lost, whose worker died, or whose host was never started again.
// It works the agenda and only sends messages; a message too many does no harm.
import { isEnded, isRunning, turnOf, type Switch } from '../../domain/switch.ts';
import { walkAgenda } from '../agenda-walk.ts';
import type { ListedAgendaItem } from '../agenda.ts';
import { loadKeyring, loadSwitch } from '../control-state.ts';
import type { Clock, Log, Tables, WorkQueue } from '../ports.ts';
import { loadShards } from '../shard-rows.ts';
import { lacksVerification } from '../tenants/verifications.ts';
import { enqueue, isDone, reprotectMessages } from './enqueue.ts';
import { takeIdleSwitchOff } from './switch-agenda.ts';
import type { SwitchPlace } from './switch-writes.ts';

export interface SweepDependencies {
  readonly tables: Tables;
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly log: Log;
  readonly stuckAfterMs: number;
}

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
  if (!isRunning(sw.value)) return resumeBeginning(deps, place, sw.value);
  return resumeShards(deps, { ...place, shardCount: keyring.value.shardCount }, sw.value);
}

const isOlder = (deps: SweepDependencies, at: string, ageMs: number): boolean =>
  !(deps.clock.now().getTime() - Date.parse(at) < ageMs);

async function resumeBeginning(deps: SweepDependencies, place: SwitchPlace, sw: Switch): Promise<boolean> {
  if (!isOlder(deps, sw.createdAt, deps.stuckAfterMs)) return false;
  if (await waitsForTenants(deps, place, sw)) return false;
  await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, ...place }]);
  return true;
}

async function resumeShards(
  deps: SweepDependencies,
  { shardCount, ...place }: SwitchPlace & { readonly shardCount: number },
  sw: Switch,
): Promise<boolean> {
  const shards = await loadShards(deps.tables, { ...place, shardCount });
  const undone = shards.flatMap((shard, index) => (isDone(shard, turnOf(sw)) ? [] : [index]));
  const stuck = undone.filter((index) => isOlder(deps, lastMove(sw, shards[index]?.value), deps.stuckAfterMs));
  if (undone.length > 0 && stuck.length === 0) return false;
  // Nothing is stuck: what is left is somebody's decision on a quarantined row, and that sends its own message.
  if (undone.length === 0 && shards.some((shard) => (shard?.value.quarantined ?? 0) > 0)) return false;
  if (undone.length === 0 && (await waitsForTenants(deps, place, sw))) return false;
  const messages =
    undone.length === 0
      ? [{ format: 1, kind: 'advance', attempt: 0, ...place } as const]
      : reprotectMessages(place, { generation: sw.generation, shards: stuck });
  await enqueue(deps, place, messages);
  deps.log.write({ level: 'warning', event: 'switch.resumed-by-timer', detail: { ...place, shards: stuck.length } });
  return true;
}

/** Verifying the last of them sends its own message. Where none lacks one, a worker says whether they are good. */
async function waitsForTenants({ tables }: SweepDependencies, place: SwitchPlace, sw: Switch): Promise<boolean> {
  if (sw.kind === 'rekey' || (sw.state !== 'pending-verification' && sw.state !== 're-protecting')) return false;
  const { companyId, keyringId, switchId } = place;
  return lacksVerification(tables, { companyId, approval: { for: 'switch', keyringId, switchId } });
}

/** A shard that was not turned yet has been waiting since the switch was. */
function lastMove(sw: Switch, shard: { readonly generation: number; readonly touchedAt: string } | undefined): string {
  const turnedAt = sw.turnedAt ?? sw.createdAt;
  return shard?.generation === sw.generation && shard.touchedAt > turnedAt ? shard.touchedAt : turnedAt;
}
