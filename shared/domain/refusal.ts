// Why an operation did not do what its caller asked: one tagged union with its facts. Pure. The edge decides in one place what the caller sees of it
// (functions/http/kernel/errors.ts).
import type { Failure } from './failure.ts';

export type Refusal =
  | { readonly type: 'not-found'; readonly what: ResourceKind; readonly id: string }
  | {
      readonly type: 'already-exists';
      readonly what: ResourceKind;
      readonly id: string;
      /** What to do, in a sentence. */
      readonly remedy?: string;
    }
  /** `If-Match` or `If-None-Match` did not hold. */
  | { readonly type: 'precondition-failed'; readonly what: ResourceKind; readonly id: string }
  | { readonly type: 'invalid'; readonly target: string; readonly message: string }
  | { readonly type: 'switch-in-progress'; readonly switchId: string }
  /** The resource's state does not allow this. `code` is public API. */
  | { readonly type: 'state'; readonly code: StateCode; readonly message: string }
  /** The company was deleted, and its id is never used again. */
  | { readonly type: 'company-closed'; readonly companyId: string }
  /** The vendor asked for what only an admin of the company itself may do. */
  | { readonly type: 'company-admin-only'; readonly companyId: string; readonly message: string }
  /** The company asked for what only an admin of the vendor may do. */
  | { readonly type: 'vendor-admin-only'; readonly companyId: string; readonly message: string }
  | { readonly type: 'idempotency-mismatch' }
  /** A provider, a directory or the input refused. */
  | { readonly type: 'failure'; readonly failure: Failure; readonly target?: string }
  /** The company made too many of these calls in this minute. */
  | { readonly type: 'limited'; readonly retryAfterSeconds: number }
  /** The company asks for more data keys a second than it may: nothing was done. */
  | { readonly type: 'over-rate'; readonly retryAfterSeconds: number }
  /** Lost too many races in a row, or our own store is throttled: nothing was done, ask again. */
  | { readonly type: 'busy'; readonly retryAfterSeconds: number }
  /** The app had no room for the call in time: nothing was begun, ask again. */
  | { readonly type: 'overloaded'; readonly retryAfterSeconds: number };

export type ResourceKind =
  'company' | 'keyring' | 'connection' | 'tenant' | 'switch' | 'data-key' | 'vault-claim' | 'webhook' | 'event';

export type StateCode =
  | 'company-has-data-keys'
  | 'company-has-restorable-data-keys'
  | 'company-closing'
  | 'feature-not-enabled'
  | 'policy-forbids'
  | 'keyring-not-ready'
  | 'keyring-full'
  | 'connection-in-use'
  | 'connection-not-tested'
  | 'connection-test-failed'
  | 'connection-not-in-force'
  | 'consent-not-needed'
  | 'vault-claim-in-use'
  | 'same-vault-key'
  | 'too-many-tenants'
  | 'destination-changed'
  | 'nothing-to-verify'
  | 'switch-ended'
  | 'switch-not-running'
  | 'switch-not-blocked'
  | 'data-key-quarantined'
  | 'data-key-not-quarantined'
  | 'data-key-not-deleted'
  | 'data-key-lost'
  | 'data-key-opens'
  | 'provider-revoked'
  | 'reprotections-exhausted'
  | 'company-key-changed'
  | 'tenants-unverified'
  | 'recipient-not-approved'
  | 'timer-running'
  | 'too-many-webhooks';

/** For any change to a company that is being deleted. */
export const COMPANY_CLOSING: Refusal = {
  type: 'state',
  code: 'company-closing',
  message: 'The company is being deleted.',
};

export const notFound = (what: ResourceKind, id: string): Refusal => ({ type: 'not-found', what, id });
export const refusedBy = (failure: Failure): Refusal => ({ type: 'failure', failure });
