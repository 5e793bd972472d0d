// The work queue as Service Bus keeps it: messages come twice, late and in any order; a lock that is lost gives the message to
// somebody else while the first still works on it; what was delivered too often becomes a dead letter.
import type { WorkMessage } from '../../shared/domain/work-message.ts';
import type { FakeClock } from '../fakes/fake-system.ts';
import type { Chance } from './chance.ts';
import type { FaultRates } from './plan.ts';
import type { SimProcess } from './scheduler.ts';

export interface Delivery {
  readonly messageId: string;
  readonly body: string;
}

interface Message extends Delivery {
  visibleAtMs: number;
  deliveries: number;
  lock: { readonly process: SimProcess; untilMs: number } | undefined;
}

const LOCK_MS = 30_000;
const MAX_DELIVERIES = 6;
const LATEST_MS = 20_000;

export class Broker {
  readonly #clock: FakeClock;
  readonly #chance: Chance;
  readonly #faults: () => FaultRates;
  #messages: Message[] = [];
  readonly #deadLetters: Message[] = [];
  #sent = 0;

  constructor(clock: FakeClock, chance: Chance, faults: () => FaultRates) {
    this.#clock = clock;
    this.#chance = chance;
    this.#faults = faults;
  }

  send(messages: readonly WorkMessage[], delayMs: number): void {
    for (const message of messages) {
      this.put(JSON.stringify(message), delayMs);
      if (this.#chance.happens(this.#faults().duplicate)) this.put(JSON.stringify(message), delayMs);
    }
  }

  put(body: string, delayMs = 0): void {
    const lateMs = this.#chance.happens(this.#faults().lateMessage) ? this.#chance.below(LATEST_MS) : 0;
    const visibleAtMs = this.#clock.now().getTime() + delayMs + lateMs;
    this.#sent += 1;
    this.#messages.push({ messageId: `m${this.#sent}`, body, visibleAtMs, deliveries: 0, lock: undefined });
  }

  get hasMessage(): boolean {
    return this.#messages.some((message) => this.#isVisible(message));
  }

  get hasDeadLetter(): boolean {
    return this.#deadLetters.some((message) => this.#isVisible(message));
  }

  get isEmpty(): boolean {
    return this.#messages.length + this.#deadLetters.length === 0;
  }

  nextDueMs(): number | undefined {
    const due = [...this.#messages, ...this.#deadLetters].flatMap((message) => {
      const ms = Math.max(message.visibleAtMs, message.lock?.untilMs ?? 0);
      return ms === Infinity ? [] : [ms];
    });
    return due.length === 0 ? undefined : Math.min(...due);
  }

  receive(process: SimProcess, from: 'work' | 'dead letters'): Delivery | undefined {
    const messages = from === 'work' ? this.#messages : this.#deadLetters;
    const visible = messages.filter((message) => this.#isVisible(message));
    if (visible.length === 0) return undefined;
    const message = this.#chance.pick(visible);
    if (from === 'work' && message.deliveries >= MAX_DELIVERIES) {
      this.#messages = this.#messages.filter((one) => one !== message);
      this.#deadLetters.push({ ...message, deliveries: 0, lock: undefined });
      return undefined;
    }
    message.deliveries += 1;
    const lost = this.#chance.happens(this.#faults().lockLost);
    message.lock = { process, untilMs: lost ? this.#clock.now().getTime() + this.#chance.below(500) : Infinity };
    return message;
  }

  /** Does nothing if the lock was lost. */
  complete(process: SimProcess, { messageId }: Delivery): void {
    for (const messages of [this.#messages, this.#deadLetters]) {
      const index = messages.findIndex((one) => one.messageId === messageId && one.lock?.process === process);
      if (index >= 0) messages.splice(index, 1);
    }
  }

  abandon(process: SimProcess, { messageId }: Delivery): void {
    for (const message of [...this.#messages, ...this.#deadLetters]) {
      if (message.messageId === messageId && message.lock?.process === process) message.lock = undefined;
    }
  }

  /** Nobody renews the locks of a process that died or froze. */
  forsake(process: SimProcess): void {
    for (const { lock } of [...this.#messages, ...this.#deadLetters]) {
      if (lock?.process === process) lock.untilMs = Math.min(lock.untilMs, this.#clock.now().getTime() + LOCK_MS);
    }
  }

  #isVisible({ visibleAtMs, lock }: Message): boolean {
    const nowMs = this.#clock.now().getTime();
    return visibleAtMs <= nowMs && (lock === undefined || lock.untilMs <= nowMs);
  }
}
