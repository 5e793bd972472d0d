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
  /** Of this delivery alone: who has an older one of the same message in hand settles nothing by it. */
  readonly lockToken: number;
}

export type Source = 'work' | 'dead letters';

interface Message {
  readonly messageId: string;
  readonly body: string;
  visibleAtMs: number;
  deliveries: number;
  lock: { readonly token: number; readonly process: SimProcess; untilMs: number } | undefined;
}

const LOCK_MS = 30_000;
export const MAX_DELIVERIES = 6;
const LATEST_MS = 20_000;

export class Broker {
  readonly #clock: FakeClock;
  readonly #chance: Chance;
  readonly #faults: () => FaultRates;
  #messages: Message[] = [];
  #deadLetters: Message[] = [];
  #sent = 0;
  #locked = 0;

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

  /** Whether there is one to be had now. */
  has(source: Source): boolean {
    this.#bury();
    return this.#of(source).some((message) => this.#isVisible(message));
  }

  /** All that are there: to be had, locked or not due yet. */
  count(source: Source): number {
    this.#bury();
    return this.#of(source).length;
  }

  nextDueMs(): number | undefined {
    const due = [...this.#messages, ...this.#deadLetters].flatMap((message) => {
      const ms = Math.max(message.visibleAtMs, message.lock?.untilMs ?? 0);
      return ms === Infinity ? [] : [ms];
    });
    return due.length === 0 ? undefined : Math.min(...due);
  }

  receive(process: SimProcess, source: Source): Delivery | undefined {
    this.#bury();
    const visible = this.#of(source).filter((message) => this.#isVisible(message));
    if (visible.length === 0) return undefined;
    const message = this.#chance.pick(visible);
    message.deliveries += 1;
    this.#locked += 1;
    const lost = this.#chance.happens(this.#faults().lockLost);
    const untilMs = lost ? this.#clock.now().getTime() + this.#chance.below(500) : Infinity;
    message.lock = { token: this.#locked, process, untilMs };
    const { messageId, body } = message;
    return { messageId, body, lockToken: this.#locked };
  }

  /** False if the lock was lost: then nothing has changed. */
  complete(delivery: Delivery): boolean {
    const message = this.#lockedBy(delivery);
    if (!message) return false;
    this.#messages = this.#messages.filter((one) => one !== message);
    this.#deadLetters = this.#deadLetters.filter((one) => one !== message);
    return true;
  }

  /** False if the lock was lost: then nothing has changed. */
  abandon(delivery: Delivery): boolean {
    const message = this.#lockedBy(delivery);
    if (message) message.lock = undefined;
    return message !== undefined;
  }

  /** Nobody renews the locks of a process that died or froze. */
  forsake(process: SimProcess): void {
    for (const { lock } of [...this.#messages, ...this.#deadLetters]) {
      if (lock?.process === process) lock.untilMs = Math.min(lock.untilMs, this.#clock.now().getTime() + LOCK_MS);
    }
  }

  #of(source: Source): readonly Message[] {
    return source === 'work' ? this.#messages : this.#deadLetters;
  }

  #lockedBy({ lockToken }: Delivery): Message | undefined {
    const nowMs = this.#clock.now().getTime();
    return [...this.#messages, ...this.#deadLetters].find(
      ({ lock }) => lock?.token === lockToken && lock.untilMs > nowMs,
    );
  }

  /** What was delivered too often and is in nobody's hands any more becomes a dead letter. */
  #bury(): void {
    const isDead = (message: Message): boolean => message.deliveries >= MAX_DELIVERIES && this.#isVisible(message);
    const dead = this.#messages.filter(isDead);
    if (dead.length === 0) return;
    this.#messages = this.#messages.filter((message) => !dead.includes(message));
    this.#deadLetters.push(...dead.map((message) => ({ ...message, lock: undefined })));
  }

  #isVisible({ visibleAtMs, lock }: Message): boolean {
    const nowMs = this.#clock.now().getTime();
    return visibleAtMs <= nowMs && (lock === undefined || lock.untilMs <= nowMs);
  }
}
