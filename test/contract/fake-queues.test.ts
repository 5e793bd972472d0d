// The suite over the queue of the tests of operations, and over the simulation's: its port, and the broker behind it.
import { beforeEach, describe } from 'vitest';
import type { WorkQueue } from '../../shared/domain/ports.ts';
import { FakeQueue } from '../fakes/fake-queue.ts';
import { FakeClock } from '../fakes/fake-system.ts';
import { Broker, MAX_DELIVERIES, type Delivery } from '../simulation/broker.ts';
import { Chance } from '../simulation/chance.ts';
import { NO_FAULTS } from '../simulation/plan.ts';
import { SimQueue } from '../simulation/ports.ts';
import type { SimProcess } from '../simulation/scheduler.ts';
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

const SEED = 1;

class FakeQueueDriver implements SendDriver {
  readonly queue = new FakeQueue(new FakeClock());

  setAway(away: boolean): void {
    this.queue.away = away;
  }

  take(): Promise<unknown> {
    return Promise.resolve(this.queue.take());
  }

  count(): number {
    return this.queue.size;
  }
}

type SimReceived = Received & { readonly delivery: Delivery };

class SimQueueDriver implements SendDriver, DeliveryDriver<SimReceived> {
  readonly queue: WorkQueue;
  readonly maxDeliveries = MAX_DELIVERIES;
  readonly #clock = new FakeClock();
  readonly #broker: Broker;
  readonly #process: SimProcess = { name: 'host1', state: 'running', thawsAtStep: 0 };
  #away = false;

  constructor() {
    const chance = new Chance(SEED, 'contract');
    const broker = new Broker(this.#clock, chance, () => NO_FAULTS);
    const world = {
      broker,
      chance,
      meets: () => this.#away,
      mustHoldNoKey: () => undefined,
      turn: () => Promise.resolve(),
    };
    this.#broker = broker;
    this.queue = new SimQueue(world, { role: 'worker', process: this.#process });
  }

  setAway(away: boolean): void {
    this.#away = away;
  }

  async take(): Promise<unknown> {
    const received = await this.receive('work');
    await this.complete(received);
    return received.body;
  }

  receive(source: Source): Promise<SimReceived> {
    if (!this.#broker.has(source)) this.#clock.advanceTo(this.#broker.nextDueMs() ?? 0);
    const delivery = this.#broker.receive(this.#process, source);
    if (!delivery) throw new Error('no message ever comes');
    return Promise.resolve({ messageId: delivery.messageId, body: JSON.parse(delivery.body) as unknown, delivery });
  }

  complete({ delivery }: SimReceived): Promise<boolean> {
    return Promise.resolve(this.#broker.complete(delivery));
  }

  abandon({ delivery }: SimReceived): Promise<boolean> {
    return Promise.resolve(this.#broker.abandon(delivery));
  }

  letLocksRunOut(): Promise<void> {
    this.#broker.forsake(this.#process);
    this.#clock.advanceTo(this.#broker.nextDueMs() ?? 0);
    return Promise.resolve();
  }

  count(source: Source = 'work'): number {
    return this.#broker.count(source);
  }
}

let fake: FakeQueueDriver;
let simulated: SimQueueDriver;
beforeEach(() => {
  fake = new FakeQueueDriver();
  simulated = new SimQueueDriver();
});

describe('the queue of the tests', () => describeSending(() => fake));

describe('the queue of the simulation', () => {
  const driver = (): SimQueueDriver => simulated;
  describeSending(driver);
  describeDeliveries(driver);
  describeDeadLetters(driver);
  describeLostLocks(driver);
  describeDeathsByLock(driver);
});
