// What one queue holds and which moves it allows: the semantics of a Service Bus queue and nothing else.
// No I/O, no timers, no AMQP: payloads are opaque, clock and lock tokens are passed in. Whoever owns a store calls
// `advance` when `nextEventAtMs` has come; until then every method behaves as if it had been called.
import { DuplicateHistory } from './duplicate-history.ts';
import { MinHeap } from './min-heap.ts';
import type {
  Enqueued,
  ExpiredLock,
  LockedMessage,
  MessageKeeper,
  NewMessage,
  QueueCounts,
  QueueSettings,
  Settled,
  StoredMessage,
  Surroundings,
} from './queue-model.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Entry = Mutable<StoredMessage>;

/** A queue's quota in Azure is 1 GB at least; beyond it a send is refused. */
export const MAX_QUEUE_BYTES = 1024 * 1024 * 1024;

export class QueueStore {
  readonly settings: QueueSettings;
  /** Undefined for a store that is itself a dead-letter queue: nothing can be dead-lettered from there. */
  readonly deadLetters: QueueStore | undefined;
  readonly #surroundings: Surroundings;
  readonly #keeper: MessageKeeper | undefined;
  readonly #seen: DuplicateHistory;
  readonly #entries = new Map<number, Entry>();
  readonly #ready = new MinHeap<Entry>((a, b) => a.sequenceNumber < b.sequenceNumber);
  readonly #scheduled = new MinHeap<Entry>((a, b) => (a.scheduledForMs ?? 0) < (b.scheduledForMs ?? 0));
  /** Insertion order is order of expiry, since all locks of a queue last equally long; a renewed one is put in anew. */
  readonly #locks = new Map<string, { readonly entry: Entry; readonly untilMs: number }>();
  #lastSequenceNumber = 0;
  #bytes = 0;
  #latestMs = 0;

  constructor(settings: QueueSettings, surroundings: Surroundings, isDeadLetter = false) {
    this.settings = settings;
    this.#surroundings = surroundings;
    this.#seen = new DuplicateHistory(settings.duplicateDetectionWindowMs);
    this.deadLetters = Number.isFinite(settings.maxDeliveryCount)
      ? new QueueStore({ ...settings, maxDeliveryCount: Infinity, duplicateDetectionWindowMs: 0 }, surroundings, true)
      : undefined;
    this.#keeper = surroundings.keeper?.(settings.name, isDeadLetter);
    this.#takeUp();
  }

  /** To be asked before enqueuing; dead letters do not count, they have a quota of their own. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= MAX_QUEUE_BYTES;
  }

  enqueue(message: NewMessage): Enqueued {
    const nowMs = this.#now();
    if (this.#seen.isRepeat(message.messageId, nowMs)) return { isDuplicate: true };
    const isScheduled = message.scheduledForMs !== undefined && message.scheduledForMs > nowMs;
    const entry: Entry = {
      messageId: message.messageId,
      payload: message.payload,
      sequenceNumber: this.#nextSequenceNumber(),
      enqueuedAtMs: nowMs,
      scheduledForMs: message.scheduledForMs,
      failedDeliveries: 0,
      properties: {},
      state: isScheduled ? 'scheduled' : 'active',
    };
    this.#hold(entry);
    (isScheduled ? this.#scheduled : this.#ready).push(entry);
    return { isDuplicate: false, sequenceNumber: entry.sequenceNumber };
  }

  /** False when no message with that number is waiting for its time. */
  cancelScheduled(sequenceNumber: number): boolean {
    const entry = this.#entries.get(sequenceNumber);
    if (entry?.state !== 'scheduled') return false;
    this.#scheduled.remove(entry);
    this.#release(entry);
    return true;
  }

  /** The next message in order, locked for whoever asked. */
  lock(): LockedMessage | undefined {
    const entry = this.#ready.pop();
    if (!entry) return undefined;
    entry.state = 'locked';
    const lockToken = this.#surroundings.newLockToken();
    const untilMs = this.#now() + this.settings.lockDurationMs;
    this.#locks.set(lockToken, { entry, untilMs });
    return { message: entry, lockToken, lockedUntilMs: untilMs };
  }

  /** The next message in order, gone from the queue: receive-and-delete. */
  take(): StoredMessage | undefined {
    const entry = this.#ready.pop();
    if (entry) this.#release(entry);
    return entry;
  }

  /** Until when the lock lasts now, or undefined when it was lost. */
  renew(lockToken: string): number | undefined {
    const entry = this.#unlock(lockToken);
    if (!entry) return undefined;
    const untilMs = this.#now() + this.settings.lockDurationMs;
    this.#locks.set(lockToken, { entry, untilMs });
    return untilMs;
  }

  complete(lockToken: string): Settled {
    const entry = this.#unlock(lockToken);
    if (!entry) return { ok: false, reason: 'lock-lost' };
    this.#release(entry);
    return { ok: true, message: entry, isDeadLetter: false };
  }

