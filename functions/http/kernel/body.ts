// A request's body: no more of it is kept than the limit, nor waited for, and it is typed before it is parsed. JSON from programs, a form's fields
// from browsers.
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { EdgeRefusal, MediaType } from './errors.ts';
import { repeatedMember } from './repeated-member.ts';
import type { Detail } from './validation.ts';

export const MAX_BODY_BYTES = 1_048_576;
/** Of a form: a one-time secret and an answer. */
export const MAX_FORM_BYTES = 16_384;

/**
 * For the whole body. Without it a caller that sends a byte now and then keeps the call open until Node's server ends it after five minutes
 * (`requestTimeout`).
 */
export const BODY_LIMIT_MS = 30_000;

const MAX_NAME_CHARS = 64;
const MAX_PLACE_CHARS = 256;

export interface BodySource {
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<unknown> | null;
}

const JSON_TYPE = /^application\/json *(; *charset="?utf-8"?)? *$/i;
/** Nothing is unpacked: a small body could become a large one. */
const PLAIN = /^(?: *identity *)?$/i;
const FORM_TYPE = /^application\/x-www-form-urlencoded *(; *charset="?utf-8"?)? *$/i;

/** The parsed JSON; undefined if there is no body at all. */
export async function readJsonBody(request: BodySource): Promise<Result<unknown, EdgeRefusal>> {
  const body = await readTyped(request, { type: JSON_TYPE, wanted: 'application/json', maxBytes: MAX_BODY_BYTES });
  if (!body.ok) return body;
  if (body.value === '') return ok(undefined);
  const text = body.value ?? '';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return err({ type: 'malformed-json' });
  }
  const twice = repeatedMember(text);
  if (twice === undefined) return ok(parsed);
  const target = `body.${twice.slice(0, MAX_PLACE_CHARS)}`;
  return invalid({ code: 'invalid-value', target, message: 'is given twice' });
}

/** A form's fields by name; none if there is no body at all. A field that comes twice is refused: which one would count? */
export async function readFormBody(
  request: BodySource,
): Promise<Result<Readonly<Record<string, string>>, EdgeRefusal>> {
  const wanted = 'application/x-www-form-urlencoded';
  const body = await readTyped(request, { type: FORM_TYPE, wanted, maxBytes: MAX_FORM_BYTES });
  if (!body.ok) return body;
  return body.value === undefined
    ? invalid({ code: 'invalid-value', target: 'body', message: 'is not UTF-8' })
    : uniquePairs('body', new URLSearchParams(body.value));
}

/** Texts by name, each given once. */
export function uniquePairs(
  place: 'body' | 'query',
  pairs: Iterable<[string, string]>,
): Result<Readonly<Record<string, string>>, EdgeRefusal> {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) {
    const target = `${place}.${name.slice(0, MAX_NAME_CHARS)}`;
    if (found.has(name)) return invalid({ code: 'invalid-value', target, message: 'is given twice' });
    found.set(name, value);
  }
  return ok(Object.fromEntries(found));
}

const invalid = (detail: Detail): Result<never, EdgeRefusal> => err({ type: 'invalid-request', details: [detail] });

interface Typed {
  readonly type: RegExp;
  readonly wanted: MediaType;
  readonly maxBytes: number;
}

/** The body as text, empty if there is none; undefined if it is not UTF-8. */
async function readTyped(
  request: BodySource,
  { type, wanted, maxBytes }: Typed,
): Promise<Result<string | undefined, EdgeRefusal>> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return err({ type: 'body-too-large', maxBytes });
  const read = await readBounded(request.body, maxBytes);
  if (!read.ok) return read;
  const bytes = read.value;
  if (bytes.length === 0) return ok('');
  if (!PLAIN.test(request.headers.get('content-encoding') ?? '')) return err({ type: 'encoded-body' });
  if (!type.test(request.headers.get('content-type') ?? '')) return err({ type: 'unsupported-media-type', wanted });
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return ok(undefined);
  }
}

/** Refused if it is longer, or not there in time. What comes later is then still read, and forgotten. */
async function readBounded(
  body: AsyncIterable<unknown> | null,
  maxBytes: number,
): Promise<Result<Buffer, EdgeRefusal>> {
  if (!body) return ok(Buffer.alloc(0));
  const { promise: late, resolve } = Promise.withResolvers<Result<never, EdgeRefusal>>();
  const timer = setTimeout(() => resolve(err({ type: 'body-incomplete' })), BODY_LIMIT_MS);
  try {
    return await Promise.race([collect(body[Symbol.asyncIterator](), maxBytes), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * In one buffer, not piece by piece: a piece may be a single byte, and takes a hundred times as much. If it is longer, the rest is read and
 * forgotten while the answer goes out: a stream that is given up half-way closes the connection under the answer (`for await` with a `return`
 * does). How much that can be is for the host to limit.
 */
async function collect(pieces: AsyncIterator<unknown>, maxBytes: number): Promise<Result<Buffer, EdgeRefusal>> {
  let kept = Buffer.alloc(0);
  let length = 0;
  for (;;) {
    const next = await nextOf(pieces);
    if (next === 'cut') return err({ type: 'body-incomplete' });
    if (next.done === true) return ok(kept.subarray(0, length));
    const piece = next.value;
    if (!(piece instanceof Uint8Array)) throw new TypeError('a body that is not bytes');
    if (length + piece.length > maxBytes) {
      void forget(pieces);
      return err({ type: 'body-too-large', maxBytes });
    }
    if (length + piece.length > kept.length) kept = larger(kept, length + piece.length, maxBytes);
    kept.set(piece, length);
    length += piece.length;
  }
}

function larger(kept: Buffer<ArrayBuffer>, needed: number, maxBytes: number): Buffer<ArrayBuffer> {
  const grown = Buffer.alloc(Math.min(maxBytes, Math.max(needed, 2 * kept.length)));
  grown.set(kept);
  return grown;
}

/** A connection that breaks off is the caller's doing, and no fault of the app's. */
async function nextOf(pieces: AsyncIterator<unknown>): Promise<IteratorResult<unknown> | 'cut'> {
  try {
    return await pieces.next();
  } catch {
    return 'cut';
  }
}

async function forget(pieces: AsyncIterator<unknown>): Promise<void> {
  for (;;) {
    const next = await nextOf(pieces);
    if (next === 'cut' || next.done === true) return;
  }
}
