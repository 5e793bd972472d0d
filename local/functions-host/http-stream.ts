// Requests passed through to the app as they come, if it asked for that (`app.setup({ enableHttpStream: true })`): what YARP does between
// Functions host and worker, without the wire between them. The body is not read; the app writes the answer itself.
// Source: DefaultHttpProxyService and GrpcWorkerChannel of azure-functions-host.
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { RegisteredApp } from './core-api.ts';
import { isAscii } from './request-headers.ts';

export interface Forwarded {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly invocationId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a request that announced its length: the host has read it already. */
  readonly body: Buffer | undefined;
  readonly maxBytes: number;
}

/** What YARP keeps to itself; where the request came from and went to it writes anew. */
const NOT_PASSED =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-(connection|authenticate|authorization)|x-forwarded-(for|host|proto|prefix))$/;
/** As Node's own servers publish it. */
const REQUEST_START = channel('http.server.request.start');
/** After so long without a byte YARP gives up. */
const ACTIVITY_TIMEOUT_MS = 240_000;

/** The server at which the app wants requests as they come, of those that listen; undefined if it wants them whole. */
export async function askForStream(app: RegisteredApp, listening: readonly NetServer[]): Promise<Server | undefined> {
  const capabilities: Record<string, string> = {};
  await app.model().getCapabilities?.(capabilities);
  const { HttpUri } = capabilities;
  if (HttpUri === undefined) return undefined;
  const port = Number(new URL(HttpUri).port);
  const isIt = (server: NetServer): server is Server => (server.address() as AddressInfo | null)?.port === port;
  return listening.find(isIt);
}

/**
 * False if it cannot be forwarded: .NET sends ASCII headers only. The app then waits in vain for the request of an invocation that
 * it was told of.
 */
export function forward(proxy: Server, forwarded: Forwarded): boolean {
  const { request, response, invocationId, headers, body, maxBytes } = forwarded;
  if (!Object.values(headers).every(isAscii)) return false;
  // Kestrel takes the rest of a body that nobody reads; Node would close the connection under the answer if the caller meant to.
  if (!request.complete) response.setHeader('connection', 'keep-alive');
  const passed = {
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_PASSED.test(name))),
    'x-ms-invocation-id': invocationId,
    'x-forwarded-for': request.socket.remoteAddress ?? '',
    'x-forwarded-host': headers['host'] ?? 'localhost',
    'x-forwarded-proto': 'http',
  };
  const message = Object.assign(
    body ? streamOf(body) : Readable.from(within(request, maxBytes), { objectMode: false }),
    {
      method: request.method,
      url: request.url,
      headers: passed,
      headersDistinct: Object.fromEntries(Object.entries(passed).map(([name, value]) => [name, [value]])),
    },
  );
  REQUEST_START.publish({ request: message, response, socket: request.socket, server: proxy });
  proxy.emit('request', message, response);
  return true;
}

/** Waits for the end of an answer that only the app can give: also after its invocation has failed. */
export async function answered(response: ServerResponse): Promise<void> {
  const late = setTimeout(() => response.destroy(), ACTIVITY_TIMEOUT_MS);
  await finished(response).catch(() => undefined);
  clearTimeout(late);
}

function streamOf(body: Buffer): Readable {
  const stream = new Readable({ read: () => undefined });
  stream.push(body);
  stream.push(null);
  return stream;
}

/** Kestrel counts what comes in pieces too. */
async function* within(request: IncomingMessage, maxBytes: number): AsyncIterable<Buffer> {
  let size = 0;
  for await (const piece of request) {
    size += (piece as Buffer).length;
    if (size > maxBytes) request.socket.destroy();
    yield piece as Buffer;
  }
}
