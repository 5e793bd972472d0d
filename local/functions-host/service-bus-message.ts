// A received message as the Functions host hands it to a worker: the body as text, the rest as trigger metadata under
// the names of the .NET host, with the members of a JSON body laid over them (the library makes them camel-case and parses strings as JSON where it can).
import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { BindingData } from './binding-data.ts';
import type { TypedData } from './core-types.ts';

/** The body must have been received raw (`skipParsingBodyAsJson`). */
export function toMessageData(message: ServiceBusReceivedMessage): TypedData {
  const body: unknown = message.body;
  if (body instanceof Uint8Array) return { string: Buffer.from(body).toString('utf8') };
  if (typeof body === 'string') return { string: body };
  return { json: JSON.stringify(body ?? null) };
}

export function toTriggerMetadata(message: ServiceBusReceivedMessage): Record<string, TypedData> {
  const values: Readonly<Record<string, unknown>> = {
    MessageId: text(message.messageId),
    // The JavaScript client gives the header's count, which is 0 at first; .NET counts the delivery under way.
    DeliveryCount: (message.deliveryCount ?? 0) + 1,
    SequenceNumber: message.sequenceNumber === undefined ? undefined : Number(message.sequenceNumber),
    EnqueuedTimeUtc: message.enqueuedTimeUtc,
    EnqueuedTime: message.enqueuedTimeUtc,
    ExpiresAtUtc: message.expiresAtUtc,
    ExpiresAt: message.expiresAtUtc,
    LockToken: message.lockToken,
    ContentType: message.contentType,
    CorrelationId: text(message.correlationId),
    Subject: message.subject,
    Label: message.subject,
    ReplyTo: message.replyTo,
    To: message.to,
    SessionId: message.sessionId,
    ReplyToSessionId: message.replyToSessionId,
    PartitionKey: message.partitionKey,
    DeadLetterSource: message.deadLetterSource,
    // Why it is a dead letter stands in these alone.
    ApplicationProperties: message.applicationProperties ?? {},
    UserProperties: message.applicationProperties ?? {},
    // What a .NET function settles with; of no use to others.
    MessageActions: {},
    ReceiveActions: {},
    Client: {},
  };
  const metadata = new BindingData();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    metadata.set(name, typeof value === 'string' ? { string: value } : { json: JSON.stringify(value) });
  }
  // WorkerFunctionInvoker.TransformInput: the body's own members are laid over all of it.
  const { string: body } = toMessageData(message);
  if (body !== undefined) metadata.apply(body);
  return metadata.toMetadata();
}

function text(id: string | number | Buffer | undefined): string | undefined {
  return id === undefined ? undefined : String(id);
}
