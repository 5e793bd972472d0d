// The messages that set workers going. The tables are the truth and the timer resumes a switch that has no message: a queue that is away is logged,
// and undoes nothing that was decided.
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Log, WorkQueue, Clock } from '../../domain/ports.ts';
import { isDoneIn, type Turn } from '../../domain/shard.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { type LoadedShard, loadShards } from '../../store/shard-rows.ts';
import { type SwitchPlace, turnOf, type Switch, isRunning } from '../../domain/switch.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';

export async function enqueue(
  deps: { readonly queue: WorkQueue; readonly log: Log },
  place: SwitchPlace,
  messages: readonly WorkMessage[],
): Promise<void> {
  try {
    await deps.queue.send(messages);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const { companyId, keyringId, switchId } = place;
    const detail = { companyId, keyringId, switchId, reason: error.message };
    deps.log.write({ level: 'warning', event: 'queue.unavailable', detail });
  }
}

/** Whether a shard has nothing left to do in this very turn. */
export const isDone = (shard: LoadedShard | undefined, turn: Turn): boolean => isDoneIn(shard?.value, turn);

/** One message for each shard that is not done: each is a worker's turn, and they run side by side. */
export function reprotectMessages(
  place: SwitchPlace,
  work: { readonly generation: number; readonly shards: readonly number[] },
): WorkMessage[] {
  const { companyId, keyringId, switchId } = place;
  return work.shards.map((shard) => ({
    format: 1,
    kind: 'reprotect',
    attempt: 0,
    companyId,
    keyringId,
    switchId,
    generation: work.generation,
    firstShard: shard,
    lastShard: shard,
  }));
}

/** A shard that is worked on moves with every page. */
const AT_WORK_MS = 10_000;

/** A shard that was not turned yet has been waiting since the switch was. ISO 8601. */
export function lastMove(
  sw: Switch,
  shard: { readonly generation: number; readonly touchedAt: string } | undefined,
): string {
  const turnedAt = sw.turnedAt ?? sw.createdAt;
  return shard?.generation === sw.generation && shard.touchedAt > turnedAt ? shard.touchedAt : turnedAt;
}

/**
 * After a vault has come back: the messages of the other shards were dropped while one alone tried. Not those that are at work, so that a vault
 * that comes and goes does not make them more each time. Throws StoreUnavailable.
 */
export async function setOthersGoing(
  deps: { readonly tables: Tables; readonly queue: WorkQueue; readonly clock: Clock; readonly log: Log },
  place: SwitchPlace,
  { shard: own, since }: { readonly shard: number; readonly since: string },
): Promise<void> {
  const [keyring, sw] = await Promise.all([loadKeyring(deps.tables, place), loadSwitch(deps.tables, place)]);
  if (!keyring || !sw) return;
  const shards = await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount });
  const atWorkSince = new Date(deps.clock.now().getTime() - AT_WORK_MS).toISOString();
  const still = shards.flatMap((shard, index) => {
    const moved = lastMove(sw.value, shard?.value);
    const isStill = moved <= since || moved <= atWorkSince;
    return index === own || isDone(shard, turnOf(sw.value)) || !isStill ? [] : [index];
  });
  if (still.length > 0)
    await enqueue(deps, place, reprotectMessages(place, { generation: sw.value.generation, shards: still }));
}

/**
 * To be called after the write that the switch may have waited for: a worker that is still under way comes to the same check later, and
 * gets no second message. One message too many does no harm, and one that is lost is the timer's.
 */
export async function wakeSwitch(
  deps: { readonly tables: Tables; readonly queue: WorkQueue; readonly log: Log },
  { companyId, keyringId, switchId }: SwitchPlace,
): Promise<void> {
  const place: SwitchPlace = { companyId, keyringId, switchId };
  const sw = await loadSwitch(deps.tables, place);
  if (!sw) return;
  const { state } = sw.value;
  if (state !== 'pending-verification' && state !== 'preparing') {
    if (state !== 're-protecting' || !isRunning(sw.value)) return;
    const keyring = await loadKeyring(deps.tables, place);
    if (!keyring) return;
    const shards = await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount });
    if (!shards.every((shard) => isDone(shard, turnOf(sw.value)))) return;
  }
  await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, ...place }]);
}
