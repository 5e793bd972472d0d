// What a provider, Entra or the input can answer but yes. One stable code each; the catalogue (failure-catalogue.ts)
// gives every code its kind, owner and words. Pure.

/**
 * `input`: nothing was sent anywhere. `transient`: may pass by itself, never counts as revoked. `propagating`: a recent
 * grant may not have arrived. `denied`: the vault or Entra says no. `warning`: works today. `integrity`: a security
 * event, never a revocation.
 */
export type FailureKind = 'input' | 'transient' | 'propagating' | 'denied' | 'warning' | 'integrity';

/** Whose move it is. */
export type FailureOwner = 'company-admin' | 'azure-admin' | 'vendor';

export const FAILURE_CODES = [
  'vault-uri-contains-key-path',
  'vault-uri-is-secret',
  'vault-uri-invalid',
  'vault-host-not-allowed',
  'key-name-invalid',
  'vault-not-found',
  'vault-unreachable',
  'throttled',
  'vault-firewall',
  'vault-private-only',
  'vault-perimeter',
  'access-denied-rbac',
  'access-denied-policy',
  'key-not-found',
  'key-disabled',
  'key-expired',
  'key-not-yet-valid',
  'key-purgeable',
  'key-type-unsupported',
  'key-too-small',
  'key-operation-not-permitted',
  'vault-key-in-use',
  'row-forged',
  'key-substituted',
  'counts-differ',
  'consent-required',
  'consent-declined',
  'admin-role-missing',
  'wids-not-emitted',
  'auth-time-not-emitted',
  'wrong-entra-tenant',
  'entra-tenant-not-found',
  'entra-tenant-blocked',
  'entra-resource-disabled',
  'federation-mismatch',
  'client-secret-wrong',
  'client-secret-expired',
  'blocked-by-conditional-access',
  'entra-unreachable',
  'entra-throttled',
  'google-not-super-admin',
  'google-wrong-domain',
  'google-domain-unproved',
  'google-workspace-changed',
  'google-not-configured',
  'google-unreachable',
  'google-error',
  'link-unknown',
  'link-expired',
  'link-done',
  'cross-site-request',
  'sign-in-unknown',
  'sign-in-used',
  'sign-in-not-fresh',
  'sign-in-expired',
  'sign-in-other-browser',
  'sign-in-wrong-tenant',
  'sign-in-refused',
  'id-token-wrong-audience',
  'id-token-wrong-issuer',
  'id-token-wrong-key',
  'id-token-algorithm',
  'id-token-expired',
  'id-token-from-future',
  'id-token-wrong-nonce',
  'id-token-invalid',
  'managed-identity-unavailable',
  'vault-refused',
  'vault-error',
  'entra-refused',
  'entra-error',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/** The real names that words and commands are filled in with. Anything unknown is left out, never invented. */
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
  /** Of the deny assignment that refused us although a role may be there. */
  readonly denyAssignmentId?: string;
  /** Azure resource id of the vault or key, from the 403's Resource line. */
  readonly resourceId?: string;
  /** Where the person signed in, if not at Microsoft. */
  readonly identityProvider?: 'google';
  /** It was a person's sign-in that was refused and no token of ours: by what the vendor has set up, or by their tenant. */
  readonly signInRefusedBy?: 'vendor' | 'tenant';
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
  /** The key serves to bring other keys into the vault (`import`), and to nothing else: Azure lets it do no more. */
  readonly onlyImports?: boolean;
  /** The key was read before, so "not found" means deleted. */
  readonly keySeen?: boolean;
  /** Another key has its name now, which Azure allows only once the old one was purged. */
  readonly keyReplaced?: boolean;
  /** The version that this is about: what a wrap is opened by may be an older one than the newest. */
  readonly keyVersion?: string;
  /** A keyring or an unfinished switch depends on it: nothing was typed just now, and nothing can be left out or entered anew. */
  readonly inUse?: boolean;
  /** Nothing but a switch that is not finished depends on it. */
  readonly onlyInSwitch?: boolean;
}

export interface Remedy {
  readonly text: string;
  readonly azureCli?: string;
  readonly portal?: string;
}

export interface Failure {
  readonly code: FailureCode;
  readonly kind: FailureKind;
  readonly owner: FailureOwner;
  readonly message: string;
  readonly cause: string;
  readonly remedy: Remedy;
  readonly facts: FailureFacts;
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

/** True if the same call may succeed later without anybody acting. */
export function mayPass(failure: Failure): boolean {
  return failure.kind === 'transient' || failure.kind === 'propagating';
}
