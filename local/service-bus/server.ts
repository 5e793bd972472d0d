// The Service Bus of the embedded run: AMQP 1.0 over TLS on loopback, as far as the Azure SDK and a Functions trigger
// use it for queues without sessions. Puts the parts together; nothing here knows
// what a message is, or who may attach to what.
import rhea, { type Connection, type Container, type EventContext, type Session } from 'rhea';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Control } from '../control/control.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { ClientConnection } from './client-connection.ts';
import { addControlRoutes, messagesOf, purge, stateOf, type QueueMessages, type QueueState } from './control-routes.ts';
import { BROKER_OPERATIONS, carryOut } from './faulty-operation.ts';
import { openKeptMessages } from './kept-messages.ts';
import { openLink, type Broker } from './link-admission.ts';
import { MAX_MESSAGE_BYTES } from './producer-link.ts';
import { createQueue, type Queue } from './queue.ts';
import type { QueueSettings } from './queue-model.ts';
import { socketOf, withholdAnswer } from './rhea-internals.ts';
import { createTokenCheck, type IssuerKeys } from './token-check.ts';

/** Structured-cloneable, so that the broker can run in a worker thread. */
export interface ServiceBusOptions {
  readonly tls: TlsIdentity;
  readonly queues: readonly QueueSettings[];
  readonly issuerKeys: IssuerKeys;
  /** Where messages are kept from run to run; in memory only when left out. */
  readonly stateFile?: string | undefined;
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

export async function startServiceBus({
  tls,
  queues,
  issuerKeys,
  stateFile,
}: ServiceBusOptions): Promise<ServiceBusEmulator> {
  const control = new Control(BROKER_OPERATIONS);
  const kept = stateFile === undefined ? undefined : openKeptMessages(stateFile);
  const surroundings = { now: Date.now, newLockToken: randomUUID, ...(kept && { keeper: kept.keeper }) };
  const byName = new Map(
    queues.map((settings) => [settings.name.toLowerCase(), createQueue(settings, { control, surroundings })]),
  );
  const broker = { control, queues: byName, checkToken: createTokenCheck(issuerKeys) };
  addControlRoutes(control, byName);
  // For the time of messages that an earlier run has left.
  for (const queue of byName.values()) queue.changed();

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
      kept?.close();
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
  const clients = new WeakMap<Connection, ClientConnection>();
  container.on('connection_open', ({ connection }: EventContext) => {
    const client = new ClientConnection(connection);
    clients.set(connection, client);
    socketOf(connection).once('close', () => client.closed());
    openEndpoint('open', connection, client, broker.control);
  });
  container.on('session_open', ({ session, connection }: EventContext) => {
    const client = clients.get(connection);
    if (session && client) openEndpoint('begin', session, client, broker.control);
  });
  container.on('receiver_open', ({ receiver, connection }: EventContext) => {
    const client = clients.get(connection);
    if (receiver && client) openLink(receiver, client, broker);
  });
  container.on('sender_open', ({ sender, connection }: EventContext) => {
    const client = clients.get(connection);
    if (sender && client) openLink(sender, client, broker);
  });
  ignoreDepartures(container);
  return container;
}

/** A connection or a session of a client: answered when the faults planted for it let it be. */
function openEndpoint(
  operation: 'open' | 'begin',
  endpoint: Connection | Session,
  client: ClientConnection,
  control: Control,
): void {
  const answer = withholdAnswer(endpoint);
  carryOut(control, {
    operation,
    target: client.host,
    client,
    refuse: ({ condition, description }) => {
      endpoint.close({ condition, description });
      answer();
    },
    act: () => ({ status: 200, isUnlogged: true, answer }),
  });
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
