// What a caller is told when something is refused: the one exhaustive switch from refusals to statuses and codes. Pure.
// Codes are public API.
import type { Failure } from '../../../shared/domain/failure.ts';
import type { Refusal, ResourceKind } from '../../../shared/domain/refusal.ts';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { publicFailure, type PublicFailure } from './schemas/failures.ts';
import { claimOf, type Role } from './roles.ts';
import type { Detail } from './validation.ts';

export type MediaType = 'application/json' | 'application/x-www-form-urlencoded';

/** What the edge itself refuses, before any operation is asked. */
export type EdgeRefusal =
  | { readonly type: 'unauthenticated'; readonly reason?: string }
  | { readonly type: 'forbidden'; readonly roles: readonly Role[] }
  /** Exactly the answer for a company that does not exist; so of a keyring. */
  | { readonly type: 'unknown-company'; readonly companyId: string }
  | { readonly type: 'unknown-keyring'; readonly keyringId: string }
  | { readonly type: 'token-confined' | 'confinement-required' | 'confinement-unreadable' }
  | { readonly type: 'invalid-request'; readonly details: readonly Detail[] }
  | { readonly type: 'malformed-json' }
  | { readonly type: 'body-too-large'; readonly maxBytes: number }
  /** The body did not arrive whole in time, or the caller closed the connection and gets no answer. */
  | { readonly type: 'body-incomplete' }
  | { readonly type: 'unsupported-media-type'; readonly wanted: MediaType }
  | { readonly type: 'encoded-body' }
  | { readonly type: 'no-such-route' }
  | { readonly type: 'method-not-allowed'; readonly allowed: readonly string[] }
  | { readonly type: 'identity-provider-unavailable' }
  | { readonly type: 'store-unavailable' }
  /** The answer to a probe without a token: it does not say why. */
  | { readonly type: 'not-ready' }
  | { readonly type: 'timer-late' }
  /** A bug: nothing of the inside is shown, only the request id by which the log names it. */
  | { readonly type: 'internal-error'; readonly requestId: string };

export interface ErrorBody {
  readonly error: Partial<Omit<PublicFailure, 'code' | 'message'>> & {
    readonly code: string;
    readonly message: string;
    readonly target?: string;
    readonly details?: readonly Detail[];
  };
}

export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

const STORE_RETRY_SECONDS = 5;
const PROVIDER_RETRY_SECONDS = 15;
const PROPAGATION_RETRY_SECONDS = 30;

interface Extra {
  readonly target?: string;
  readonly details?: readonly Detail[];
  readonly headers?: Readonly<Record<string, string>>;
}

const answer = (code: ErrorCode, message: string, extra: Extra = {}): ErrorAnswer => {
  const { headers = {}, ...shown } = extra;
  const { status } = ERROR_CODES[code];
  return { status, headers: { 'x-ms-error-code': code, ...headers }, body: { error: { code, message, ...shown } } };
};

const retryAfter = (seconds: number): Readonly<Record<string, string>> => ({
  'Retry-After': String(Math.max(1, Math.ceil(seconds))),
});

export function refusalToResponse(
  refusal: Refusal | EdgeRefusal,
  audience: { readonly isVendorAdmin: boolean },
): ErrorAnswer {
  switch (refusal.type) {
    case 'unauthenticated':
      return unauthenticated(refusal.reason);
    case 'forbidden':
      return answer('forbidden', `This takes one of the roles ${refusal.roles.map(claimOf).join(', ')}.`);
    case 'unknown-company':
      return missing('company', refusal.companyId);
    case 'unknown-keyring':
      return missing('keyring', refusal.keyringId);
    case 'token-confined':
    case 'confinement-required':
    case 'confinement-unreadable':
      return answer(refusal.type, ERROR_CODES[refusal.type].when);
    case 'not-found':
      return missing(refusal.what, refusal.id);
    case 'invalid-request':
      return answer('invalid-request', 'The request is not valid; details name every fault.', {
        details: refusal.details,
      });
    case 'invalid': {
      const target = placeOf(refusal.target);
      const details = [{ code: 'invalid-value', target, message: refusal.message } as const];
      return answer('invalid-request', refusal.message, { target, details });
    }
    case 'malformed-json':
      return answer('malformed-json', 'The body is not JSON in UTF-8.', { target: 'body' });
    case 'body-too-large':
      return answer('body-too-large', `The body is larger than ${inBytes(refusal.maxBytes)}.`, { target: 'body' });
    case 'body-incomplete':
      return answer('body-incomplete', 'The body did not arrive whole in time.', {
        target: 'body',
        headers: retryAfter(1),
      });
    case 'unsupported-media-type':
      return answer('unsupported-media-type', `The body must be ${refusal.wanted} in UTF-8.`, {
        target: 'header.Content-Type',
      });
    case 'encoded-body':
      return answer('unsupported-media-type', 'The body must come as it is, without a Content-Encoding.', {
        target: 'header.Content-Encoding',
        headers: { 'Accept-Encoding': 'identity' },
      });
    case 'no-such-route':
      return answer('route-not-found', 'There is nothing at this path.');
    case 'method-not-allowed':
      return answer('method-not-allowed', `This path knows ${refusal.allowed.join(', ')} only.`, {
        headers: { Allow: refusal.allowed.join(', ') },
      });
    case 'already-exists':
      return answer(`${refusal.what}-exists`, thereIs(refusal));
    case 'precondition-failed':
      return answer(
        'precondition-failed',
        `The ${inWords(refusal.what)} '${refusal.id}' is not as If-Match or If-None-Match ask.`,
      );
    case 'switch-in-progress':
      return answer('switch-in-progress', `The switch '${refusal.switchId}' is not finished.`, {
        target: refusal.switchId,
      });
    case 'state':
      return answer(refusal.code, refusal.message);
    case 'company-closed': {
      const message = `The company '${refusal.companyId}' was deleted. An id is never used again: choose another one.`;
      return answer('company-closed', message);
    }
    case 'company-admin-only':
    case 'vendor-admin-only':
      return answer(refusal.type, refusal.message);
    case 'idempotency-mismatch':
      return answer('idempotency-key-reused', 'This Idempotency-Key came with another request before.', {
        target: 'header.Idempotency-Key',
      });
    case 'failure':
      return ofFailure(refusal.failure, refusal.target === undefined ? undefined : placeOf(refusal.target), audience);
    case 'over-rate':
    case 'limited':
      return answer('too-many-requests', IN_WORDS[refusal.type], { headers: retryAfter(refusal.retryAfterSeconds) });
    case 'busy':
    case 'overloaded':
      return answer(refusal.type, IN_WORDS[refusal.type], { headers: retryAfter(refusal.retryAfterSeconds) });
    case 'store-unavailable':
      return answer('store-unavailable', 'The store of Keyswitch does not answer; ask again.', {
        headers: retryAfter(STORE_RETRY_SECONDS),
      });
    case 'not-ready':
      return answer('not-ready', 'Keyswitch cannot work now; ask again.', {
        headers: retryAfter(STORE_RETRY_SECONDS),
      });
    case 'timer-late':
      return answer('timer-late', 'A timer of Keyswitch is late: work that is due is not done.', {
        headers: retryAfter(STORE_RETRY_SECONDS),
      });
    case 'identity-provider-unavailable':
      return answer(refusal.type, 'The keys that tokens are checked with cannot be had; ask again.', {
        headers: retryAfter(STORE_RETRY_SECONDS),
      });
    case 'internal-error':
      return answer('internal-error', `Something went wrong here; the log names it by ${refusal.requestId}.`);
  }
}

