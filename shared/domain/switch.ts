// The switch of a keyring from one provider to another, and the re-key under the same one. Pure: decides, and writes nothing.
import type { Seal } from './company-key.ts';
import type { Failure } from './failure.ts';
import type { ProviderRef } from './provider.ts';
import type { Direction } from './shard.ts';
import type { TenantRef } from './tenant.ts';

export interface SwitchPlace {
  readonly companyId: string;
  readonly keyringId: string;
  readonly switchId: string;
}

export type SwitchState =
  'pending-verification' | 'preparing' | 're-protecting' | 'rolling-back' | 'completed' | 'cancelled';

/** Why a switch waits for an admin's decision. Beside the state: it changes no generation. */
export type Blocked =
  | {
      readonly reason: 'provider';
      readonly since: string;
      readonly side: 'source' | 'target';
      readonly failure: Failure;
    }
  /** A shard's counts show that a pass has missed rows; the failure holds the numbers. */
  | { readonly reason: 'counts-differ'; readonly since: string; readonly failure: Failure }
  /** All rows are done, but the old company key does not open and so cannot be kept: a retry ends the switch without keeping it. */
  | {
      readonly reason: 'key-not-kept';
      readonly since: string;
      readonly side: 'source' | 'target';
      readonly failure: Failure;
    }
  | { readonly reason: 'dead-letter'; readonly since: string; readonly detail: string };

/** A failure that may pass by itself and keeps the switch waiting. */
export interface Trouble {
  readonly since: string;
  readonly failure: Failure;
  readonly side?: 'source' | 'target';
  /** The shard whose worker met it; absent if it was met at the beginning or the end of the switch. */
  readonly shard?: number;
  /** Absent if the timer makes the next attempt. */
  readonly nextTryAt?: string;
}

export interface Switch {
  readonly switchId: string;
  readonly keyringId: string;
  /** A re-key is a switch under the same provider. */
  readonly kind: 'switch' | 'rekey';
  readonly state: SwitchState;
  readonly source: ProviderRef;
  readonly target: ProviderRef;
  /** The lower and the higher of the two company-key versions; the higher is 0 until it is reserved. */
  readonly fromVersion: number;
  readonly toVersion: number;
  /** Of the last turn; 0 before the first. */
  readonly generation: number;
  readonly paused: boolean;
  readonly blocked?: Blocked;
  readonly trouble?: Trouble;
  /** An admin chose to go on although the vault in force denies: workers then use the other wrap. */
  readonly denialAccepted: boolean;
  /** An admin chose to end it although the old company key cannot be kept. Void after a new turn. */
  readonly endsWithoutKeeping?: true;
  /** The vendor ordered it: its vault is not asked before an admin of the company confirms. */
  readonly awaitsConfirmation?: true;
  /** Tenants that were removed from the company after the order: they must still agree. */
  readonly removedTenants?: readonly TenantRef[];
  readonly requestedBy: string;
  readonly createdAt: string;
  /** When the present direction began: progress and rate count from here. */
  readonly turnedAt?: string;
  /** Rows already at their target when the present direction began. */
  readonly doneAtTurn?: number;
  /** The worker that has claimed the switch's end, so that others need not ask the vault too; void after `until`. */
  readonly lease?: { readonly worker: string; readonly until: string };
  readonly endedAt?: string;
  /** Counts of the shards at its end, since they change afterwards. */
  readonly finalCounts?: { readonly total: number; readonly quarantined: number; readonly lost: number };
  /** Over what was ordered, by whom, and what lets it go on. */
  readonly seal: Seal;
}

export const isEnded = (state: SwitchState): boolean => state === 'completed' || state === 'cancelled';

/** True while it cannot go forward before an admin of its company confirms it. */
export const awaitsItsAdmin = (sw: Switch): boolean =>
  sw.awaitsConfirmation === true && sw.state !== 'rolling-back' && !isEnded(sw.state);

/** True while workers may move rows for it. */
export function isRunning(sw: Switch): boolean {
  return (sw.state === 're-protecting' || sw.state === 'rolling-back') && !sw.paused && sw.blocked === undefined;
}

const directionOf = (sw: Switch): Direction => (sw.state === 'rolling-back' ? 'back' : 'forward');

/** The versions that rows are moved from and to, in the present direction. */
export function versionsOf(sw: Switch): { fromVersion: number; writeVersion: number } {
  return directionOf(sw) === 'forward'
    ? { fromVersion: sw.fromVersion, writeVersion: sw.toVersion }
    : { fromVersion: sw.toVersion, writeVersion: sw.fromVersion };
}

export const turnOf = (
  sw: Switch,
): { generation: number; direction: Direction; fromVersion: number; writeVersion: number } => ({
  generation: sw.generation,
  direction: directionOf(sw),
  ...versionsOf(sw),
});

/** For a switch that has gone on, or now waits for a decision. */
export function withoutTrouble(sw: Switch): Switch {
  const { trouble: _over, ...rest } = sw;
  return rest;
}

/** A switch without what it waits for and without a lease on its end, for an admin's decision. */
export function released(sw: Switch): Switch {
  const { blocked: _blocked, lease: _lease, trouble: _trouble, ...rest } = sw;
  return rest;
}
