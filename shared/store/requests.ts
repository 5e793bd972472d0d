// Idempotency of calls that create: the first call with a key leaves a row, and repeats within a day find it. The row holds no answer and no
// body, only the body's hash, from which callers leave out key material, and a secret: ids derived from it are the same at each repeat.
import { createHash, createHmac } from 'node:crypto';
import { lengthPrefixed } from '../domain/length-prefixed.ts';
import type { Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { change, changeOnce } from './act.ts';
import { find, rangeOf, readListed, type Found } from './found.ts';
import { need } from './rows/cells.ts';
import { expiredBy, requestExpiriesOf, requestExpiryRow, requestRow, type StoredRequest } from './rows/request-rows.ts';
import type { Tables } from './tables.ts';
import type { Clock, Entropy, Timers } from '../domain/ports.ts';

/**
 * Identifies a call in rows (`createdBy`, `writtenBy`). With a `secret`, generated ids are derived from it. `repeated` false: no earlier call
 * has written under this identity.
 */
export interface RequestIdentity {
  readonly requestId: string;
  readonly secret?: Uint8Array;
  readonly repeated?: boolean;
  /** Of its row in `requests`, if it has one. */
  readonly rowKey?: string;
}

export interface BegunRequest extends RequestIdentity {
  readonly secret: Uint8Array;
  /** True if an earlier call with this key and body left the row. */
  readonly repeated: boolean;
  /** `done` once `endRequest` was called, for calls that may be answered only once. */
  readonly status: 'begun' | 'done';
  readonly rowKey: string;
}

export interface Requesting {
  readonly tables: Tables;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly entropy: Entropy;
}

const KEPT_MS = 24 * 60 * 60 * 1000;
const SECRET_BYTES = 32;
const TIME_BYTES = 6;
const MAX_KEY_LENGTH = 255;
/** One call in so many deletes a few rows that are older than a day. */
const FORGET_ONE_IN = 32;
const FORGET_AT_ONCE = 50;

/** The identity of a call that is not to be repeated. */
export const singleRequest = (entropy: Pick<Entropy, 'id'>): RequestIdentity => ({
  requestId: entropy.id(),
  repeated: false,
});

/** Six bytes of the time in ms since 1970, then random bytes. */
function newSecret({ clock, entropy }: Pick<Requesting, 'clock' | 'entropy'>): Uint8Array {
  const secret = Buffer.alloc(SECRET_BYTES);
  secret.writeUIntBE(clock.now().getTime(), 0, TIME_BYTES);
  secret.set(entropy.bytes(SECRET_BYTES - TIME_BYTES), TIME_BYTES);
  return secret;
}

/**
 * The id that is number `index` of its kind in this request; the same at every repeat. A UUID of version 8 that begins with the request's
 * time, as one of version 7 does: keys that are made together are neighbours, and are read together.
 */
export function derivedId(secret: Uint8Array, kind: string, index: number): string {
  const digest = createHmac('sha256', secret).update(`${kind}|${index}`).digest();
  digest.set(secret.subarray(0, TIME_BYTES));
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x80;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/**
 * Call this first. `caller` and `route` keep the keys of different callers and calls apart; `body` is a canonical text of the request
 * without key material.
 */
export async function beginRequest(
  deps: Requesting,
  input: {
    readonly companyId: string;
    readonly caller: string;
    readonly route: string;
    readonly key: string;
    readonly body: string;
  },
): Promise<Result<BegunRequest, Refusal>> {
  if (input.key.length < 1 || input.key.length > MAX_KEY_LENGTH) {
    const message = `An idempotency key has 1 to ${MAX_KEY_LENGTH} characters.`;
    return err({ type: 'invalid', target: 'Idempotency-Key', message });
  }
  if ((deps.entropy.bytes(1)[0] ?? 0) % FORGET_ONE_IN === 0) await forgetExpiredRequests(deps, input.companyId);
  const rowKey = hashOf([input.caller, input.route, input.key]);
  const bodyHash = hashOf([input.body]);
  const own = { requestId: deps.entropy.id(), secret: newSecret(deps) };
  const place = { companyId: input.companyId, hash: rowKey };
  return change<BegunRequest>(deps, async (tx) => {
    const row = await tx.find(requestRow, place);
    const now = deps.clock.now();
    if (row && isKept(row.value, now)) return answerBy(row, { bodyHash, requestId: own.requestId });
    const expiresAt = new Date(now.getTime() + KEPT_MS).toISOString();
    tx.put(requestRow, place, row, { ...own, bodyHash, status: 'begun', expiresAt });
    tx.insert(requestExpiryRow, { ...place, expiresAt }, undefined);
    return ok<BegunRequest>({ ...own, repeated: false, status: 'begun', rowKey });
  });
}

const hashOf = (texts: readonly string[]): string => createHash('sha256').update(lengthPrefixed(texts)).digest('hex');

const isKept = ({ expiresAt }: StoredRequest, now: Date): boolean => expiresAt > now.toISOString();

/** The row of an earlier call, or ours whose answer was lost: then it carries this request's id. */
function answerBy(
  { value, at: { rowKey } }: Found<StoredRequest>,
  asked: { readonly bodyHash: string; readonly requestId: string },
): Result<BegunRequest, Refusal> {
  const requestId = need(value.requestId, rowKey, 'requestId');
  const secret = need(value.secret, rowKey, 'secret');
  const status = need(value.status, rowKey, 'status');
  if (value.bodyHash !== asked.bodyHash) return err({ type: 'idempotency-mismatch' });
  return ok({ requestId, secret, status, repeated: requestId !== asked.requestId, rowKey });
}

/** Marks the request as answered. False if another call with the same key was first. */
export async function endRequest(deps: Requesting, companyId: string, request: BegunRequest): Promise<boolean> {
  const endedBy = deps.entropy.id();
  const ended = await change<boolean>(deps, async (tx) => {
    const row = await tx.find(requestRow, { companyId, hash: request.rowKey });
    if (row?.value.requestId !== request.requestId) return ok(false);
    if (row.value.status === 'done') return ok(row.value.endedBy === endedBy);
    tx.merge(row, { ...row.value, status: 'done', endedBy }, ['status', 'endedBy']);
    return ok(true);
  });
  return ended.ok && ended.value;
}

/** Deletes some rows that are older than a day. A lost race is harmless: a later call goes on. */
export async function forgetExpiredRequests(
  { tables, clock }: Pick<Requesting, 'tables' | 'clock'>,
  companyId: string,
): Promise<void> {
  const now = clock.now();
  const range = { ...rangeOf(requestExpiriesOf, { companyId }), before: expiredBy(now) };
  const due = await tables.list({ ...range, limit: FORGET_AT_ONCE });
  for (const stored of due.rows) {
    const entry = readListed(requestExpiriesOf, { companyId }, stored);
    const row = await find(tables, requestRow, entry.place);
    await changeOnce({ tables }, (tx) => {
      tx.delete(entry);
      // A row that was used anew since has another entry.
      if (row && !isKept(row.value, now)) tx.delete(row);
      return undefined;
    });
  }
}
