// Sets a switch going that waits for the tenants of its company, at its beginning or before its commit.
import { isRunning, turnOf, type SwitchPlace } from '../../domain/switch.ts';
import { loadKeyring, loadSwitch } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { Log, WorkQueue } from '../../domain/ports.ts';
import { loadShards } from '../../store/shard-rows.ts';
import { enqueue, isDone } from './enqueue.ts';

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
