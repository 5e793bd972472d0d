// What one process is given to work with: the world around it, and the policy that its settings say. Types only.
import type { BackOff } from '../domain/back-off.ts';
import type { StoreClock, Tables } from '../store/tables.ts';
import type { CheckQueue, Clock, Entropy, Log, Sealer, Timers, WorkQueue } from '../domain/ports.ts';
import type { Providers } from '../providers/provider.ts';

export interface World {
  readonly tables: Tables;
  readonly storeClock: StoreClock;
  readonly queue: WorkQueue;
  readonly checkQueue: CheckQueue;
  readonly providers: Providers;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Names this process in the record, unlike every other one. */
  readonly instance: string;
}

export interface Policy {
  /** Within what time a revocation is felt: so long a company key is kept, and what may be had from memory. */
  readonly keyTtlMs: number;
  /** For so long after that a company key serves on while its vault cannot be reached. 0: not at all. */
  readonly outageGraceMs: number;
  /** Wrapped data keys that are kept for callers. 0: none. */
  readonly dataKeyCacheRows: number;
  /** Of callers' company keys, of keyrings and of limits of events, each. Without it each has a bound of its own. */
  readonly maxCacheEntries?: number;
  /** Without it, as many as Keyswitch allows. */
  readonly maxDataKeysPerKeyring?: number;
  readonly backOff: BackOff;
  /** Of a new keyring. */
  readonly shardCount: number;
  /** For so long a deleted data key can be restored. */
  readonly restoreDays: number;
  /** How old a verification may be where its age is asked for. */
  readonly verificationMs: number;
  /** For so long after a switch the company key can be exported without verifying anew. */
  readonly exportAllowanceMs: number;
  /** How long one message works before it hands over to its continuation. */
  readonly messageBudgetMs: number;
  /** Longer than the vault calls of an end can take; after that the lease of a worker that died is void. */
  readonly endLeaseMs: number;
  /** For so long the company key that goes is kept, whatever the proof says. */
  readonly keepMs: number;
  /** How long a consent serves for a set-up, or a move, that is not finished. */
  readonly consentMs: number;
  /** A switch that has not moved for so long is told of again to the queue. */
  readonly stuckAfterMs: number;
  /** Checks of vaults in flight. */
  readonly checkConcurrency: number;
  /** Up to so many data keys unwrapped in an hour are unusual for no company. */
  readonly unusualKeys: number;
}
