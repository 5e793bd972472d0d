// The work queue through @azure/service-bus. Connects at the first message. Every message has an id of its own, so that
// duplicate detection drops none; a resend by the SDK carries the same id and is dropped where it should be.
import type { TokenCredential } from '@azure/identity';
import { ServiceBusClient, type ServiceBusMessage, type ServiceBusSender } from '@azure/service-bus';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { WorkMessage } from '../domain/work-message.ts';
import type { Clock, Entropy, WorkQueue } from '../operations/ports.ts';

interface ServiceBusWorkQueueOptions {
  readonly fullyQualifiedNamespace: string;
  readonly queueName: string;
  readonly credential: TokenCredential;
  readonly clock: Clock;
  readonly entropy: Pick<Entropy, 'id'>;
}

/** Somebody waits for the answer while this goes on, and the timer finds what could not be sent. */
const RETRY_OPTIONS = { maxRetries: 1, retryDelayInMs: 500, maxRetryDelayInMs: 1_000, timeoutInMs: 4_000 };
/** Far under the 256 KiB that one scheduling request may carry. */
const MAX_SCHEDULED_AT_ONCE = 100;

export class ServiceBusWorkQueue implements WorkQueue {
  readonly #options: ServiceBusWorkQueueOptions;
  #connected: { readonly client: ServiceBusClient; readonly sender: ServiceBusSender } | undefined;

  constructor(options: ServiceBusWorkQueueOptions) {
    this.#options = options;
  }

  async send(messages: readonly WorkMessage[], options: { readonly delayMs?: number } = {}): Promise<void> {
    if (messages.length === 0) return;
    const { delayMs = 0 } = options;
    const wrapped = messages.map((message) => this.#wrap(message));
    try {
      const sender = this.#sender();
      if (delayMs > 0) await this.#schedule(sender, wrapped, delayMs);
      else await sendInBatches(sender, wrapped);
    } catch (error) {
      // Whatever it was, these messages are not known to be in the queue; the agenda's timer finds the work again.
      throw new StoreUnavailable('Service Bus', { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#connected?.client.close();
    this.#connected = undefined;
  }

  #sender(): ServiceBusSender {
    if (!this.#connected) {
      const { fullyQualifiedNamespace, queueName, credential } = this.#options;
      const client = new ServiceBusClient(fullyQualifiedNamespace, credential, { retryOptions: RETRY_OPTIONS });
      this.#connected = { client, sender: client.createSender(queueName) };
    }
    return this.#connected.sender;
  }

  /** The Functions host parses metadata as JSON where it can: an id must not look like a number. */
  #wrap(message: WorkMessage): ServiceBusMessage {
    return { body: message, contentType: 'application/json', messageId: `work-${this.#options.entropy.id()}` };
  }

  async #schedule(sender: ServiceBusSender, messages: ServiceBusMessage[], delayMs: number): Promise<void> {
    const at = new Date(this.#options.clock.now().getTime() + delayMs);
    for (let from = 0; from < messages.length; from += MAX_SCHEDULED_AT_ONCE) {
      await sender.scheduleMessages(messages.slice(from, from + MAX_SCHEDULED_AT_ONCE), at);
    }
  }
}

async function sendInBatches(sender: ServiceBusSender, messages: readonly ServiceBusMessage[]): Promise<void> {
  let batch = await sender.createMessageBatch();
  for (const message of messages) {
    if (batch.tryAddMessage(message)) continue;
    await sender.sendMessages(batch);
    batch = await sender.createMessageBatch();
    if (!batch.tryAddMessage(message)) throw new Error('a message that fits no batch');
  }
  await sender.sendMessages(batch);
}