/** What may be asked for again later. */
const IN_WORDS = {
  busy: 'Too many callers write here at once; nothing was done.',
  overloaded: 'More calls wait here than can be answered in time; nothing was done.',
  'over-rate': 'The company asks for more data keys than it may just now; nothing was done.',
  limited: 'Too many of these calls in this minute.',
} as const;

/** Operations name their own inputs; callers know them by where they sent them. */
const PLACES: Readonly<Record<string, string>> = {
  continuation: 'query.skiptoken',
  limit: 'query.maxpagesize',
  keyringId: 'path.keyringId',
  'Idempotency-Key': 'header.Idempotency-Key',
};

function placeOf(target: string): string {
  const place = PLACES[target] ?? target.replace(/\[(\d+)\]/g, '.$1');
  return /^(body|path|query|header)\./.test(place) ? place : `body.${place}`;
}

const KIB = 1_024;

const inBytes = (bytes: number): string => (bytes >= KIB * KIB ? `${bytes / KIB / KIB} MiB` : `${bytes / KIB} KiB`);

const inWords = (what: ResourceKind): string => what.replace('-', ' ');
const thereIs = ({ what, id, remedy }: Extract<Refusal, { readonly type: 'already-exists' }>): string =>
  `There is a ${inWords(what)} '${id}' already.${remedy === undefined ? '' : ` ${remedy}`}`;
const missing = (what: ResourceKind, id: string): ErrorAnswer =>
  answer(`${what}-not-found`, `There is no ${inWords(what)} '${id.slice(0, 128)}'.`);

/** RFC 6750, 3.1: no error code when no token came at all. */
function unauthenticated(reason: string | undefined): ErrorAnswer {
  const challenge =
    reason === undefined
      ? 'Bearer realm="keyswitch"'
      : `Bearer realm="keyswitch", error="invalid_token", error_description="${reason}"`;
  const message = reason === undefined ? 'A bearer token is required.' : `The token is refused: ${reason}.`;
  return answer('unauthenticated', message, { headers: { 'WWW-Authenticate': challenge } });
}

function ofFailure(
  failure: Failure,
  target: string | undefined,
  audience: { readonly isVendorAdmin: boolean },
): ErrorAnswer {
  const { status, headers } = statusOf(failure);
  const shown = publicFailure(failure, audience);
  return {
    status,
    headers: { 'x-ms-error-code': failure.code, ...headers },
    body: { error: { ...shown, ...(target === undefined ? {} : { target }) } },
  };
}

/** A vault's denial is a state of the company's resource, not a lack of the caller's rights: 409, never 403. */
export const STATUS_OF_KIND = {
  input: 400,
  transient: 503,
  propagating: 409,
  denied: 409,
  warning: 409,
  integrity: 409,
} as const satisfies Readonly<Record<Failure['kind'], number>>;

const WAIT_SECONDS: Readonly<Partial<Record<Failure['kind'], number>>> = {
  transient: PROVIDER_RETRY_SECONDS,
  propagating: PROPAGATION_RETRY_SECONDS,
};

function statusOf({ kind }: Failure): { status: number; headers: Readonly<Record<string, string>> } {
  const seconds = WAIT_SECONDS[kind];
  return { status: STATUS_OF_KIND[kind], headers: seconds === undefined ? {} : retryAfter(seconds) };
}
