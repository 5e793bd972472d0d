// What operations need of the world besides store, vaults and identity. Each interface is as narrow as its users. Types only.
import type { KeyObject } from 'node:crypto';
import type { Seal } from './company-key.ts';
import type { ExportRecipient } from './export-recipient.ts';
import type { Failure } from './failure.ts';
import type { Result } from './result.ts';
import type { CheckMessage } from './check-message.ts';
import type { QueueDepth } from './queue-depth.ts';
import type { WorkMessage } from './work-message.ts';

/** The vendor's seal key. */
export interface Sealer {
  /** One `sign` call. */
  sign(bytes: Uint8Array): Promise<Result<Seal, Failure>>;
  /** Asks which version `sign` uses from now on: what this process remembers may be some minutes old. */
  newestVersion(): Promise<Result<string, Failure>>;
  /**
   * The public key of one version, from the configured vault and name only, asked for again every few minutes. Undefined if that version does not
   * exist or must not be used.
   */
  publicKey(keyVersion: string): Promise<Result<KeyObject | undefined, Failure>>;
}

/** Encrypts an export for its recipient. Keeps nothing of it. */
export interface ExportSealer {
  /** A JWE (RFC 7516) in its compact form, for the recipient alone. The caller overwrites `content`. */
  seal(content: Uint8Array, recipient: ExportRecipient): Promise<string>;
}

export interface MessageQueue<Message> {
  /** Each call sends new messages: duplicate detection never swallows them. Throws StoreUnavailable. */
  send(messages: readonly Message[], options?: { readonly delayMs?: number }): Promise<void>;
}

/** A queue as the right to receive from it lets one look at it. */
export interface QueueWatch {
  /** Takes and locks nothing. Throws StoreUnavailable. */
  look(): Promise<QueueDepth>;
}

/** Of the work of switches. */
export type WorkQueue = MessageQueue<WorkMessage>;

/** Of the checks of customers' vaults. */
export type CheckQueue = MessageQueue<CheckMessage>;

export interface Clock {
  now(): Date;
  /**
   * Milliseconds for what ends in this process: as those of `now`, but never set back, and never slower than the time that passes. Compare them with
   * nothing that is stored or comes from elsewhere.
   */
  steadyMs(): number;
}

export interface Timers {
  sleep(delayMs: number): Promise<void>;
  /**
   * Waits for the process's other work, and lets one caller go on at a time. Call it before each stretch of work that keeps the processor busy for
   * milliseconds, so that other work waits for one such stretch at most.
   */
  yield(): Promise<void>;
}

export interface Entropy {
  bytes(count: number): Uint8Array;
  /** A new id, sortable by time (UUID version 7). */
  id(): string;
}

export interface LogEntry {
  readonly level: 'info' | 'warning' | 'error';
  /** A stable name: `switch.completed`, `row.forged`. */
  readonly event: string;
  /** Never a secret, plaintext key or token. */
  readonly detail?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface Log {
  write(entry: LogEntry): void;
}
