// Puts what one request brought into a queue, all of it or nothing for want of room, and logs the repeats that
// duplicate detection drops. Sending and scheduling share it.
import type { Control } from '../control/control.ts';
import { QUEUE_FULL, type Failure } from './failures.ts';
import type { Queue } from './queue.ts';
import type { NewMessage } from './queue-model.ts';

/** One per message; 0 for a repeat, which was accepted and dropped. */
type EnqueueResult =
  | { readonly ok: true; readonly sequenceNumbers: readonly number[] }
  | { readonly ok: false; readonly failure: Failure };

export function enqueueAll(queue: Queue, messages: readonly NewMessage[], control: Control): EnqueueResult {
  const bytes = messages.reduce((sum, message) => sum + message.payload.length, 0);
  if (!queue.store.hasRoomFor(bytes)) return { ok: false, failure: QUEUE_FULL };
  const sequenceNumbers = messages.map((message) => {
    const enqueued = queue.store.enqueue(message);
    if (!enqueued.isDuplicate) return enqueued.sequenceNumber;
    const detail = { messageId: message.messageId };
    control.record({ operation: 'duplicate-dropped', target: queue.name, status: 200, detail });
    return 0;
  });
  return { ok: true, sequenceNumbers };
}

/** What the log shows of a request that brought messages: never their content. */
export function enqueueDetail(messages: readonly NewMessage[]): Record<string, string | number> {
  const [first] = messages;
  if (messages.length !== 1 || !first) return { messages: messages.length };
  const { messageId, scheduledForMs } = first;
  return scheduledForMs === undefined
    ? { messageId }
    : { messageId, scheduledFor: new Date(scheduledForMs).toISOString() };
}
