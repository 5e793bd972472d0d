// One request as an attacker sends it: any method, any path, any header, Host too, and a body that need not be what it claims.
import { request } from 'node:http';

export interface Attempt {
  /** Sent as a bearer token; no Authorization header without it. */
  readonly token?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of a JSON body. */
  readonly rawBody?: string | Buffer;
  /** The body in pieces, its length not told. */
  readonly chunks?: readonly Buffer[];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of our own errors; empty otherwise. */
  readonly code: string;
  readonly requestId: string;
}

const LIMIT_MS = 45_000;

/** `path` is sent as it is written: no client mends it. */
export function send(origin: string, method: string, path: string, attempt: Attempt = {}): Promise<RawAnswer> {
  const { token, rawBody, chunks } = attempt;
  const body = rawBody ?? (attempt.body === undefined ? undefined : JSON.stringify(attempt.body));
  const { hostname: host, port } = new URL(origin);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined && chunks === undefined ? {} : { 'content-type': 'application/json' }),
    ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    ...attempt.headers,
  };
  return new Promise((resolve, reject) => {
    const asking = request({ host, port, method, path, headers, agent: false, timeout: LIMIT_MS }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as const);
        const given: Readonly<Record<string, string>> = Object.fromEntries(names);
        resolve({
          status: answer.statusCode ?? 0,
          headers: given,
          text: Buffer.concat(pieces).toString('utf8'),
          code: given['x-ms-error-code'] ?? '',
          requestId: given['x-ms-request-id'] ?? '',
        });
      });
    });
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
    asking.on('error', reject);
    for (const piece of chunks ?? []) asking.write(piece);
    asking.end(body);
  });
}
