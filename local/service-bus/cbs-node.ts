// The $cbs node: clients put tokens there, one per entity, before they attach links. Only Entra's tokens are taken;
// shared access signatures are switched off, as in a namespace with local authentication disabled.
import type { EventContext, Receiver } from 'rhea';
import type { Control } from '../control/control.ts';
import { parseAddress, parseTokenAudience } from './addresses.ts';
import type { ClientConnection } from './client-connection.ts';
import { entityNotFound } from './failures.ts';
import { readRequest, type Request } from './request.ts';
import type { TokenCheck } from './token-check.ts';

const CREDIT = 100;

interface CbsParts {
  readonly link: Receiver;
  readonly client: ClientConnection;
  readonly control: Control;
  readonly checkToken: TokenCheck;
  readonly hasQueue: (queue: string) => boolean;
}

interface Answer {
  readonly status: number;
  readonly description: string;
}

export function attachCbs(parts: CbsParts): void {
  const { link } = parts;
  link.on('message', (context: EventContext) => {
    context.delivery?.accept();
    void answerRequest(readRequest(context), parts);
  });
  link.add_credit(CREDIT);
  link.set_credit_window(CREDIT);
}

async function answerRequest(request: Request, parts: CbsParts): Promise<void> {
  const { status, description } = await putToken(request, parts);
  const audience = parseTokenAudience(request.properties['name']);
  parts.control.record({ operation: 'put-token', target: audience?.path ?? '', status });
  parts.client.reply(request.replyTo, {
    correlation_id: request.id,
    application_properties: { 'status-code': status, 'status-description': description },
  });
}

async function putToken({ operation, properties, body }: Request, parts: CbsParts): Promise<Answer> {
  const { client, checkToken, hasQueue } = parts;
  if (operation !== 'put-token') return { status: 400, description: `Unknown operation '${operation}'.` };
  if (properties['type'] !== 'jwt') return refused('LocalAuthDisabled: SAS authentication has been disabled.');
  const audience = parseTokenAudience(properties['name']);
  if (!audience) return { status: 400, description: 'The name is not an address in this namespace.' };
  if (audience.host !== client.host) return refused('InvalidAudience: The name is in another namespace.');
  if (typeof body !== 'string') return refused('MalformedToken: The token is malformed.');
  const verdict = await checkToken(body);
  if (!verdict.ok) return refused(verdict.reason);
  const address = parseAddress(audience.path);
  // A token for an entity that does not exist is refused by name, as Service Bus does, and only if it is a good one.
  if (address && address.kind !== 'cbs' && !hasQueue(address.queue)) {
    const { status, description } = entityNotFound(client.host, audience.path);
    return { status, description: `Put token failed. status-code: 404, status-description: ${description}` };
  }
  client.claims.add(audience.path, verdict.expiresAtMs);
  return { status: 202, description: 'Accepted' };
}

function refused(reason: string): Answer {
  return { status: 401, description: `Put token failed. status-code: 401, status-description: ${reason}` };
}
