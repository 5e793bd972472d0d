// The Service Bus of the embedded run: AMQP 1.0 over TLS on loopback, as far as the Azure SDK and a Functions trigger
// use it for queues without sessions. Puts the parts together and decides which link may attach to what; nothing here
// knows what a message is.
import rhea, {
  type AmqpError,
  type Connection,
  type Container,
  type EventContext,
  type Receiver,
  type Sender,
} from 'rhea';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Control } from '../control/control.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { parseAddress, type Address } from './addresses.ts';
import { attachCbs } from './cbs-node.ts';
import { ClientConnection } from './client-connection.ts';
import { attachConsumer } from './consumer-link.ts';
import { addControlRoutes, messagesOf, purge, stateOf, type QueueMessages, type QueueState } from './control-routes.ts';
import { entityNotFound, unauthorized, type Failure } from './failures.ts';
import { attachManagement } from './management-node.ts';
import { attachProducer, MAX_MESSAGE_BYTES } from './producer-link.ts';
import { createQueue, type Queue } from './queue.ts';
import type { QueueSettings } from './queue-model.ts';
import { echoSettleModes, socketOf } from './rhea-internals.ts';
import { createTokenCheck, type IssuerKeys, type TokenCheck } from './token-check.ts';

/** Structured-cloneable, so that the broker can run in a worker thread. */
export interface ServiceBusOptions {
  readonly tls: TlsIdentity;
  readonly queues: readonly QueueSettings[];
  readonly issuerKeys: IssuerKeys;
}

export interface ServiceBusEmulator {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  readonly queues: () => readonly QueueState[];
  readonly messages: (queueName: string) => QueueMessages;
  readonly purge: (queueName: string) => void;
  readonly setPaused: (queueName: string, isPaused: boolean) => void;
  readonly close: () => Promise<void>;
}

/** A client that is silent for twice as long is taken for dead: what it held in memory goes, its locks run out. */
const IDLE_TIMEOUT_MS = 120_000;
const MAX_FRAME_BYTES = 64 * 1024;

interface Broker {
  readonly control: Control;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly checkToken: TokenCheck;
  readonly clients: WeakMap<Connection, ClientConnection>;
}

export async function startServiceBus({ tls, queues, issuerKeys }: ServiceBusOptions): Promise<ServiceBusEmulator> {
  const control = new Control();
  const surroundings = { now: Date.now, newLockToken: randomUUID };
  const byName = new Map(
    queues.map((settings) => [settings.name.toLowerCase(), createQueue(settings, { control, surroundings })]),
  );
  const broker = { control, queues: byName, checkToken: createTokenCheck(issuerKeys), clients: new WeakMap() };
  addControlRoutes(control, byName);

  const server = createContainer(broker).listen({
    transport: 'tls',
    cert: tls.certPem,
    key: tls.keyPem,
    host: '127.0.0.1',
    port: 0,
  });
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(server, 'listening');

  const named = (name: string): Queue => {
    const queue = byName.get(name.toLowerCase());
    if (!queue) throw new Error(`no such queue: ${name}`);
    return queue;
  };
  return {
    port: (server.address() as AddressInfo).port,
    control,
    controlUrl: await control.listen(),
    queues: () => [...byName.values()].map(stateOf),
    messages: (queueName) => messagesOf(named(queueName)),
    purge: (queueName) => purge(named(queueName)),
    setPaused: (queueName, isPaused) => named(queueName).setPaused(isPaused),
    close: async () => {
      for (const queue of byName.values()) queue.close();
      const closed = new Promise((resolve) => server.close(resolve));
      // With an error, so that rhea clears the timers of each connection.
      for (const socket of sockets) socket.destroy(new Error('the broker is closing'));
      await closed;
      await control.close();
    },
  };
}

