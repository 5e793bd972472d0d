// The suite over the adapter for Service Bus, with our broker behind a real name, and the real SDK at the other end of the queue.
import { isServiceBusError, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import { ServiceBusQueue } from '../../shared/adapters/service-bus-queue.ts';
import { systemClock, systemEntropy } from '../../shared/adapters/system.ts';
import { eventually, HOST, QUEUE, startBroker, type BrokerFixture } from '../local/service-bus/broker-fixture.ts';
import type { QueueSettings } from '../../local/service-bus/queue-model.ts';
import {
  describeDeadLetters,
  describeDeathsByLock,
  describeDeliveries,
  describeLostLocks,
  describeSending,
  type DeliveryDriver,
  type Received,
  type SendDriver,
  type Source,
} from './queue-contract.ts';

/** As long as the test itself may take. */
const FOREVER_MS = 60_000;
/** Duplicate detection is on, as in a deployment: a message that had another's id would vanish. */
const LASTING: QueueSettings = { ...QUEUE, name: 'lasting', duplicateDetectionWindowMs: 600_000 };
const DEADLY: QueueSettings = { ...LASTING, name: 'deadly', maxDeliveryCount: 3 };
const FLEETING: QueueSettings = { ...LASTING, name: 'fleeting', lockDurationMs: 400 };
const FLEETING_AND_DEADLY: QueueSettings = { ...FLEETING, name: 'fleeting-and-deadly', maxDeliveryCount: 2 };

type AzureReceived = Received & { readonly source: Source; readonly message: ServiceBusReceivedMessage };

class ServiceBusDriver implements SendDriver, DeliveryDriver<AzureReceived> {
  readonly queue: ServiceBusQueue<WorkMessage>;
  readonly maxDeliveries: number;
  readonly #name: string;
  readonly #fixture: BrokerFixture;
  readonly #receivers: Readonly<Record<Source, ServiceBusReceiver>>;

  constructor(fixture: BrokerFixture, { name, maxDeliveryCount }: QueueSettings) {
    this.#fixture = fixture;
    this.#name = name;
    this.maxDeliveries = maxDeliveryCount;
    this.queue = new ServiceBusQueue({
      fullyQualifiedNamespace: HOST,
      queueName: name,
      credential: {
        getToken: async () => ({ token: await fixture.mint(), expiresOnTimestamp: Date.now() + 3_600_000 }),
      },
      clock: systemClock,
      entropy: systemEntropy,
    });
    const client = fixture.client();
    const options = { maxAutoLockRenewalDurationInMs: 0 };
    this.#receivers = {
      work: client.createReceiver(name, options),
      'dead letters': client.createReceiver(name, { ...options, subQueueType: 'deadLetter' }),
    };
  }

  setAway(away: boolean): void {
    if (away) this.#fixture.broker.control.plant({ operation: 'send', effect: { status: 503 } });
    else this.#fixture.broker.control.clearFaults();
  }

  async take(): Promise<unknown> {
    const received = await this.receive('work');
    await this.complete(received);
    return received.body;
  }

  async receive(source: Source): Promise<AzureReceived> {
    const [message] = await this.#receivers[source].receiveMessages(1, { maxWaitTimeInMs: FOREVER_MS });
    if (!message) throw new Error('no message ever comes');
    return { messageId: String(message.messageId), body: message.body as unknown, source, message };
  }

  complete({ source, message }: AzureReceived): Promise<boolean> {
    return settled(this.#receivers[source].completeMessage(message));
  }

  abandon({ source, message }: AzureReceived): Promise<boolean> {
    return settled(this.#receivers[source].abandonMessage(message));
  }

  async letLocksRunOut(): Promise<void> {
    const { broker } = this.#fixture;
    await eventually(
      () => broker.queues().find(({ name }) => name === this.#name)?.locked,
      (locked) => locked === 0,
    );
  }

  count(source: Source = 'work'): number {
    const { messages, deadLetters } = this.#fixture.broker.messages(this.#name);
    return source === 'work' ? messages.length : deadLetters.length;
  }
}

async function settled(settling: Promise<void>): Promise<boolean> {
  try {
    await settling;
    return true;
  } catch (error) {
    if (isServiceBusError(error) && error.code === 'MessageLockLost') return false;
    // What this very receiver has settled before the SDK does not even send.
    if (error instanceof Error && error.message.endsWith('already settled')) return false;
    throw error;
  }
}

let fixture: BrokerFixture;
let driver: ServiceBusDriver;
const of = (settings: QueueSettings): (() => ServiceBusDriver) => {
  beforeEach(() => {
    driver = new ServiceBusDriver(fixture, settings);
  });
  return () => driver;
};

beforeAll(async () => {
  fixture = await startBroker([LASTING, DEADLY, FLEETING, FLEETING_AND_DEADLY]);
});
afterEach(async () => {
  await driver.queue.close();
  await fixture.reset();
});
afterAll(() => fixture.close());

describe('sending', () => describeSending(of(LASTING)));
describe('deliveries', () => describeDeliveries(of(LASTING)));
describe('dead letters', () => describeDeadLetters(of(DEADLY)));
describe('lost locks', () => describeLostLocks(of(FLEETING)));
describe('deaths by lock', () => describeDeathsByLock(of(FLEETING_AND_DEADLY)));
