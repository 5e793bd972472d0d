// The $cbs node: clients put tokens there, one per entity, before they attach links. Only Entra's tokens are taken;
// shared access signatures are switched off, as in a namespace with local authentication disabled.
import rhea, { type EventContext, type Receiver } from 'rhea';
import type { Control } from '../control/control.ts';
import { parseAddress, parseTokenAudience } from './addresses.ts';
import type { ClientConnection } from './client-connection.ts';
import { entityNotFound } from './failures.ts';
import { carryOut } from './faulty-operation.ts';
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

interface Verdict {
  readonly answer: Answer;
  /** What the token allows from now on, if it is good. */
  readonly claim?: { readonly path: string; readonly expiresAtMs: number };
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
  const { client, control } = parts;
  const { answer, claim } = await judge(request, parts);
  const reply = ({ status, description }: Answer): void =>
    client.reply(request.replyTo, '$cbs', {
      correlation_id: request.id,
      application_properties: { 'status-code': rhea.types.wrap_int(status), 'status-description': description },
    });
  carryOut(control, {
    operation: 'put-token',
    target: parseTokenAudience(request.properties['name'])?.path ?? '',
    client,
    refuse: reply,
    act: () => {
      if (claim) client.claims.add(claim.path, claim.expiresAtMs);
      return { status: answer.status, answer: () => reply(answer) };
    },
  });
}

async function judge({ operation, properties, body }: Request, parts: CbsParts): Promise<Verdict> {
  const { client, checkToken, hasQueue } = parts;
  if (operation !== 'put-token') return answered(400, `Unknown operation '${operation}'.`);
  if (properties['type'] !== 'jwt') return refused('LocalAuthDisabled: SAS authentication has been disabled.');
  const audience = parseTokenAudience(properties['name']);
  if (!audience) return answered(400, 'The name is not an address in this namespace.');
  if (audience.host !== client.host) return refused('InvalidAudience: The name is in another namespace.');
  if (typeof body !== 'string') return refused('MalformedToken: The token is malformed.');
  const verdict = await checkToken(body);
  if (!verdict.ok) return refused(verdict.reason);
  const address = parseAddress(audience.path);
  // A token for an entity that does not exist is refused by name, as Service Bus does, and only if it is a good one.
  if (address && address.kind !== 'cbs' && !hasQueue(address.queue)) {
    const { status, description } = entityNotFound(client.host, audience.path);
    return answered(status, `Put token failed. status-code: 404, status-description: ${description}`);
  }
  return { ...answered(202, 'Accepted'), claim: { path: audience.path, expiresAtMs: verdict.expiresAtMs } };
}

const answered = (status: number, description: string): Verdict => ({ answer: { status, description } });

const refused = (reason: string): Verdict =>
  answered(401, `Put token failed. status-code: 401, status-description: ${reason}`);
