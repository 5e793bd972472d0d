// Requests to a node of a connection ($cbs, $management) and the answers to them. Pure.
import type { EventContext } from 'rhea';
import { recordOf } from './message-codec.ts';

export interface Request {
  readonly id: unknown;
  readonly replyTo: unknown;
  readonly operation: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export function readRequest(context: EventContext): Request {
  const message = recordOf(context.message);
  const properties = recordOf(message['application_properties']);
  const operation: unknown = properties['operation'];
  return {
    id: message['message_id'],
    replyTo: message['reply_to'],
    operation: typeof operation === 'string' ? operation : '',
    properties,
    body: message['body'],
  };
}
