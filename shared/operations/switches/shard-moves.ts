// When the shards of a switch last moved, and setting those going that stand still.
import { turnOf, type Switch, type SwitchPlace } from '../../domain/switch.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Log, WorkQueue } from '../../domain/ports.ts';
import { loadShards } from '../../store/shard-rows.ts';
import { enqueue, isDone, reprotectMessages } from './enqueue.ts';

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
