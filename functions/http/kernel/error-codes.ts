// Every code of an error but those of failures (shared/domain/failure.ts): its status, and when it is given. The one source of what is answered
// (errors.ts) and of what is described (openapi/operation-codes.ts). Codes are public API.
import type { ResourceKind, StateCode } from '../../../shared/domain/refusal.ts';

interface Entry {
  readonly status: number;
  readonly when: string;
}

const missing = (what: string): Entry => ({
  status: 404,
  when: `There is no such ${what}, or the caller may not know of it.`,
});
const exists = (what: string): Entry => ({
  status: 409,
  when: `There is a ${what} of this id already, and it is another one.`,
});
const state = (when: string): Entry => ({ status: 409, when });

const OF_RESOURCES = {
  'company-not-found': missing('company'),
  'keyring-not-found': missing('keyring'),
  'connection-not-found': missing('connection'),
  'tenant-not-found': missing('tenant'),
  'switch-not-found': missing('switch'),
  'data-key-not-found': missing('data key'),
  'vault-claim-not-found': missing('claim of a vault key'),
  'webhook-not-found': missing('webhook'),
  'event-not-found': missing('event'),
  'company-exists': exists('company'),
  'keyring-exists': exists('keyring'),
  'connection-exists': exists('connection'),
  'tenant-exists': exists('tenant'),
  'switch-exists': exists('switch'),
  'data-key-exists': exists('data key'),
  'vault-claim-exists': exists('claim of a vault key'),
  'webhook-exists': exists('webhook'),
  'event-exists': exists('event'),
} as const satisfies Record<`${ResourceKind}-${'not-found' | 'exists'}`, Entry>;

const OF_STATES = {
  'company-has-data-keys': state('Data keys of the company are in use.'),
  'company-has-restorable-data-keys': state('Deleted data keys can still be restored; the message says until when.'),
  'company-closing': state('The company is being deleted.'),
  'policy-forbids': state('The policy of the company itself forbids it.'),
  'feature-not-enabled': state('The vendor has not enabled this feature for the company.'),
  'keyring-not-ready': state('The keyring is being made: put it again.'),
  'keyring-full': state('The keyring holds as many data keys as it can.'),
  'connection-in-use': state('A keyring or an unfinished switch depends on the connection.'),
  'connection-not-tested': state('The connection was not tested yet: test it first.'),
  'connection-test-failed': state('The last test of the connection failed: test it again.'),
  'connection-not-in-force': state('No keyring is under this connection.'),
  'consent-not-needed': state('A connection of this kind is let in by other means than consent.'),
  'vault-claim-in-use': state('A keyring or an unfinished switch depends on the vault key.'),
  'same-vault-key': state('The keyring is under this key already.'),
  'too-many-tenants': state('The company has as many tenants as it can.'),
  'destination-changed': state('What was approved is no longer what would be done.'),
  'nothing-to-verify': state('There is nothing that this tenant could approve.'),
  'switch-ended': state('The switch has ended.'),
  'switch-not-running': state('The switch is not moving data keys.'),
  'switch-not-blocked': state('Nothing blocks the switch.'),
  'data-key-quarantined': state('The data key waits for a decision.'),
  'data-key-not-quarantined': state('The data key waits for no decision.'),
  'data-key-not-deleted': state('The data key is not deleted.'),
  'data-key-lost': state('The data key was given up.'),
  'data-key-opens': state('A company key opens the data key: it is not lost.'),
  'provider-revoked': state('The vault in force denies: nothing can be moved away from it until access is given back.'),
  'reprotections-exhausted': state('The keyring was moved as often as it can be.'),
  'company-key-changed': state('A switch has ended since the first page: begin anew.'),
  'tenants-unverified': state('Not every tenant has approved.'),
  'recipient-not-approved': state('The tenants approved an export for another recipient.'),
  'timer-running': state('A turn of the timer is under way.'),
  'too-many-webhooks': state('There are as many webhooks as there can be: delete one first.'),
} as const satisfies Record<StateCode, Entry>;

const OF_THE_EDGE = {
  'invalid-request': { status: 400, when: '`details` name every fault.' },
  'malformed-json': { status: 400, when: 'The body is not JSON in UTF-8.' },
  unauthenticated: { status: 401, when: 'No token, or one that is refused; WWW-Authenticate says why.' },
  forbidden: { status: 403, when: 'The token carries none of the roles that this takes.' },
  'token-confined': {
    status: 403,
    when: 'The token is confined to some companies or keyrings, and this concerns more than these.',
  },
  'confinement-required': {
    status: 403,
    when: 'With this role a token must name the companies that it is for, and this one names none.',
  },
  'confinement-unreadable': {
    status: 403,
    when: 'What the token says of the companies that it is for is not `company` or `company/keyring`, or is too much.',
  },
  'company-admin-only': { status: 403, when: 'Only an admin of the company itself may do this.' },
  'vendor-admin-only': { status: 403, when: 'Only an admin of the vendor may do this.' },
  'route-not-found': { status: 404, when: 'There is nothing at this path.' },
  'method-not-allowed': { status: 405, when: 'The path knows other methods; Allow names them.' },
  'body-incomplete': { status: 408, when: 'The body did not arrive whole within thirty seconds; nothing was done.' },
  'switch-in-progress': { status: 409, when: 'A switch of the keyring is not finished.' },
  'idempotency-key-reused': { status: 409, when: 'The Idempotency-Key came with another request before.' },
  'company-closed': { status: 410, when: 'The company was deleted; its id is never used again.' },
  'precondition-failed': { status: 412, when: 'If-Match or If-None-Match did not hold.' },
  'body-too-large': { status: 413, when: 'The body is larger than 1 MiB, or a form than 16 KiB.' },
  'unsupported-media-type': { status: 415, when: 'The body is not of the described media type, or is compressed.' },
  'too-many-requests': {
    status: 429,
    when: 'The company makes too many of these calls in this minute, or asks for too many data keys just now.',
  },
  'internal-error': { status: 500, when: 'A fault of Keyswitch; the log names it by x-ms-request-id.' },
  busy: { status: 503, when: 'Too many callers write here at once; nothing was done.' },
  overloaded: { status: 503, when: 'More calls wait than can be answered in time; nothing was done.' },
  'store-unavailable': { status: 503, when: 'The store does not answer.' },
  'not-ready': { status: 503, when: 'It cannot work now.' },
  'timer-late': { status: 503, when: 'A timer is late: callers are served, but work that is due is not done.' },
  'identity-provider-unavailable': { status: 503, when: 'The keys that tokens are checked with cannot be had.' },
} as const satisfies Record<string, Entry>;

export const ERROR_CODES = { ...OF_THE_EDGE, ...OF_RESOURCES, ...OF_STATES } as const;
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether every code of this status may pass: such an answer carries Retry-After. */
export const isTransient = (status: number): boolean => status === 408 || status === 429 || status === 503;
