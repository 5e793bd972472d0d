// Looks at a queue as anyone can who may receive from it: it peeks, which locks and takes no message. Exact numbers are told only to those who may manage the
// queue, which the app may not. Each look has a connection of its own, so that sends never wait behind it.
import type { ServiceBusReceiver } from '@azure/service-bus';
import type { TokenCredential } from '@azure/identity';
import type { QueueWatch } from '../domain/ports.ts';
import { present } from '../domain/plain-object.ts';
import { depthOf, type Peeked, type QueueDepth } from '../domain/queue-depth.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { conditionOf } from './service-bus-condition.ts';
import { ServiceBusConnection } from './service-bus-connection.ts';

interface WatchOptions {
  readonly fullyQualifiedNamespace: string;
  readonly queueName: string;
  readonly credential: TokenCredential;
  /** For a whole look: token, connection, links and every page. */
  readonly limitMs?: number;
}

const LIMIT_MS = 4_000;
const PEEKED_AT_ONCE = 100;
const MAX_PEEKED = 500;

export class ServiceBusWatch implements QueueWatch {
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async look(): Promise<QueueDepth> {
    const { queueName, limitMs = LIMIT_MS } = this.#options;
    const connection = new ServiceBusConnection(this.#options, (client) => ({
      queue: client.createReceiver(queueName, AS_THEY_ARE),
      deadLetters: client.createReceiver(queueName, { subQueueType: 'deadLetter', ...AS_THEY_ARE }),
    }));
    try {
      return await connection.use(limitMs, async ({ queue, deadLetters }, abortSignal) => {
        const [messages, dead] = await Promise.all([peek(queue, abortSignal), peek(deadLetters, abortSignal)]);
        return depthOf(messages, dead, MAX_PEEKED);
      });
    } catch (error) {
      throw new StoreUnavailable(`Service Bus: ${conditionOf(error)}`, { cause: error });
    } finally {
      // Not awaited: a close waits for the namespace.
      connection.close().catch(() => undefined);
    }
  }
}

const AS_THEY_ARE = { skipParsingBodyAsJson: true } as const;

/** Each request goes on behind the last message of the one before. A page may be short and not the last; an empty one is. */
async function peek(receiver: ServiceBusReceiver, abortSignal: AbortSignal): Promise<readonly Peeked[]> {
  const peeked: Peeked[] = [];
  while (peeked.length < MAX_PEEKED) {
    const page = await receiver.peekMessages(PEEKED_AT_ONCE, { abortSignal });
    if (page.length === 0) break;
    peeked.push(...page.map(({ state, enqueuedTimeUtc }) => ({ state, ...present({ enqueuedAt: enqueuedTimeUtc }) })));
  }
  return peeked;
}
