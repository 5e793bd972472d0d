// A queue through @azure/service-bus. Connects at the first message. Every message has an id of its own, so that duplicate detection drops
// none but the SDK's own resends, which carry the same id.
import type { TokenCredential } from '@azure/identity';
import type { ServiceBusMessage, ServiceBusSender } from '@azure/service-bus';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Clock, Entropy, MessageQueue } from '../domain/ports.ts';
import { conditionOf } from './service-bus-condition.ts';
import { NothingHeard, ServiceBusConnection } from './service-bus-connection.ts';

interface QueueOptions {
  readonly fullyQualifiedNamespace: string;
  readonly queueName: string;
  readonly credential: TokenCredential;
  readonly clock: Clock;
  readonly entropy: Pick<Entropy, 'id'>;
  /** For a whole `send`: token, connection, links and a second attempt. */
  readonly limitMs?: number;
}

/** The caller waits for this, for 4 s at most with the rest of the call. The timer finds work that could not be sent. */
const LIMIT_MS = 3_500;
/** Far under the 256 KiB that one scheduling request may carry. */
const MAX_SCHEDULED_AT_ONCE = 100;

type Send = (sender: ServiceBusSender, abortSignal: AbortSignal) => Promise<void>;

export class ServiceBusQueue<Message> implements MessageQueue<Message> {
  readonly #options: QueueOptions;
  readonly #limitMs: number;
  #connection: ServiceBusConnection<ServiceBusSender> | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#limitMs = options.limitMs ?? LIMIT_MS;
  }

  async send(messages: readonly Message[], options: { readonly delayMs?: number } = {}): Promise<void> {
    if (messages.length === 0) return;
    const { delayMs = 0 } = options;
    const wrapped = messages.map((message) => this.#wrap(message));
    const at = new Date(this.#options.clock.now().getTime() + delayMs);
    try {
      await this.#twice((sender, abortSignal) =>
        delayMs > 0 ? schedule(sender, wrapped, { at, abortSignal }) : sendInBatches(sender, wrapped, { abortSignal }),
      );
    } catch (error) {
      // The messages may not be in the queue; the agenda's timer finds the work again.
      throw new StoreUnavailable(`Service Bus: ${conditionOf(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  /** A connection may have died silently: it gets half of the time, and a new one the other half. */
  async #twice(send: Send): Promise<void> {
    const startedMs = performance.now();
    try {
      await this.#connected().use(this.#limitMs / 2, send);
    } catch (error) {
      if (!(error instanceof NothingHeard)) throw error;
      await this.#connected().use(Math.max(0, this.#limitMs - (performance.now() - startedMs)), send);
    }
  }

  #connected(): ServiceBusConnection<ServiceBusSender> {
    if (this.#connection === undefined || this.#connection.isGivenUp) {
      this.#connection = new ServiceBusConnection(this.#options, (client) =>
        client.createSender(this.#options.queueName),
      );
    }
    return this.#connection;
  }

  /** The Functions host parses metadata as JSON where it can, so an id must not look like a number. */
  #wrap(message: Message): ServiceBusMessage {
    return { body: message, contentType: 'application/json', messageId: `m-${this.#options.entropy.id()}` };
  }
}

async function schedule(
  sender: ServiceBusSender,
  messages: ServiceBusMessage[],
  { at, abortSignal }: { readonly at: Date; readonly abortSignal: AbortSignal },
): Promise<void> {
  for (let from = 0; from < messages.length; from += MAX_SCHEDULED_AT_ONCE) {
    await sender.scheduleMessages(messages.slice(from, from + MAX_SCHEDULED_AT_ONCE), at, { abortSignal });
  }
}

async function sendInBatches(
  sender: ServiceBusSender,
  messages: readonly ServiceBusMessage[],
  options: { readonly abortSignal: AbortSignal },
): Promise<void> {
  let batch = await sender.createMessageBatch(options);
  for (const message of messages) {
    if (batch.tryAddMessage(message)) continue;
    await sender.sendMessages(batch, options);
    batch = await sender.createMessageBatch(options);
    if (!batch.tryAddMessage(message)) throw new Error('a message that fits no batch');
  }
  await sender.sendMessages(batch, options);
}
