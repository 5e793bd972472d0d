// The words of a queue: what goes in, what is held, what comes of each move. Types only.

export interface QueueSettings {
  readonly name: string;
  readonly lockDurationMs: number;
  /** A message whose delivery failed this often goes to the dead-letter queue. */
  readonly maxDeliveryCount: number;
  /** 0 switches duplicate detection off. */
  readonly duplicateDetectionWindowMs: number;
}

export interface Surroundings {
  readonly now: () => number;
  readonly newLockToken: () => string;
  /** For queues that are kept from run to run. */
  readonly keeper?: (queueName: string, isDeadLetter: boolean) => MessageKeeper;
}

/** Where the messages of one store are kept. */
export interface MessageKeeper {
  readonly lastSequenceNumber: number;
  /** What an earlier run has left, in any order. */
  messages(): readonly StoredMessage[];
  put(message: StoredMessage): void;
  remove(sequenceNumber: number): void;
  clear(): void;
}

export interface NewMessage {
  readonly messageId: string;
  readonly payload: Uint8Array;
  /** A time in the past is as good as none. */
  readonly scheduledForMs?: number | undefined;
}

export interface StoredMessage {
  readonly messageId: string;
  readonly payload: Uint8Array;
  readonly sequenceNumber: number;
  readonly enqueuedAtMs: number;
  readonly scheduledForMs: number | undefined;
  /** Deliveries that ended in an abandon or in a lock that ran out: what the AMQP header calls delivery-count. */
  readonly failedDeliveries: number;
  /** Application properties set since the message arrived: by an abandon, or by dead-lettering. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly state: 'active' | 'locked' | 'scheduled';
}

export interface LockedMessage {
  readonly message: StoredMessage;
  readonly lockToken: string;
  readonly lockedUntilMs: number;
}

export type Enqueued =
  { readonly isDuplicate: false; readonly sequenceNumber: number } | { readonly isDuplicate: true };

export type Settled =
  | { readonly ok: true; readonly message: StoredMessage; readonly isDeadLetter: boolean }
  | { readonly ok: false; readonly reason: 'lock-lost' | 'not-allowed' };

export interface ExpiredLock {
  readonly message: StoredMessage;
  readonly lockToken: string;
  readonly deadLettered: boolean;
}

export interface QueueCounts {
  readonly active: number;
  readonly scheduled: number;
  readonly locked: number;
  readonly deadLetter: number;
}
