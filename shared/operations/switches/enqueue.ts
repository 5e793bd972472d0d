// Sending work. The tables are the truth and the timer resumes whatever has no message, so a queue that is away is logged and
// never undoes what was decided.
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import type { Log, WorkQueue } from '../../domain/ports.ts';
import { isDoneIn, type Turn } from '../../domain/shard.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { LoadedShard } from '../../store/shard-rows.ts';
import type { SwitchPlace } from '../../domain/switch.ts';

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
