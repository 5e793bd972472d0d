// The $management node of a queue: scheduling and cancelling, renewing locks, peeking, and settling without the link
// that a message came on. Reads requests and answers them; each operation is a small function below.
import rhea, { type EventContext, type Receiver } from 'rhea';
import type { Control } from '../control/control.ts';
import type { ClientConnection } from './client-connection.ts';
import { enqueueAll, enqueueDetail } from './enqueue.ts';
import { LOCK_LOST, malformed, messageTooLarge, notImplemented, unauthorized, type Failure } from './failures.ts';
import { carryOut, type BrokerOperation, type Outcome } from './faulty-operation.ts';
import { fromBytes, lockTokenOfUuid, recordOf, toWire } from './message-codec.ts';
import { MAX_MESSAGE_BYTES } from './producer-link.ts';
import type { Queue } from './queue.ts';
import { readRequest, type Request } from './request.ts';
import { settleMessage, type SettlementKind } from './settlement.ts';

const CREDIT = 100;
const MAX_PEEKED_MESSAGES = 250;
const ARRAY_OF_LONG = 0x81;
const ARRAY_OF_TIMESTAMP = 0x83;
/** The spelling of the second is Service Bus's own. */
const DISPOSITIONS: Readonly<Record<string, SettlementKind>> = {
  completed: 'complete',
  abandoned: 'abandon',
  suspended: 'dead-letter',
};

interface ManagementParts {
  readonly link: Receiver;
  readonly path: string;
  readonly queue: Queue;
  readonly client: ClientConnection;
  readonly control: Control;
}

interface Context extends ManagementParts {
  readonly request: Request;
  readonly body: Readonly<Record<string, unknown>>;
}

export function attachManagement(parts: ManagementParts): void {
  const { link, client, path } = parts;
  link.on('message', (context: EventContext) => {
    context.delivery?.accept();
    const request = readRequest(context);
    if (client.claims.allow(path, Date.now())) dispatch({ ...parts, request, body: recordOf(request.body) });
    else refuse({ ...parts, request, body: {} }, unauthorized(client.host, path));
  });
  link.add_credit(CREDIT);
  link.set_credit_window(CREDIT);
}

function dispatch(context: Context): void {
  switch (context.request.operation) {
    case 'com.microsoft:schedule-message': {
      perform(context, 'schedule', schedule);
      return;
    }
    case 'com.microsoft:cancel-scheduled-message': {
      perform(context, 'cancel-scheduled', cancelScheduled);
      return;
    }
    case 'com.microsoft:renew-lock': {
      perform(context, 'renew-lock', renewLocks);
      return;
    }
    case 'com.microsoft:peek-message': {
      perform(context, 'peek', peek);
      return;
    }
    case 'com.microsoft:update-disposition': {
      updateDisposition(context);
      return;
    }
    default: {
      refuse(context, notImplemented(`The operation '${context.request.operation}'`));
      return;
    }
  }
}

function perform(context: Context, operation: BrokerOperation, act: (context: Context) => Outcome): void {
  const { queue, client, control } = context;
  carryOut(control, {
    operation,
    target: queue.name,
    client,
    refuse: (failure) => refuse(context, failure),
    act: () => act(context),
  });
}

function schedule(context: Context): Outcome {
  const { queue, control, body } = context;
  let messages;
  try {
    messages = listOf(body['messages']).map((item) => fromBytes(recordOf(item)['message']));
  } catch {
    return refusal(context, malformed('The message to schedule'));
  }
  const tooLarge = messages.find(({ payload }) => payload.length > MAX_MESSAGE_BYTES);
  if (tooLarge) return refusal(context, messageTooLarge(tooLarge.payload.length, MAX_MESSAGE_BYTES));
  const enqueued = enqueueAll(queue, messages, control);
  if (!enqueued.ok) return refusal(context, enqueued.failure);
  const sequenceNumbers = rhea.types.wrap_array(enqueued.sequenceNumbers, ARRAY_OF_LONG, undefined);
  return {
    status: 200,
    detail: enqueueDetail(messages),
    answer: () => reply(context, { 'sequence-numbers': sequenceNumbers }),
    followUp: () => queue.changed(),
  };
}

