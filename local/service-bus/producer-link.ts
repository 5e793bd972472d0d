// A link on which a client sends to a queue: takes messages and batches, answers each transfer.
import type { Delivery, EventContext, Receiver } from 'rhea';
import type { Control } from '../control/control.ts';
import type { ClientConnection } from './client-connection.ts';
import { enqueueAll, enqueueDetail } from './enqueue.ts';
import { malformed, messageTooLarge, unauthorized, type Failure } from './failures.ts';
import { carryOut } from './faulty-operation.ts';
import { BATCH_FORMAT, fromBatch, fromWire } from './message-codec.ts';
import type { Queue } from './queue.ts';
import type { NewMessage } from './queue-model.ts';
import { errorOf } from './rhea-internals.ts';

/** What the standard tier of Service Bus takes, batches included. */
export const MAX_MESSAGE_BYTES = 256 * 1024;

const CREDIT = 500;

interface ProducerParts {
  readonly link: Receiver;
  readonly path: string;
  readonly queue: Queue;
  readonly client: ClientConnection;
  readonly control: Control;
}

export function attachProducer(parts: ProducerParts): void {
  const { link, client, path } = parts;
  link.on('message', (context: EventContext) => {
    if (!context.delivery) return;
    if (client.claims.allow(path, Date.now())) {
      receive(context.delivery, context.message, parts);
      return;
    }
    const { condition, description } = unauthorized(client.host, path);
    // Both: the SDK goes on waiting for the transfer's answer when only the link is closed.
    context.delivery.reject({ condition, description });
    link.close({ condition, description });
  });
  link.add_credit(CREDIT);
  link.set_credit_window(CREDIT);
}

function receive(delivery: Delivery, content: unknown, { queue, client, control }: ProducerParts): void {
  const reject = (failure: Failure): void => delivery.reject(errorOf(failure));
  const read = readTransfer(delivery.format, content);
  carryOut(control, {
    operation: 'send',
    target: queue.name,
    client,
    refuse: reject,
    act: () => {
      const enqueued = read.ok ? enqueueAll(queue, read.messages, control) : read;
      if (!enqueued.ok) return { status: enqueued.failure.status, answer: () => reject(enqueued.failure) };
      return {
        status: 200,
        ...(read.ok ? { detail: enqueueDetail(read.messages) } : {}),
        answer: () => delivery.accept(),
        followUp: () => queue.changed(),
      };
    },
  });
}

type Transfer =
  { readonly ok: true; readonly messages: readonly NewMessage[] } | { readonly ok: false; readonly failure: Failure };

function readTransfer(format: number, content: unknown): Transfer {
  try {
    const messages = format === BATCH_FORMAT && Buffer.isBuffer(content) ? fromBatch(content) : [fromWire(content)];
    const bytes = messages.reduce((sum, message) => sum + message.payload.length, 0);
    if (bytes > MAX_MESSAGE_BYTES) return { ok: false, failure: messageTooLarge(bytes, MAX_MESSAGE_BYTES) };
    return { ok: true, messages };
  } catch {
    // Whatever a client sends must not end the broker; rhea throws plain errors for bytes that it cannot read.
    return { ok: false, failure: malformed('The message') };
  }
}
