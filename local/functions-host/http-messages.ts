// Translates between Node's HTTP messages and the host's: a request into trigger data, a function's return value into
// an answer. Decides nothing about routes or rights.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CookieData, HttpData, InvocationResponse } from './core-types.ts';

export const announcedLength = (request: IncomingMessage): number => Number(request.headers['content-length'] ?? 0);

/** The whole of a body that says how long it is; no other is read (`request.ContentLength > 0`). */
export async function readAnnouncedBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (announcedLength(request) === 0) return undefined;
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export interface ReceivedRequest {
  readonly url: URL;
  /** Decoded, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export function toHttpData(request: IncomingMessage, { url, headers, params, body }: ReceivedRequest): HttpData {
  const query: Record<string, string> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name).join(',');
  return {
    url: url.href,
    method: request.method ?? 'GET',
    headers,
    query,
    params,
    ...(body === undefined ? {} : { body: { bytes: body } }),
  };
}

/** A function that returned nothing answers 204, as in Azure. */
export function sendAnswer(response: ServerResponse, { returnValue }: InvocationResponse): void {
  const http = returnValue?.http;
  if (!http) {
    response.writeHead(204).end();
    return;
  }
  const body = Buffer.from(http.body?.bytes ?? http.body?.string ?? '');
  response.statusCode = Number(http.statusCode ?? 200);
  for (const [name, value] of Object.entries(http.headers ?? {})) response.setHeader(name, value);
  const cookies = (http.cookies ?? []).map(formatCookie);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  const bodyless = response.statusCode === 204 || response.statusCode === 304;
  if (!bodyless) response.setHeader('content-length', body.length);
  response.end(bodyless ? undefined : body);
}

export function sendStatus(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}

function formatCookie(cookie: CookieData): string {
  const parts = [`${cookie.name ?? ''}=${encodeURIComponent(cookie.value ?? '')}`];
  if (cookie.expires) parts.push(`expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${cookie.maxAge.value}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  if (cookie.path) parts.push(`path=${cookie.path.value}`);
  if (cookie.secure?.value === true) parts.push('secure');
  if (cookie.sameSite && cookie.sameSite !== 'none') {
    parts.push(`samesite=${cookie.sameSite === 'explicitNone' ? 'none' : cookie.sameSite}`);
  }
  if (cookie.httpOnly?.value === true) parts.push('httponly');
  return parts.join('; ');
}
