// The HTTP side that the emulators share: reads one request, meets it with a planted fault or the emulator's own
// answer, and writes it into the request log. Knows no service; what a path means is the emulator's business.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type TlsOptions, type TLSSocket } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import type { Control, FaultEffect, RequestRecord } from '../control/control.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { overlay, sendFiller, stallIn } from './fault-body.ts';

export interface EmulatorRequest {
  readonly method: string;
  /** Lower case, without a port: the name that the client believes it talks to. */
  readonly host: string;
  /** Still percent-encoded, so that an emulator sees empty segments and the like. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface EmulatorReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; left out for an empty body. */
  readonly body?: unknown;
  /** Added to the log's detail. */
  readonly detail?: RequestRecord['detail'];
}

/** What a request was found to mean, before anything is done about it. */
export interface EmulatorCall {
  readonly operation: string;
  readonly target: string;
  readonly detail?: RequestRecord['detail'];
  /** How long this emulator takes for it, faults apart. */
  readonly latencyMs?: number;
  act(): EmulatorReply | Promise<EmulatorReply>;
}

interface EmulatorHttp {
  readonly port: number;
  /** Ends the connections made to a name: what had a name no longer has one, and clients must look it up again. */
  readonly disconnect: (host: string) => void;
  close(): Promise<void>;
}

/** `undefined` from `understand` cuts the connection: there is nobody of that name here. */
export type Understand = (request: EmulatorRequest) => EmulatorCall | undefined;

const MAX_BODY_BYTES = 1024 * 1024;
/** Longer than any client keeps an idle connection, so that none is closed while a request is on its way. */
const KEEP_ALIVE_MS = 120_000;

export async function listenHttp(options: {
  readonly tls?: TlsIdentity;
  readonly control: Control;
  readonly understand: Understand;
}): Promise<EmulatorHttp> {
  const { tls, control, understand } = options;
  const closing = new AbortController();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve({ request, response, control, understand, signal: closing.signal }).catch(() => {
      // The client went away, or sent what HTTP does not allow: there is nobody left to answer.
      request.socket.destroy();
    });
  };
  const server = tls ? createHttpsServer(greeting(tls, control), listener) : createHttpServer(listener);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    disconnect: (host) => {
      for (const socket of sockets) if (socket.servername === host) socket.destroy();
    },
    close: async () => {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What can be planted for each that speaks TLS, beside its own operations. */
export const HANDSHAKE = 'handshake';

/** TLS for any name. A planted `handshake` that hangs leaves the client, whose name for us is the target, without an answer. */
function greeting(tls: TlsIdentity, control: Control): TlsOptions {
  const material = { cert: tls.certPem, key: tls.keyPem };
  const context = createSecureContext(material);
  return {
    ...material,
    SNICallback: (name, answer) => {
      if (control.take(HANDSHAKE, name.toLowerCase())?.hang !== true) answer(null, context);
    },
  };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly control: Control;
  readonly understand: Understand;
  readonly signal: AbortSignal;
}

async function serve(exchange: Exchange): Promise<void> {
  const { request, response, control, understand, signal } = exchange;
  const call = understand(await read(request));
  if (!call) {
    request.socket.destroy();
    return;
  }
  const fault = control.take(call.operation, call.target) ?? {};
  const waitMs = (fault.delayMs ?? 0) + (call.latencyMs ?? 0) + control.latencyMs;
  if (waitMs > 0) await delay(waitMs, undefined, { signal });
  if (fault.hold === true) await control.untilCleared();
  const log = (status: number, detail?: RequestRecord['detail']): void => {
    const { operation, target } = call;
    control.record({ operation, target, status, detail: { ...call.detail, ...detail } });
  };
  if (fault.hang === true || fault.drop === 'before-acting') {
    log(0, { fault: fault.hang === true ? 'hang' : 'drop' });
    if (fault.hang !== true) request.socket.destroy();
    return;
  }
  if (answersByItself(fault)) {
    const status = fault.status ?? 200;
    log(status, { fault: 'answer' });
    sendFault(response, fault, status);
    return;
  }
  const reply = await act(call, control);
  if (fault.drop === 'after-acting') {
    log(0, { ...reply.detail, fault: 'drop' });
    request.socket.destroy();
    return;
  }
  log(reply.status, reply.detail);
  const body = fault.mergeBody === undefined ? reply.body : overlay(reply.body, fault.mergeBody);
  const headers = { ...reply.headers, ...fault.headers };
  if (fault.stall === undefined) send(response, reply.status, headers, body);
  else stallIn(fault.stall, response, { status: reply.status, headers, text: textOf(body) });
}

/** An emulator that fails is seen in its log and its answer, instead of looking like a broken network. */
async function act(call: EmulatorCall, control: Control): Promise<EmulatorReply> {
  try {
    const reply = await call.act();
    control.onChange();
    return reply;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: 500, body: { error: { code: 'EmulatorFailed', message } }, detail: { bug: message } };
  }
}

function answersByItself(fault: FaultEffect): boolean {
  return fault.status !== undefined || fault.body !== undefined || fault.bodyBytes !== undefined;
}

function sendFault(response: ServerResponse, fault: FaultEffect, status: number): void {
  if (fault.bodyBytes !== undefined) sendFiller(response, status, fault.headers ?? {}, fault.bodyBytes);
  else send(response, status, fault.headers ?? {}, fault.body);
}

const textOf = (body: unknown): string =>
  body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): void {
  const text = textOf(body);
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    ...(status === 204 ? {} : { 'Content-Length': length }),
    ...headers,
  });
  response.end(text);
}

async function read(request: IncomingMessage): Promise<EmulatorRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('body over 1 MiB');
    chunks.push(chunk);
  }
  const target = request.url ?? '/';
  const queryStart = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    host: (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, ''),
    path: queryStart < 0 ? target : target.slice(0, queryStart),
    query: new URLSearchParams(queryStart < 0 ? '' : target.slice(queryStart + 1)),
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  };
}
