// Between AMQP messages as they travel and what a queue stores: encoding, decoding, the annotations of Service Bus.
// Pure but for the ids given to messages that come without one.
import rhea from 'rhea';
import { randomUUID } from 'node:crypto';
import type { NewMessage, StoredMessage } from './queue-model.ts';

/** A batch is one transfer whose body is a list of encoded messages. */
export const BATCH_FORMAT = 0x80013700;

const MESSAGE_STATE = { active: 0, locked: 0, scheduled: 2 } as const;
const SCHEDULED_TIME = 'x-opt-scheduled-enqueue-time';

type AmqpMessage = Record<string, unknown>;

/** What a client sent, ready to store. A message without id gets one: the SDK cannot renew a lock without. */
export function fromWire(message: unknown): NewMessage {
  const fields = message as AmqpMessage;
  const messageId = idText(fields['message_id']) ?? randomUUID().replaceAll('-', '');
  fields['message_id'] ??= messageId;
  const annotations = recordOf(fields['message_annotations']);
  const time: unknown = annotations[SCHEDULED_TIME];
  return {
    messageId,
    // Copied: rhea's buffers are slices of what the socket read and would keep all of it alive.
    payload: Buffer.from(rhea.message.encode(fields)),
    scheduledForMs: time instanceof Date ? time.getTime() : undefined,
  };
}

/** Throws when the bytes are no message. */
export function fromBytes(bytes: unknown): NewMessage {
  if (!Buffer.isBuffer(bytes)) throw new TypeError('not an encoded message');
  return fromWire(rhea.message.decode(bytes));
}

/** Throws when the bytes are no batch. */
export function fromBatch(bytes: Buffer): readonly NewMessage[] {
  return dataSections(rhea.message.decode(bytes)).map(fromBytes);
}

/** The bytes to deliver. Only a locked message says until when. */
export function toWire(stored: StoredMessage, lockedUntilMs?: number): Buffer {
  const message: AmqpMessage = rhea.message.decode(Buffer.from(stored.payload));
  message['delivery_count'] = stored.failedDeliveries;
  message['message_annotations'] = {
    ...recordOf(message['message_annotations']),
    'x-opt-sequence-number': rhea.types.wrap_long(stored.sequenceNumber),
    'x-opt-enqueue-sequence-number': rhea.types.wrap_long(stored.sequenceNumber),
    'x-opt-enqueued-time': new Date(stored.enqueuedAtMs),
    'x-opt-message-state': rhea.types.wrap_int(MESSAGE_STATE[stored.state]),
    ...(lockedUntilMs === undefined ? {} : { 'x-opt-locked-until': new Date(lockedUntilMs) }),
  };
  if (Object.keys(stored.properties).length > 0) {
    message['application_properties'] = { ...recordOf(message['application_properties']), ...stored.properties };
  }
  return rhea.message.encode(message);
}

/** For people and tests: the body as JSON where it is JSON, else as text, else in base64. */
export function readable(stored: StoredMessage): { body: unknown; applicationProperties: Record<string, unknown> } {
  const message: AmqpMessage = rhea.message.decode(Buffer.from(stored.payload));
  const [data] = dataSections(message);
  return {
    body: Buffer.isBuffer(data) ? readableData(data) : message['body'],
    applicationProperties: { ...recordOf(message['application_properties']), ...stored.properties },
  };
}

/** A lock token travels as the delivery's tag in the byte order of .NET: the first three groups turned round. */
export function tagOfLockToken(lockToken: string): Buffer {
  const bytes = Buffer.from(lockToken.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

/** In the bodies of management requests it is an AMQP uuid, in the order in which it is written. */
export function lockTokenOfUuid(uuid: unknown): string {
  if (!Buffer.isBuffer(uuid) || uuid.length !== 16) return '';
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function dataSections(message: AmqpMessage): readonly unknown[] {
  const content: unknown = recordOf(message['body'])['content'];
  return Array.isArray(content) ? content : [content];
}

function idText(id: unknown): string | undefined {
  if (typeof id === 'string' || typeof id === 'number') return String(id);
  return Buffer.isBuffer(id) ? id.toString('hex') : undefined;
}

function readableData(data: Buffer): unknown {
  const text = data.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(data)) return data.toString('base64');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
