// What a provider, a directory or the input can answer but yes. One stable code each. Pure. Each area (a provider's folder, identity's, failures.ts
// here) declares its codes with their kinds, owners and words, and makes its failures by a catalogue of them (failure-catalogue.ts).

/**
 * `input`: nothing was sent anywhere. `transient`: may pass by itself, never counts as revoked. `propagating`: a recent
 * grant may not have arrived. `denied`: the vault or its directory says no. `warning`: works today. `integrity`: a security
 * event, never a revocation.
 */
export type FailureKind = 'input' | 'transient' | 'propagating' | 'denied' | 'warning' | 'integrity';

/** Whose move it is. Areas declare administrators of their own. */
export interface FailureOwners {
  readonly 'company-admin': true;
  readonly vendor: true;
}
export type FailureOwner = keyof FailureOwners;

/** The entries of every area, by its name: each area adds its own to this interface, so that a code which none declares does not compile. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- areas fill it (declaration merging); the domain imports none of them
export interface FailureAreas {}
export type FailureCode = { [Area in keyof FailureAreas]: keyof FailureAreas[Area] }[keyof FailureAreas];

/** The real names that words and commands are filled in with. Anything unknown is left out, never invented. Areas add what only they know. */
export interface FailureFacts {
  readonly vaultHost?: string;
  readonly keyName?: string;
  readonly tenantId?: string;
  /** Application id of the connector app. */
  readonly appId?: string;
  /** Object id of its service principal in the customer's tenant, from the token's `oid`. */
  readonly principalId?: string;
  /** Our address as the vault sees it. */
  readonly clientAddress?: string;
  /** What in the input is wrong, or the value found where another was expected. */
  readonly detail?: string;
  /** The two values offered when a whole key URL was pasted. */
  readonly suggestedVaultUri?: string;
  readonly suggestedKeyName?: string;
  /** A second question to DNS found nothing of the vault's name either: it is gone, and not only hidden from us. */
  readonly nameGone?: boolean;
  /** It is the vendor's own vault, and which of its keys: nothing about it is the company's move. */
  readonly ownVault?: 'company-keys' | 'seal-key';
  /** The key is kept in a hardware security module: what is made in its place has to be too. */
  readonly isHsm?: boolean;
  /** The key was read before, so "not found" means deleted. */
  readonly keySeen?: boolean;
  /** Another key has its name now: the old one was purged before. */
  readonly keyReplaced?: boolean;
  /** The version that this is about: what a wrap is opened by may be an older one than the newest. */
  readonly keyVersion?: string;
  /** A keyring or an unfinished switch depends on it: nothing was typed just now, and nothing can be left out or entered anew. */
  readonly inUse?: boolean;
  /** Nothing but a switch that is not finished depends on it. */
  readonly onlyInSwitch?: boolean;
}

/** What to do. Areas add the commands of their own tools. */
export interface Remedy {
  readonly text: string;
  readonly portal?: string;
}

/**
 * Of a denial that the customer's clear no about the key in force: `at-once`, or `once-seen-gone`, when a second look says so too and the name is
 * gone for certain. Everything else never revokes.
 */
export type Revocation = 'at-once' | 'once-seen-gone';

export interface Failure<Code extends FailureCode = FailureCode> {
  readonly code: Code;
  readonly kind: FailureKind;
  readonly owner: FailureOwner;
  readonly message: string;
  readonly cause: string;
  readonly remedy: Remedy;
  readonly facts: FailureFacts;
  readonly revokes?: Revocation;
  /** Only tampering explains it, or an attempt on another company's key: a security event is recorded wherever it is met. */
  readonly isTampering?: true;
  /** What the service said, for the log and the vendor's own operators; the company sees only the correlation id. */
  readonly service?: {
    readonly status?: number;
    readonly code?: string;
    readonly message?: string;
    readonly correlationId?: string;
  };
  /** For `propagating`: when it becomes a denial, ISO 8601. */
  readonly becomesDeniedAt?: string;
}

export interface FailureWords {
  /** One sentence. */
  readonly message: string;
  readonly cause: string;
  readonly remedy: Remedy;
  /** Where the facts make it another's move. */
  readonly owner?: FailureOwner;
}

/** What an area declares of one code. */
export interface FailureEntry {
  /** What it is until an operation knows better: a fresh grant makes a denial `propagating`, a key in force a `warning`. */
  readonly kind: FailureKind;
  readonly owner: FailureOwner;
  readonly revokes?: Revocation;
  readonly isTampering?: true;
  /** Fills in the names that are known. A command that would need an unknown name is left out. */
  readonly words: (facts: FailureFacts) => FailureWords;
}

/** True if the same call may succeed later without anybody acting. */
export function mayPass(failure: Failure): boolean {
  return failure.kind === 'transient' || failure.kind === 'propagating';
}

/** The same failure while the grant that it misses may still be on its way. */
export const asPropagating = (denial: Failure, becomesDeniedAt: string): Failure => ({
  ...denial,
  kind: 'propagating',
  becomesDeniedAt,
});

/** The same failure about a key that goes on working: an expired key still unwraps. */
export const asWarning = (denial: Failure): Failure => ({ ...denial, kind: 'warning' });

/** The same failure where a policy makes a refusal of it. */
export const asDenial = (warning: Failure): Failure => ({ ...warning, kind: 'denied' });
