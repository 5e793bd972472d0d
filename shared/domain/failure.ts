// How a provider, a directory or the input says no: one stable code each. Pure. Each area (a provider's folder, identity, failures.ts here) declares
// its codes with kinds, owners and words, and makes its failures by a catalogue of them (failure-catalogue.ts).

/**
 * `input`: nothing was sent anywhere. `transient`: may pass by itself, never counts as revoked. `propagating`: a recent
 * grant may not have arrived. `denied`: the vault or its directory says no. `warning`: works today. `integrity`: a security
 * event, never a revocation.
 */
export type FailureKind = 'input' | 'transient' | 'propagating' | 'denied' | 'warning' | 'integrity';

/** Who has to act. Areas declare further administrators. */
export interface FailureOwners {
  readonly 'company-admin': true;
  readonly vendor: true;
}
export type FailureOwner = keyof FailureOwners;

/** The entries of every area, by its name. Each area adds its own to this interface, so a code that none declares does not compile. */
export interface FailureAreas {
  /** Without codes: the areas add to this by declaration merging, since the domain imports none of them. */
  readonly none: object;
}
export type FailureCode = { [Area in keyof FailureAreas]: keyof FailureAreas[Area] }[keyof FailureAreas];

/** Real names to fill into words and commands. An unknown one is left out, never invented. Areas add facts of their own. */
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
  /** What is wrong in the input, or the value found where another was expected. */
  readonly detail?: string;
  /** The two values to use instead, when a whole key URL was pasted. */
  readonly suggestedVaultUri?: string;
  readonly suggestedKeyName?: string;
  /** A second DNS server does not know the vault's name either: it is gone, not just hidden from us. */
  readonly nameGone?: boolean;
  /** Which key in the vendor's own vault: the company need not act. */
  readonly ownVault?: 'company-keys' | 'seal-key';
  /** The key is in a hardware security module; a key that replaces it must be too. */
  readonly isHsm?: boolean;
  /** The key was read before, so "not found" means deleted. */
  readonly keySeen?: boolean;
  /** Another key has this name now: the old one was purged. */
  readonly keyReplaced?: boolean;
  /** The version in question: a wrap may need an older one than the newest. */
  readonly keyVersion?: string;
  /** A keyring or an unfinished switch depends on the key: the input was not typed just now and cannot be entered again. */
  readonly inUse?: boolean;
  /** Only an unfinished switch depends on it. */
  readonly onlyInSwitch?: boolean;
  /** The first green test of the connection claims its key, and nothing else does. */
  readonly isClaimedByTest?: boolean;
}

/** What to do. Areas add commands for their own tools. */
export interface Remedy {
  readonly text: string;
  readonly portal?: string;
}

/**
 * For a denial that is the customer's clear no about the key in force: it revokes `at-once`, or `once-seen-gone`, when a second look confirms it and
 * the name is certainly gone. No other failure revokes.
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
  /** Explained only by tampering, or by an attempt on another company's key: recorded as a security event wherever it occurs. */
  readonly isTampering?: true;
  /** What the service answered, for the log and the vendor's operators; the company sees only the correlation id. */
  readonly service?: {
    readonly status?: number;
    readonly code?: string;
    readonly message?: string;
    readonly correlationId?: string;
    /** As it asked by Retry-After. */
    readonly retryAfterSeconds?: number;
  };
  /** For `propagating`: when it becomes a denial, ISO 8601. */
  readonly becomesDeniedAt?: string;
}

export interface FailureWords {
  /** One sentence. */
  readonly message: string;
  readonly cause: string;
  readonly remedy: Remedy;
  /** If the facts make someone else responsible. */
  readonly owner?: FailureOwner;
}

/** What an area declares of one code. */
export interface FailureEntry {
  /** The kind until an operation knows more: a fresh grant makes a denial `propagating`, a key in force makes it a `warning`. */
  readonly kind: FailureKind;
  readonly owner: FailureOwner;
  readonly revokes?: Revocation;
  readonly isTampering?: true;
  /** Words filled with the known names. A command that needs an unknown name is left out. */
  readonly words: (facts: FailureFacts) => FailureWords;
}

/** True if the same call may succeed later without any action. */
export function mayPass(failure: Failure): boolean {
  return failure.kind === 'transient' || failure.kind === 'propagating';
}

/** True if the way to the vault failed, and the vault said nothing: neither a denial, nor one that is excused, nor a security event. */
export const isOutage = ({ kind }: Failure): boolean => kind === 'transient';

/** True if one sight of it is enough to know that the customer said no. A denial that the vendor must mend is not the company's no. */
export const isRevocation = ({ kind, owner, revokes }: Failure): boolean =>
  kind === 'denied' && owner !== 'vendor' && revokes === 'at-once';

/** The same failure while the missing grant may still be on its way. */
export const asPropagating = (denial: Failure, becomesDeniedAt: string): Failure => ({
  ...denial,
  kind: 'propagating',
  becomesDeniedAt,
});

/** The same failure about a key that still works: an expired key still unwraps. */
export const asWarning = (denial: Failure): Failure => ({ ...denial, kind: 'warning' });

/** The same failure where a policy turns the warning into a refusal. */
export const asDenial = (warning: Failure): Failure => ({ ...warning, kind: 'denied' });
