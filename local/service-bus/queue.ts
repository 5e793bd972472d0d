// One queue at work: its store, the clients that wait for its messages, and the timer that lets its time pass.
// Decides who gets the next message; what a message is and how it travels is the business of others.
import type { Control } from '../control/control.ts';
import { displayName } from './addresses.ts';
import type { LockedMessage, QueueSettings, StoredMessage, Surroundings } from './queue-model.ts';
import { QueueStore } from './queue-store.ts';

/** A link that a client receives on. */
export interface Consumer {
  readonly isOpen: () => boolean;
  /** Whether the client has credit left, and its window room. */
  readonly canTake: () => boolean;
  readonly receivesAndDeletes: boolean;
  readonly deliver: (delivery: LockedMessage | { readonly message: StoredMessage }) => void;
}

/** `setTimeout` cannot count further than 24 days. */
const MAX_TIMER_MS = 60 * 60 * 1000;

export class Queue {
  readonly store: QueueStore;
  /** As the request log names it. */
  readonly name: string;
  /** Undefined for a dead-letter queue. */
  readonly deadLetters: Queue | undefined;
  readonly #control: Control;
  #consumers: Consumer[] = [];
  #isPaused = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs: number | undefined;

  constructor(parts: { readonly store: QueueStore; readonly control: Control; readonly isDeadLetter: boolean }) {
    this.store = parts.store;
    this.#control = parts.control;
    this.name = displayName(parts.store.settings.name, parts.isDeadLetter);
    this.deadLetters = parts.store.deadLetters
      ? new Queue({ store: parts.store.deadLetters, control: parts.control, isDeadLetter: true })
      : undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** While paused nothing is delivered; sending, settling, scheduling and the expiry of locks go on. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.changed();
  }

  addConsumer(consumer: Consumer): void {
    this.#consumers.push(consumer);
  }

  removeConsumer(consumer: Consumer): void {
    this.#consumers = this.#consumers.filter((other) => other !== consumer);
  }

  /** To be called after anything that may have made a message deliverable, a consumer ready, or an event due sooner. */
  changed(): void {
    if (this.#isClosed) return;
    for (const { message, deadLettered } of this.store.advance()) {
      const detail = { messageId: message.messageId, deliveryCount: message.failedDeliveries };
      this.#control.record({ operation: 'lock-expired', target: this.name, status: 200, detail });
      if (deadLettered) this.deadLettered(message);
    }
    this.#deliver();
    this.#arm();
  }

  /** A message of this queue was dead-lettered by the broker itself, for too many deliveries. */
  deadLettered(message: StoredMessage): void {
    const detail = { messageId: message.messageId, reason: 'MaxDeliveryCountExceeded' };
    this.#control.record({ operation: 'dead-letter', target: this.name, status: 200, detail });
    this.deadLetters?.changed();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#consumers = [];
    this.deadLetters?.close();
  }

  /** In turns: who was served goes to the end of the line. */
  #deliver(): void {
    while (!this.#isPaused && this.store.counts().active > 0) {
      const index = this.#consumers.findIndex((consumer) => consumer.isOpen() && consumer.canTake());
      const consumer = this.#consumers[index];
      if (!consumer) return;
      this.#consumers.push(...this.#consumers.splice(index, 1));
      const message = consumer.receivesAndDeletes ? this.#take() : this.store.lock();
      if (!message) return;
      consumer.deliver(message);
    }
  }

  #take(): { readonly message: StoredMessage } | undefined {
    const message = this.store.take();
    return message && { message };
  }

  #arm(): void {
    const atMs = this.store.nextEventAtMs();
    if (atMs === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    if (atMs === undefined) return;
    const delayMs = Math.min(Math.max(atMs - Date.now(), 1), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timerAtMs = undefined;
      this.changed();
    }, delayMs);
    this.#timer.unref();
  }
}

export function createQueue(
  settings: QueueSettings,
  parts: { readonly control: Control; readonly surroundings: Surroundings },
): Queue {
  return new Queue({
    store: new QueueStore(settings, parts.surroundings),
    control: parts.control,
    isDeadLetter: false,
  });
}