function createContainer(broker: Broker): Container {
  const container = rhea.create_container({
    id: randomUUID(),
    idle_time_out: IDLE_TIMEOUT_MS,
    max_frame_size: MAX_FRAME_BYTES,
    tcp_no_delay: true,
    // Credit is given once a link has been let in; messages are answered one by one.
    receiver_options: { credit_window: 0, autoaccept: false, max_message_size: MAX_MESSAGE_BYTES },
    sender_options: { treat_modified_as_released: false },
  });
  container.on('connection_open', ({ connection }: EventContext) => {
    const client = new ClientConnection(connection);
    broker.clients.set(connection, client);
    socketOf(connection).once('close', () => client.closed());
  });
  container.on('receiver_open', (context: EventContext) => {
    if (context.receiver) openReceiver(context.receiver, context.connection, broker);
  });
  container.on('sender_open', (context: EventContext) => {
    if (context.sender) openSender(context.sender, context.connection, broker);
  });
  ignoreDepartures(container);
  return container;
}

/** The client sends on this link. */
function openReceiver(link: Receiver, connection: Connection, broker: Broker): void {
  const client = broker.clients.get(connection);
  const address = parseAddress(addressOf(link.target));
  const admitted = admit(client, address, broker);
  if (!client || !address || 'failure' in admitted) {
    refuse(link, admitted);
    return;
  }
  const { control, checkToken, queues } = broker;
  link.set_target({ address: addressOf(link.target) });
  link.set_source({ address: addressOf(link.source) });
  if (address.kind === 'cbs') {
    attachCbs({ link, client, control, checkToken, hasQueue: (queue) => queues.has(queue) });
    return;
  }
  if (!admitted.queue) return;
  const parts = { link, client, control, queue: admitted.queue, path: address.path };
  if (address.kind === 'management') attachManagement(parts);
  else attachProducer(parts);
}

/** The client receives on this link. */
function openSender(link: Sender, connection: Connection, broker: Broker): void {
  const client = broker.clients.get(connection);
  const address = parseAddress(addressOf(link.source));
  const admitted = admit(client, address, broker);
  if (!client || !address || 'failure' in admitted) {
    refuse(link, admitted);
    return;
  }
  link.set_source({ address: addressOf(link.source) });
  link.set_target({ address: addressOf(link.target) });
  echoSettleModes(link);
  if (address.kind !== 'entity') {
    client.addReplyLink(link);
    return;
  }
  if (!admitted.queue) return;
  attachConsumer({ link, client, control: broker.control, queue: admitted.queue, path: address.path });
}

type Admission = { readonly queue: Queue | undefined } | { readonly failure: Failure };

/** Whether a link may attach. Only who showed a good token is told that an entity does not exist. */
function admit(client: ClientConnection | undefined, address: Address | undefined, broker: Broker): Admission {
  const host = client?.host ?? '';
  if (!client || !address) return { failure: entityNotFound(host, '') };
  if (address.kind === 'cbs') return { queue: undefined };
  const queue = broker.queues.get(address.queue);
  const nowMs = Date.now();
  if (!queue && client.claims.hasAny(nowMs)) return { failure: entityNotFound(host, address.path) };
  if (!queue || !client.claims.allow(address.path, nowMs)) return { failure: unauthorized(host, address.path) };
  return { queue: address.isDeadLetter ? queue.deadLetters : queue };
}

/** An attach without source and target, then a detach that says why: how AMQP refuses a link. */
function refuse(link: Receiver | Sender, admission: Admission): void {
  const error: AmqpError =
    'failure' in admission
      ? { condition: admission.failure.condition, description: admission.failure.description }
      : { condition: 'amqp:internal-error' };
  link.close(error);
}

function addressOf(terminus: unknown): string {
  if (typeof terminus !== 'object' || terminus === null || !('address' in terminus)) return '';
  return typeof terminus.address === 'string' ? terminus.address : '';
}

/** Clients come and go and may send anything: none of it may end the process, as an unheard `error` event would. */
function ignoreDepartures(container: Container): void {
  const events = ['connection_close', 'connection_error', 'disconnected', 'error', 'protocol_error', 'session_close'];
  for (const event of [
    ...events,
    'session_error',
    'receiver_close',
    'receiver_error',
    'sender_close',
    'sender_error',
  ]) {
    container.on(event, () => undefined);
  }
}
