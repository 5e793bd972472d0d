// A link on which a client receives from a queue: credit, deliveries, and what the client then does with each.
// A link that goes away takes no lock with it: locks belong to the queue and run out there.
import type { Delivery, EventContext, Sender } from 'rhea';
import type { Control } from '../control/control.ts';
import type { ClientConnection } from './client-connection.ts';
import { notImplemented, unauthorized } from './failures.ts';
import { carryOut } from './faulty-operation.ts';
import { recordOf, tagOfLockToken, toWire } from './message-codec.ts';
import type { Consumer, Queue } from './queue.ts';
import type { LockedMessage, StoredMessage } from './queue-model.ts';
import { answerDrains, answerFlow, creditOf, forget, settle, type OutcomeName } from './rhea-internals.ts';
import { settleMessage, type Settlement } from './settlement.ts';

interface ConsumerParts {
  readonly link: Sender;
  readonly path: string;
  readonly queue: Queue;
  readonly client: ClientConnection;
  readonly control: Control;
}

const SENDER_SETTLES = 1;

export function attachConsumer(parts: ConsumerParts): void {
  const { link, queue } = parts;
  const consumer = new LinkConsumer(parts);
  queue.addConsumer(consumer);
  const detached = (): void => {
    queue.removeConsumer(consumer);
    consumer.forgetAll();
  };
  const stopWatching = parts.client.whenClosed(detached);
  link.on('sender_close', () => {
    stopWatching();
    detached();
  });
  answerDrains(link, (credit) => consumer.drained(credit));
  link.on('sender_flow', () => {
    queue.changed();
    answerFlow(link);
  });
  // Room again in the window, after 2,048 deliveries that nobody settled.
  link.on('sendable', () => queue.changed());
  link.on('accepted', (context: EventContext) => consumer.settle(context, 'complete', 'accepted'));
  link.on('rejected', (context: EventContext) => consumer.settle(context, 'dead-letter', 'rejected'));
  link.on('released', (context: EventContext) => consumer.settle(context, 'abandon', 'released'));
  link.on('modified', (context: EventContext) => consumer.settle(context, 'abandon', 'modified'));
}

class LinkConsumer implements Consumer {
  readonly receivesAndDeletes: boolean;
  readonly #parts: ConsumerParts;
  /** Lock tokens of deliveries that the client has not settled, by delivery: a handful, at most rhea's 2,048. */
  readonly #unsettled = new Map<Delivery, string>();
  #taken = 0;
  #drained = 0;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.receivesAndDeletes = parts.link.snd_settle_mode === SENDER_SETTLES;
  }

  isOpen(): boolean {
    return this.#parts.link.is_open();
  }

  canTake(): boolean {
    const { link, client, path } = this.#parts;
    const { credit, transferred } = creditOf(link);
    const underWay = this.#taken - (transferred - this.#drained);
    if (credit - underWay <= 0 || !link.sendable()) return false;
    if (client.claims.allow(path, Date.now())) return true;
    link.close(unauthorized(client.host, path));
    return false;
  }

  drained(credit: number): void {
    this.#drained += credit;
  }

  deliver(delivery: LockedMessage | { readonly message: StoredMessage }): void {
    const { link, queue, client, control } = this.#parts;
    const { message } = delivery;
    this.#taken += 1;
    carryOut(control, {
      operation: 'receive',
      target: queue.name,
      client,
      refuse: ({ condition, description }) => link.close({ condition, description }),
      act: () => ({
        status: 200,
        detail: { messageId: message.messageId, deliveryCount: message.failedDeliveries },
        answer: () => this.#send(delivery),
      }),
    });
  }

  settle({ delivery }: EventContext, kind: Settlement['kind'], asked: OutcomeName): void {
    const lockToken = delivery && this.#unsettled.get(delivery);
    if (!delivery || lockToken === undefined) return;
    this.#unsettled.delete(delivery);
    const outcome = recordOf(delivery.remote_state);
    if (kind === 'abandon' && outcome['undeliverable_here'] === true) {
      settle(delivery, asked, notImplemented('Defer'));
      return;
    }
    const properties = kind === 'dead-letter' ? recordOf(outcome['error'])['info'] : outcome['message_annotations'];
    const { queue, client, control } = this.#parts;
    settleMessage(
      { kind, lockToken, properties: recordOf(properties) },
      { queue, client, control, answer: (failure) => settle(delivery, asked, failure) },
    );
  }

  /** The client left without settling: nothing of its deliveries is kept, their locks run out by themselves. */
  forgetAll(): void {
    for (const delivery of this.#unsettled.keys()) forget(delivery);
    this.#unsettled.clear();
  }

  #send(delivery: LockedMessage | { readonly message: StoredMessage }): void {
    const { link } = this.#parts;
    // Closed while a planted delay passed: the lock runs out, as when a message is lost on its way.
    if (!link.is_open()) return;
    if (!('lockToken' in delivery)) {
      link.send(toWire(delivery.message), undefined, 0);
      return;
    }
    const bytes = toWire(delivery.message, delivery.lockedUntilMs);
    this.#unsettled.set(link.send(bytes, tagOfLockToken(delivery.lockToken), 0), delivery.lockToken);
  }
}
