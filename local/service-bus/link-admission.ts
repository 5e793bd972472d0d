// Which link may attach to what: the address is looked up, the connection's tokens are asked, and the link is handed
// to the part that serves it or refused as AMQP refuses one.
import type { Receiver, Sender } from 'rhea';
import type { Control } from '../control/control.ts';
import { parseAddress } from './addresses.ts';
import { attachCbs } from './cbs-node.ts';
import type { ClientConnection } from './client-connection.ts';
import { attachConsumer } from './consumer-link.ts';
import { entityNotFound, NO_SESSIONS, unauthorized, type Failure } from './failures.ts';
import { carryOut } from './faulty-operation.ts';
import { attachManagement } from './management-node.ts';
import { attachProducer } from './producer-link.ts';
import type { Queue } from './queue.ts';
import { echoSettleModes, withholdAnswer } from './rhea-internals.ts';
import type { TokenCheck } from './token-check.ts';

export interface Broker {
  readonly control: Control;
  /** By lower-case name. */
  readonly queues: ReadonlyMap<string, Queue>;
  readonly checkToken: TokenCheck;
}

/** A link of a client that has just come. It is answered when the faults planted for it let it be. */
export function openLink(link: Receiver | Sender, client: ClientConnection, broker: Broker): void {
  const answer = withholdAnswer(link);
  const isReceiver = link.is_receiver();
  const address = addressOf(isReceiver ? link.target : link.source);
  carryOut(broker.control, {
    operation: 'attach',
    target: address.toLowerCase(),
    client,
    refuse: (failure) => {
      refuse(link, failure);
      answer();
    },
    act: () => ({
      status: 200,
      isUnlogged: true,
      answer: () => {
        if (isReceiver) openReceiver(link as Receiver, client, broker);
        else openSender(link as Sender, client, broker);
        answer();
      },
    }),
  });
}

/** The client sends on this link. */
function openReceiver(link: Receiver, client: ClientConnection, broker: Broker): void {
  const admission = admit(addressOf(link.target), client, broker);
  if (!admission.ok) {
    refuse(link, admission.failure);
    return;
  }
  const { control, checkToken, queues } = broker;
  link.set_target({ address: addressOf(link.target) });
  link.set_source({ address: addressOf(link.source) });
  switch (admission.kind) {
    case 'cbs':
      attachCbs({ link, client, control, checkToken, hasQueue: (queue) => queues.has(queue) });
      return;
    case 'management':
      attachManagement({ ...admission, link, client, control });
      return;
    case 'entity':
      attachProducer({ ...admission, link, client, control });
  }
}

/** The client receives on this link. */
function openSender(link: Sender, client: ClientConnection, broker: Broker): void {
  const admission = admit(addressOf(link.source), client, broker);
  if (!admission.ok) {
    refuse(link, admission.failure);
    return;
  }
  if (asksForSession(link.source)) {
    refuse(link, NO_SESSIONS);
    return;
  }
  link.set_source({ address: addressOf(link.source) });
  link.set_target({ address: addressOf(link.target) });
  echoSettleModes(link);
  if (admission.kind === 'entity') attachConsumer({ ...admission, link, client, control: broker.control });
  else client.addReplyLink(link, admission.kind === 'cbs' ? '$cbs' : admission.path);
}

type Admission =
  | { readonly ok: true; readonly kind: 'cbs' }
  | { readonly ok: true; readonly kind: 'entity' | 'management'; readonly queue: Queue; readonly path: string }
  | { readonly ok: false; readonly failure: Failure };

/** Whether a link may attach. Only who showed a good token is told that an entity does not exist. */
function admit(addressText: string, client: ClientConnection, broker: Broker): Admission {
  const address = parseAddress(addressText);
  if (address?.kind === 'cbs') return { ok: true, kind: 'cbs' };
  const { host, claims } = client;
  const nowMs = Date.now();
  const path = address?.path ?? '';
  const known = address && broker.queues.get(address.queue);
  const queue = address?.isDeadLetter === true ? known?.deadLetters : known;
  if (!address || !queue) {
    return { ok: false, failure: claims.hasAny(nowMs) ? entityNotFound(host, path) : unauthorized(host, path) };
  }
  if (!claims.allow(path, nowMs)) return { ok: false, failure: unauthorized(host, path) };
  return { ok: true, kind: address.kind, queue, path };
}

/** An attach without source and target, then a detach that says why: how AMQP refuses a link. */
function refuse(link: Receiver | Sender, { condition, description }: Failure): void {
  link.close({ condition, description });
}

/** No queue here has sessions. */
function asksForSession(source: unknown): boolean {
  const filter = typeof source === 'object' && source !== null && 'filter' in source ? source.filter : undefined;
  return typeof filter === 'object' && filter !== null && 'com.microsoft:session-filter' in filter;
}

function addressOf(terminus: unknown): string {
  if (typeof terminus !== 'object' || terminus === null || !('address' in terminus)) return '';
  return typeof terminus.address === 'string' ? terminus.address : '';
}
