// Table Storage of the embedded run: Azurite behind our own TLS server, which logs every request and carries out the
// faults that are planted. It decides nothing about entities.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Control, type FaultEffect } from '../control/control.ts';
import { sendFiller } from '../http/fault-body.ts';
import { STORAGE_ACCOUNT } from '../identities.ts';
import type { IssuerKeys } from '../service-bus/token-check.ts';
import type { TlsIdentity } from '../tls/certificates.ts';
import { openAzurite } from './azurite.ts';
import { hasImpossibleKey } from './azurite-limits.ts';
import { createSignatureCheck } from './signature-check.ts';
import { readTableRequest, TABLE_OPERATIONS } from './table-request.ts';
import { changesAnswer, cutInsteadOfAnswering, holdBack, onEnd, sendChanged, watchStatus } from './table-response.ts';

interface TablesOptions {
  readonly tls: TlsIdentity;
  /** Where to keep the tables from run to run; in memory only when left out. */
  readonly file?: string;
  /** Whose tokens open it. Left out: only the claims of a token are looked at, as Azurite does, not its signature. */
  readonly issuerKeys?: IssuerKeys;
}

export interface TablesEmulator {
  readonly port: number;
  readonly control: Control;
  readonly controlUrl: string;
  close(): Promise<void>;
}

// Longer than clients keep idle connections, so that none is closed just as it is used again.
const KEEP_ALIVE_MS = 600_000;

export async function startTables(options: TablesOptions): Promise<TablesEmulator> {
  const azurite = await openAzurite({
    account: STORAGE_ACCOUNT,
    ...(options.file === undefined ? {} : { file: options.file }),
  });
  const control = new Control(TABLE_OPERATIONS);
  const isGenuine = createSignatureCheck(options.issuerKeys);
  const server = createServer(
    { cert: options.tls.certPem, key: options.tls.keyPem, keepAliveTimeout: KEEP_ALIVE_MS },
    (request, response) => void serve(request, response).catch(() => request.socket.destroy()),
  );

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { operation, target } = await readTableRequest(request);
    const effect = control.take(operation, target);
    sign(request, response);
    if (options.file !== undefined) onEnd(response, azurite.save);
    watchStatus(request, response, operation, (status) => control.record({ operation, target, status }));
    const waitMs = (effect?.delayMs ?? 0) + control.latencyMs;
    if (waitMs > 0) await delay(waitMs);
    if (effect?.hold === true) await control.untilCleared();
    if (!(await isGenuine(request.headers.authorization))) refuse(NOT_AUTHENTICATED, request, response);
    else if (hasImpossibleKey(request.url ?? '')) refuse(IMPOSSIBLE_KEY, request, response);
    else if (effect) harm(effect, request, response, azurite.listener);
    else azurite.listener(request, response);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const controlUrl = await control.listen();
  return {
    port: (server.address() as AddressInfo).port,
    control,
    controlUrl,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await azurite.close();
      await control.close();
    },
  };
}

function harm(
  effect: FaultEffect,
  request: IncomingMessage,
  response: ServerResponse,
  act: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  if (effect.hang === true) return;
  if (effect.drop === 'before-acting') {
    request.socket.destroy();
  } else if (effect.status !== undefined) {
    refuse(effect, request, response);
  } else if (effect.bodyBytes !== undefined) {
    request.resume();
    sendFiller(response, 200, effect.headers ?? {}, effect.bodyBytes);
  } else {
    if (effect.drop === 'after-acting') cutInsteadOfAnswering(response);
    else if (changesAnswer(effect)) holdBack(response, (answer) => sendChanged(effect, response, answer));
    act(request, response);
  }
}

/** What Table Storage sends with every answer, and Azurite with some. A fault may bring headers of its own. */
function sign(request: IncomingMessage, response: ServerResponse): void {
  const requestId = request.headers['x-ms-client-request-id'];
  if (requestId !== undefined) response.setHeader('x-ms-client-request-id', requestId);
  response.setHeader('x-ms-request-id', randomUUID());
  response.setHeader('x-ms-version', request.headers['x-ms-version'] ?? '2019-02-02');
}

/** As Table Storage refuses when it is over its limits, or fails, unless the fault brings a body of its own. */
const SERVER_BUSY = odataError('ServerBusy', 'The server is busy.');
const INTERNAL_ERROR = odataError(
  'InternalError',
  'The server encountered an internal error. Please retry the request.',
);
const NOT_AUTHENTICATED: FaultEffect = {
  status: 403,
  body: odataError('AuthenticationFailed', 'Server failed to authenticate the request.'),
};

const IMPOSSIBLE_KEY: FaultEffect = {
  status: 400,
  body: odataError('InvalidInput', 'One of the request inputs is not valid.'),
};

function odataError(code: string, value: string): object {
  return { 'odata.error': { code, message: { lang: 'en-US', value } } };
}

function refuse(effect: FaultEffect, request: IncomingMessage, response: ServerResponse): void {
  const body = effect.body ?? (effect.status === 500 ? INTERNAL_ERROR : SERVER_BUSY);
  request.resume();
  response.writeHead(effect.status ?? 503, { 'content-type': 'application/json', ...effect.headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
