// What repeated looks at a customer's vault say about it. Pure. Never mixes up `unreachable` and `revoked`: only a clear no about the key in force
// revokes, and a vault that cannot be reached says nothing about rights.
import type { Failure, FailureCode, FailureOwner, Remedy } from './failure.ts';
import type { KeyDates } from './provider.ts';
import { present } from './plain-object.ts';

/**
 * `warning`: works today, and may stop. `waiting-for-azure`: a grant that was just made has not arrived everywhere. `unreachable`: no answer, or one that
 * says nothing about the customer's will. `revoked`: the customer's clear no.
 */
export type VaultState = 'healthy' | 'warning' | 'waiting-for-azure' | 'unreachable' | 'revoked';

export const VAULT_STATES: readonly VaultState[] = [
  'healthy',
  'warning',
  'waiting-for-azure',
  'unreachable',
  'revoked',
];

export const isWell = (state: VaultState): boolean => state === 'healthy' || state === 'warning';

/** The two words of an integration's status; an error is looked at anew by `POST …/check`. */
export const statusOf = (state: VaultState): 'connected' | 'error' => (isWell(state) ? 'connected' : 'error');

/** One version of a key that wraps what is in force. */
export interface KeyVersionInUse extends KeyDates {
  readonly keyId: string;
}

export interface VaultHealth {
  readonly state: VaultState;
  /** When it entered this state. */
  readonly since: string;
  /** The look that is written here: the last one that showed something new. */
  readonly checkedAt: string;
  readonly lastGoodAt?: string;
  /** Why it is not healthy, and who has to act. */
  readonly code?: FailureCode;
  readonly owner?: FailureOwner;
  readonly message?: string;
  readonly cause?: string;
  readonly remedy?: Remedy;
  /** How often a denial was seen that counts only once it was confirmed; 0 otherwise. */
  readonly sightings: number;
  /** Works today, and may stop: an expiry, a missing purge protection. */
  readonly warnings: readonly FailureCode[];
  /** As the last look that could read them found them. */
  readonly keyVersions: readonly KeyVersionInUse[];
}

export type Look = {
  readonly warnings: readonly Failure[];
  /** Those that could be read. */
  readonly keyVersions?: readonly KeyVersionInUse[];
  /** They were not read this time: what they warned of stays. */
  readonly isUnread?: true;
} & ({ readonly outcome: 'good' } | { readonly outcome: 'failed'; readonly failure: Failure });

/** A denial that may be an accident is looked at again after so long, by a scheduled message. */
export const CONFIRM_AFTER_MS = 30_000;
/** Looks that are nearer to each other count as one. Messages and clocks may be a little early. */
const APART_MS = 25_000;
/** Seen once and confirmed twice. */
const SIGHTINGS = 3;

export function afterLook(before: VaultHealth | undefined, look: Look, now: Date): VaultHealth {
  const checkedAt = now.toISOString();
  if (look.isUnread && before && look.outcome === 'good' && isWell(before.state))
    return { ...before, checkedAt, lastGoodAt: checkedAt };
  const sightings = look.outcome === 'failed' ? sightingsOf(before, look.failure, now) : 0;
  const state = stateOf(look, sightings);
  const told = look.outcome === 'failed' ? look.failure : look.warnings[0];
  const { code, owner, message, cause, remedy } = told ?? {};
  const lastGoodAt = look.outcome === 'good' ? checkedAt : before?.lastGoodAt;
  return {
    state,
    since: before?.state === state ? before.since : checkedAt,
    checkedAt,
    sightings,
    warnings: look.warnings.map((warning) => warning.code),
    keyVersions: look.keyVersions ?? before?.keyVersions ?? [],
    ...present({ lastGoodAt, code, owner, message, cause, remedy }),
  };
}

function stateOf(look: Look, sightings: number): VaultState {
  if (look.outcome === 'good') return look.warnings.length === 0 ? 'healthy' : 'warning';
  const { failure } = look;
  if (failure.kind === 'propagating') return 'waiting-for-azure';
  const isRevoked = mayRevoke(failure) && (failure.revokes === 'at-once' || sightings >= SIGHTINGS);
  return isRevoked ? 'revoked' : 'unreachable';
}

/** A denial that the vendor must mend is not the company's no. */
const mayRevoke = ({ kind, owner, revokes }: Failure): boolean =>
  kind === 'denied' && owner !== 'vendor' && revokes !== undefined;

/**
 * A name that does not resolve may be a DNS hiccup, or hidden by the vendor's own network. So it counts only where DNS, or an answer of the vault, says
 * that it is gone.
 */
const mustBeConfirmed = (failure: Failure): boolean =>
  mayRevoke(failure) &&
  failure.revokes === 'once-seen-gone' &&
  (failure.facts.nameGone === true || failure.service?.status === 404);

function sightingsOf(before: VaultHealth | undefined, failure: Failure, now: Date): number {
  if (!mustBeConfirmed(failure)) return 0;
  if (before?.code !== failure.code || before.sightings === 0) return 1;
  if (before.sightings >= SIGHTINGS) return before.sightings;
  const apartMs = now.getTime() - Date.parse(before.checkedAt);
  return apartMs >= APART_MS ? before.sightings + 1 : before.sightings;
}

/** Whether a look has to be repeated after CONFIRM_AFTER_MS. */
export const awaitsConfirmation = ({ state, sightings }: VaultHealth): boolean =>
  state === 'unreachable' && sightings > 0;

/** Whether the state or its reason changed: only then is it worth a line of history. */
export const isNews = (before: VaultHealth | undefined, after: VaultHealth): boolean =>
  before?.state !== after.state || before.code !== after.code;

/** Whether there is anything to write. What only tells when is not, nor is the same reason that is worded anew. */
export const hasChanged = (before: VaultHealth | undefined, after: VaultHealth): boolean =>
  isNews(before, after) ||
  before?.sightings !== after.sightings ||
  JSON.stringify(toldBy(before)) !== JSON.stringify(toldBy(after));

/** The row is not sealed, and admins run the commands in it: what to do is never left as others have put it there. */
const toldBy = ({ code, warnings, keyVersions, owner, message, cause, remedy }: VaultHealth): readonly unknown[] => [
  warnings,
  keyVersions,
  owner,
  remedy,
  ...(code === undefined ? [message, cause] : []),
];
