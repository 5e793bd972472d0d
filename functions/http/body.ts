// A request's body: bounded before it is read, typed before it is parsed, JSON or nothing.
import { err, ok, type Result } from '../../shared/domain/result.ts';
import type { EdgeRefusal } from './failure-to-response.ts';

export const MAX_BODY_BYTES = 1_048_576;

export interface BodySource {
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<unknown> | null;
}

const JSON_TYPE = /^application\/json *(; *charset="?utf-8"?)? *$/i;

/** The parsed JSON; undefined if there is no body at all. */
export async function readJsonBody(request: BodySource): Promise<Result<unknown, EdgeRefusal>> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return err({ type: 'body-too-large' });
  const bytes = await readBounded(request.body);
  if (bytes === undefined) return err({ type: 'body-too-large' });
  if (bytes.length === 0) return ok(undefined);
  if (!JSON_TYPE.test(request.headers.get('content-type') ?? '')) return err({ type: 'unsupported-media-type' });
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown);
  } catch {
    return err({ type: 'malformed-json' });
  }
}

async function readBounded(body: AsyncIterable<unknown> | null): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a body that is not bytes');
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