function cancelScheduled(context: Context): Outcome {
  const { queue, body } = context;
  const sequenceNumbers = listOf(body['sequence-numbers']).map(longOf);
  const cancelled = sequenceNumbers.map((sequenceNumber) => queue.store.cancelScheduled(sequenceNumber));
  if (cancelled.includes(false)) {
    const description = 'The specified message could not be found, or is scheduled no longer.';
    return refusal(context, { condition: 'com.microsoft:message-not-found', description, status: 404 });
  }
  return {
    status: 200,
    detail: { messages: cancelled.length },
    answer: () => reply(context, undefined),
    followUp: () => queue.changed(),
  };
}

function renewLocks(context: Context): Outcome {
  const { queue, body } = context;
  const expirations = listOf(body['lock-tokens']).map((uuid) => queue.store.renew(lockTokenOfUuid(uuid)));
  if (expirations.includes(undefined)) return refusal(context, LOCK_LOST);
  return {
    status: 200,
    answer: () => reply(context, { expirations: rhea.types.wrap_array(expirations, ARRAY_OF_TIMESTAMP, undefined) }),
    followUp: () => queue.changed(),
  };
}

function peek(context: Context): Outcome {
  const { queue, body } = context;
  const count = body['message-count'];
  const messages = queue.store.peek({
    fromSequenceNumber: longOf(body['from-sequence-number']),
    maxCount: Math.min(typeof count === 'number' ? count : 1, MAX_PEEKED_MESSAGES),
  });
  return {
    status: messages.length === 0 ? 204 : 200,
    detail: { messages: messages.length },
    answer: () =>
      messages.length === 0
        ? reply(context, undefined, 204)
        : reply(context, { messages: messages.map((message) => ({ message: toWire(message) })) }),
  };
}

function updateDisposition(context: Context): void {
  const { queue, client, control, body } = context;
  const kind = DISPOSITIONS[String(body['disposition-status'])];
  if (!kind) {
    refuse(context, notImplemented(`The disposition '${String(body['disposition-status'])}'`));
    return;
  }
  const [lockToken] = listOf(body['lock-tokens']);
  const properties = recordOf(body['properties-to-modify']);
  const reasons = {
    DeadLetterReason: body['deadletter-reason'],
    DeadLetterErrorDescription: body['deadletter-description'],
  };
  settleMessage(
    {
      kind,
      lockToken: lockTokenOfUuid(lockToken),
      properties: kind === 'dead-letter' ? { ...properties, ...reasons } : properties,
    },
    { queue, client, control, answer: (failure) => (failure ? refuse(context, failure) : reply(context, undefined)) },
  );
}

function refusal(context: Context, failure: Failure): Outcome {
  return { status: failure.status, answer: () => refuse(context, failure) };
}

function refuse({ client, request, path }: Context, { status, condition, description }: Failure): void {
  client.reply(request.replyTo, path, {
    correlation_id: request.id,
    application_properties: {
      statusCode: rhea.types.wrap_int(status),
      statusDescription: description,
      errorCondition: rhea.types.wrap_symbol(condition),
    },
  });
}

function reply(
  { client, request, path }: Context,
  body: Readonly<Record<string, unknown>> | undefined,
  status = 200,
): void {
  client.reply(request.replyTo, path, {
    correlation_id: request.id,
    application_properties: {
      statusCode: rhea.types.wrap_int(status),
      statusDescription: status === 204 ? 'NoContent' : 'OK',
    },
    body: body ?? {},
  });
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** rhea gives a long as a number where it fits one and as eight bytes where it does not. */
function longOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return Buffer.isBuffer(value) && value.length === 8 ? Number(value.readBigInt64BE()) : 0;
}
