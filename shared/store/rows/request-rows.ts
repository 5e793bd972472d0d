// Rows of calls with an Idempotency-Key, and of when each is forgotten. Pure.
import { bytes, count, oneOf, text } from './cells.ts';
import type { Row, Rows } from './row.ts';

export interface StoredRequest {
  /** `createdBy` and `writtenBy` of what it makes. */
  readonly requestId?: string | undefined;
  readonly secret?: Uint8Array | undefined;
  readonly bodyHash?: string | undefined;
  readonly status?: 'begun' | 'done' | undefined;
  readonly expiresAt: string;
  readonly endedBy?: string | undefined;
  /** The company-key version that `importsDigest` is keyed by. */
  readonly importsUnder?: number | undefined;
  readonly importsDigest?: Uint8Array | undefined;
}

/** `hash`: of caller, route and key. */
export interface RequestPlace {
  readonly companyId: string;
  readonly hash: string;
}

/** Read as far as it can be: who needs a part says what it means that it is not there. */
export const requestRow: Row<RequestPlace, StoredRequest> = {
  table: 'requests',
  partition: ({ companyId }) => companyId,
  key: ({ hash }) => hash,
  cells: (request) => ({ format: 1, ...request }),
  read: (cells) => ({
    requestId: text(cells, 'requestId'),
    secret: bytes(cells, 'secret'),
    bodyHash: text(cells, 'bodyHash'),
    status: oneOf(cells, 'status', ['begun', 'done']),
    expiresAt: text(cells, 'expiresAt') ?? '',
    endedBy: text(cells, 'endedBy'),
    importsUnder: count(cells, 'importsUnder'),
    importsDigest: bytes(cells, 'importsDigest'),
  }),
};

/** Beside each row, in the order of time: when it is to be forgotten. */
const EXPIRY_PREFIX = '!expiry|';
export type ExpiryPlace = RequestPlace & { readonly expiresAt: string };

export const requestExpiryRow: Row<ExpiryPlace, undefined> = {
  table: 'requests',
  partition: ({ companyId }) => companyId,
  key: ({ expiresAt, hash }) => `${EXPIRY_PREFIX}${expiresAt}|${hash}`,
  cells: () => ({ format: 1 }),
  read: () => undefined,
};

export const requestExpiriesOf: Rows<{ readonly companyId: string }, ExpiryPlace, undefined> = {
  row: requestExpiryRow,
  partition: ({ companyId }) => companyId,
  prefix: () => EXPIRY_PREFIX,
  place: ({ companyId }, rest) => {
    const [expiresAt = '', hash = ''] = rest.split('|');
    return { companyId, expiresAt, hash };
  },
};

/** Of the keys of `requestExpiryRow`: behind all that are over now, and before the others. */
export const expiredBy = (now: Date): string => `${EXPIRY_PREFIX}${now.toISOString()}}`;