  /** Back to its place in the queue, or to the dead-letter queue when this was the last attempt. */
  abandon(lockToken: string, properties: Readonly<Record<string, unknown>> = {}): Settled {
    const entry = this.#unlock(lockToken);
    if (!entry) return { ok: false, reason: 'lock-lost' };
    entry.properties = { ...entry.properties, ...properties };
    return { ok: true, message: entry, isDeadLetter: this.#fail(entry) };
  }

  /** `properties` carries the reason and its description, under the names that Service Bus gives them. */
  deadLetter(lockToken: string, properties: Readonly<Record<string, unknown>>): Settled {
    if (!this.deadLetters) return { ok: false, reason: 'not-allowed' };
    const entry = this.#unlock(lockToken);
    if (!entry) return { ok: false, reason: 'lock-lost' };
    this.#moveToDeadLetters(entry, properties);
    return { ok: true, message: entry, isDeadLetter: true };
  }

  /** When `advance` has something to do, in milliseconds since the epoch. */
  nextEventAtMs(): number | undefined {
    const [firstLock] = this.#locks.values();
    const times = [firstLock?.untilMs, this.#scheduled.peek()?.scheduledForMs].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Lets time pass: scheduled messages whose time has come join the end, locks that ran out give theirs back. */
  advance(): readonly ExpiredLock[] {
    const nowMs = this.#now();
    for (let due = this.#scheduled.peek(); due; due = this.#scheduled.peek()) {
      if (due.scheduledForMs === undefined || due.scheduledForMs > nowMs) break;
      this.#scheduled.pop();
      this.#activate(due, nowMs);
    }
    const expired: ExpiredLock[] = [];
    for (const [lockToken, { entry, untilMs }] of this.#locks) {
      if (untilMs > nowMs) break;
      this.#locks.delete(lockToken);
      expired.push({ message: entry, lockToken, deadLettered: this.#fail(entry) });
    }
    return expired;
  }

  /** In order of sequence number, whatever their state; nothing is locked by looking. */
  peek(request: { readonly fromSequenceNumber: number; readonly maxCount: number }): readonly StoredMessage[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.sequenceNumber >= request.fromSequenceNumber)
      .sort((a, b) => a.sequenceNumber - b.sequenceNumber)
      .slice(0, request.maxCount);
  }

  counts(): QueueCounts {
    return {
      active: this.#ready.size,
      scheduled: this.#scheduled.size,
      locked: this.#locks.size,
      deadLetter: this.deadLetters ? this.deadLetters.#entries.size : 0,
    };
  }

  /** Removes every message, also of the dead-letter queue. What duplicate detection remembers stays, as in Azure. */
  purge(): void {
    this.#entries.clear();
    this.#ready.clear();
    this.#scheduled.clear();
    this.#locks.clear();
    this.#bytes = 0;
    this.#keeper?.clear();
    this.deadLetters?.purge();
  }

  /** Never backwards, so that the order of the locks stays the order of their expiry. */
  #now(): number {
    this.#latestMs = Math.max(this.#latestMs, this.#surroundings.now());
    return this.#latestMs;
  }

  #nextSequenceNumber(): number {
    this.#lastSequenceNumber += 1;
    return this.#lastSequenceNumber;
  }

  /** What an earlier run has left. Whoever held a lock then is gone. */
  #takeUp(): void {
    this.#lastSequenceNumber = this.#keeper?.lastSequenceNumber ?? 0;
    for (const message of this.#keeper?.messages() ?? []) {
      const entry: Entry = { ...message, state: message.state === 'scheduled' ? 'scheduled' : 'active' };
      this.#entries.set(entry.sequenceNumber, entry);
      this.#bytes += entry.payload.length;
      (entry.state === 'scheduled' ? this.#scheduled : this.#ready).push(entry);
    }
  }

  #hold(entry: Entry): void {
    this.#entries.set(entry.sequenceNumber, entry);
    this.#bytes += entry.payload.length;
    this.#keeper?.put(entry);
  }

  #release(entry: Entry): void {
    this.#entries.delete(entry.sequenceNumber);
    this.#bytes -= entry.payload.length;
    this.#keeper?.remove(entry.sequenceNumber);
  }

  /** Takes a lock away from its holder; undefined when it ran out, even if `advance` has not noticed yet. */
  #unlock(lockToken: string): Entry | undefined {
    const lock = this.#locks.get(lockToken);
    if (!lock || lock.untilMs <= this.#now()) return undefined;
    this.#locks.delete(lockToken);
    return lock.entry;
  }

  /** As if sent at this instant: with a sequence number of its own, as documented for scheduled messages. */
  #activate(entry: Entry, nowMs: number): void {
    this.#release(entry);
    entry.sequenceNumber = this.#nextSequenceNumber();
    entry.enqueuedAtMs = nowMs;
    entry.state = 'active';
    this.#hold(entry);
    this.#ready.push(entry);
  }

  #fail(entry: Entry): boolean {
    entry.failedDeliveries += 1;
    const { maxDeliveryCount } = this.settings;
    if (entry.failedDeliveries >= maxDeliveryCount) {
      this.#moveToDeadLetters(entry, {
        DeadLetterReason: 'MaxDeliveryCountExceeded',
        DeadLetterErrorDescription: `Message could not be consumed after ${maxDeliveryCount} delivery attempts.`,
      });
      return true;
    }
    entry.state = 'active';
    this.#keeper?.put(entry);
    this.#ready.push(entry);
    return false;
  }

  /** A dead letter keeps its sequence number and its count of deliveries. */
  #moveToDeadLetters(entry: Entry, properties: Readonly<Record<string, unknown>>): void {
    this.#release(entry);
    entry.properties = { ...entry.properties, ...properties };
    entry.state = 'active';
    if (!this.deadLetters) throw new Error('a dead-letter queue has no dead-letter queue');
    this.deadLetters.#hold(entry);
    this.deadLetters.#ready.push(entry);
  }
}
