// The messages that start workers. The tables are the truth, and the timer resumes a switch without a message: a queue that is away is logged and undoes
// no decision.
import { ok } from '../../domain/result.ts';
import { decide } from './decide.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Log, WorkQueue, Clock } from '../../domain/ports.ts';
import { isDoneIn, type Turn } from '../../domain/shard.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import { type LoadedShard, loadShards } from '../../store/shard-rows.ts';
import { type SwitchPlace, turnOf, type Switch } from '../../domain/switch.ts';
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

/** Whether a shard has nothing left to do in this turn. */
export const isDone = (shard: LoadedShard | undefined, turn: Turn): boolean => isDoneIn(shard?.value, turn);

/** One message for each shard that is not done: its worker's turn. They run side by side. */
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

/** A shard that a worker is on moves at least this often. */
const AT_WORK_MS = 10_000;

/** A shard that was not turned yet has waited since the switch was turned. ISO 8601. */
export function lastMove(
  sw: Switch,
  shard: { readonly generation: number; readonly touchedAt: string } | undefined,
): string {
  const turnedAt = sw.turnedAt ?? sw.createdAt;
  return shard?.generation === sw.generation && shard.touchedAt > turnedAt ? shard.touchedAt : turnedAt;
}

/**
 * After a vault has come back: sends the messages of the other shards, which were dropped while one shard tried. Not of shards that a worker is on, so
 * that a vault that comes and goes does not multiply them. Throws StoreUnavailable.
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
 * Sends a message to a switch that waits only for its tenants. Call it after the write that the switch may have waited for: a running worker reaches the
 * same check later. A message too many does no harm, and the timer replaces a lost one.
 */
export async function wakeSwitch(
  deps: { readonly tables: Tables; readonly queue: WorkQueue; readonly log: Log },
  { companyId, keyringId, switchId }: SwitchPlace,
): Promise<void> {
  const place: SwitchPlace = { companyId, keyringId, switchId };
  const sw = await loadSwitch(deps.tables, place);
  if (!sw) return;
  const shards = async () => {
    const keyring = await loadKeyring(deps.tables, place);
    const loaded = keyring ? await loadShards(deps.tables, { ...place, shardCount: keyring.value.shardCount }) : [];
    return ok(loaded.length === 0 ? [undefined] : loaded.map((shard) => shard?.value));
  };
  // The rows need no seal check: this only sends a message, and its worker checks for itself.
  const decided = await decide(sw.value, { seal: 'good', rows: 'read' }, { shards });
  if (decided.ok && decided.value.type === 'ask' && decided.value.what === 'tenants')
    await enqueue(deps, place, [{ format: 1, kind: 'advance', attempt: 0, ...place }]);
}
