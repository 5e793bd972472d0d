// The broker's part of the control API: what is in the queues, emptying them, holding deliveries back.
import type { Control, ControlRequest } from '../control/control.ts';
import { readable } from './message-codec.ts';
import type { Queue } from './queue.ts';
import type { QueueCounts, StoredMessage } from './queue-model.ts';

export interface QueueState extends QueueCounts {
  readonly name: string;
  readonly paused: boolean;
}

export interface PeekedMessage {
  readonly sequenceNumber: number;
  readonly messageId: string;
  readonly state: StoredMessage['state'];
  readonly deliveryCount: number;
  readonly enqueuedAt: string;
  readonly scheduledFor?: string;
  readonly applicationProperties: Readonly<Record<string, unknown>>;
  /** Parsed when it is JSON, else text, else base64. */
  readonly body: unknown;
}

export interface QueueMessages {
  readonly messages: readonly PeekedMessage[];
  readonly deadLetters: readonly PeekedMessage[];
}

const MAX_LISTED_MESSAGES = 1000;

export function addControlRoutes(control: Control, queues: ReadonlyMap<string, Queue>): void {
  control.route('GET /queues', () => [...queues.values()].map(stateOf));
  control.route('GET /queues/*', (request) => messagesOf(find(queues, request, 'messages')));
  control.route('DELETE /queues/*', (request) => {
    const queue = find(queues, request, 'messages');
    purge(queue);
    return stateOf(queue);
  });
  control.route('PUT /queues/*', (request) => {
    const queue = find(queues, request, 'paused');
    const { body } = request;
    if (typeof body !== 'object' || body === null || !('paused' in body) || typeof body.paused !== 'boolean') {
      throw new Error('the body must be { "paused": true } or { "paused": false }');
    }
    queue.setPaused(body.paused);
    return stateOf(queue);
  });
}

export function stateOf(queue: Queue): QueueState {
  return { name: queue.name, paused: queue.isPaused, ...queue.store.counts() };
}

export function messagesOf({ store }: Queue): QueueMessages {
  const all = { fromSequenceNumber: 0, maxCount: MAX_LISTED_MESSAGES };
  return { messages: store.peek(all).map(describe), deadLetters: store.deadLetters?.peek(all).map(describe) ?? [] };
}

export function purge(queue: Queue): void {
  queue.store.purge();
  queue.changed();
}

function describe(message: StoredMessage): PeekedMessage {
  const { sequenceNumber, messageId, state, failedDeliveries, enqueuedAtMs, scheduledForMs } = message;
  return {
    sequenceNumber,
    messageId,
    state,
    deliveryCount: failedDeliveries,
    enqueuedAt: new Date(enqueuedAtMs).toISOString(),
    ...(scheduledForMs === undefined ? {} : { scheduledFor: new Date(scheduledForMs).toISOString() }),
    ...readable(message),
  };
}

function find(queues: ReadonlyMap<string, Queue>, { path }: ControlRequest, last: string): Queue {
  const [, , name, verb, ...rest] = path.split('/');
  const queue = queues.get(decodeURIComponent(name ?? '').toLowerCase());
  if (verb !== last || rest.length > 0) throw new Error(`no such call: ${path}`);
  if (!queue) throw new Error(`no such queue: ${name ?? ''}`);
  return queue;
}
