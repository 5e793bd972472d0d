// Serves the app's HTTP triggers on loopback: routes, checks the function key where the trigger asks for one, invokes.
// Also `POST /admin/functions/{name}`, with which Azure runs a function that has no HTTP trigger.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { expandSettings, type AppSettings } from './app-settings.ts';
import { httpBindingData } from './binding-data.ts';
import type { RegisteredFunction } from './core-api.ts';
import type { FunctionErrors } from './function-errors.ts';
import { describeError, type HostLog } from './host-log.ts';
import type { HttpListener } from './http-listener.ts';
import {
  announcedLength,
  readAnnouncedBody,
  sendAnswer,
  sendStatus,
  toHttpData,
  type ReceivedRequest,
} from './http-messages.ts';
import { answered, forward } from './http-stream.ts';
import type { HostSettings } from './host-settings.ts';
import type { Invoker } from './invoke.ts';
import { decodeHeaders } from './request-headers.ts';
import { createRouteTable, type Route } from './route-table.ts';
import { findTrigger } from './triggers.ts';

interface HostKeys {
  /** Opens functions of level `function`. */
  readonly functionKey: string;
  /** Opens everything, and alone `admin`. */
  readonly masterKey: string;
}

interface HttpTriggers {
  /** Takes no new connection; those open are closed when their answer is out. */
  stop(): void;
}

interface HttpTarget {
  readonly authLevel: string;
  readonly bindingName: string;
  readonly registered: RegisteredFunction;
}

export function startHttpTriggers(options: {
  readonly functions: readonly RegisteredFunction[];
  readonly runByName: (name: string) => boolean;
  readonly settings: AppSettings;
  readonly host: HostSettings;
  readonly keys: HostKeys;
  readonly invoker: Invoker;
  readonly log: HostLog;
  readonly errors: FunctionErrors;
  readonly listener: HttpListener;
  /** The app's own server, if it takes requests as they come. */
  readonly proxy: Server | undefined;
}): HttpTriggers {
  const { host, keys, invoker, log, listener, proxy } = options;
  const { functions, settings, errors } = options;
  const routes = errors.index(functions, (registered) => toRoute(registered, host.routePrefix, settings));
  const find = createRouteTable<HttpTarget>(routes);
  let stopping = false;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (stopping) response.setHeader('connection', 'close');
    const url = URL.parse(`http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`);
    const headers = decodeHeaders(request.rawHeaders);
    if (!url || !headers) {
      refuse(request, response, 400);
      return;
    }
    const admin = /^\/admin\/functions\/([^/]+)$/.exec(url.pathname);
    if (admin) {
      request.resume();
      sendStatus(response, runByHand(request, url, admin[1] ?? ''));
      return;
    }
    const found = find(request.method ?? 'GET', url.pathname);
    if (!found) {
      if (url.pathname === '/') answerHome(request, response, settings);
      else refuse(request, response, 404);
      return;
    }
    const { authLevel, bindingName, registered } = found.target;
    if (!mayCall(authLevel, givenKey(request, url), keys)) {
      refuse(request, response, 401);
      return;
    }
    if (announcedLength(request) > host.maxRequestBodyBytes) {
      // Kestrel throws as the trigger's binding reads the body, and the host makes that 500 (azure-functions-host issue 10519).
      const category = `Function.${registered.metadata.name}`;
      log(
        'error',
        category,
        `Exception binding parameter 'req'. Request body too large. The max is ${host.maxRequestBodyBytes}.`,
      );
      refuse(request, response, 500);
      return;
    }
    const received = { url, headers, params: found.params, body: await readAnnouncedBody(request) };
    await (proxy ? passThrough(proxy, received) : passWhole(received));

    /** What comes without its length is not passed. */
    async function passWhole(whole: ReceivedRequest): Promise<void> {
      const http = toHttpData(request, whole);
      try {
        sendAnswer(response, await invoker.invoke(registered, { inputData: [{ name: bindingName, data: { http } }] }));
      } catch (error) {
        fail(error);
      }
      request.resume();
    }

    async function passThrough(server: Server, { body, ...about }: ReceivedRequest): Promise<void> {
      const invocationId = randomUUID();
      const triggerMetadata = httpBindingData({ ...about, query: about.url.searchParams, body });
      const inputData = [{ name: bindingName, data: { http: {} } }];
      const maxBytes = host.maxRequestBodyBytes;
      const isForwarded = forward(server, { request, response, invocationId, headers: about.headers, body, maxBytes });
      try {
        await invoker.invoke(registered, { invocationId, inputData, triggerMetadata });
      } catch (error) {
        if (isForwarded) await answered(response);
        fail(error);
      }
    }

    function fail(error: unknown): void {
      log('error', `Function.${registered.metadata.name}`, `Failed. ${describeError(error)}`);
      if (!response.headersSent) sendStatus(response, 500);
      else if (!response.writableEnded) request.socket.destroy();
    }
  }

  function runByHand(request: IncomingMessage, url: URL, name: string): number {
    if (request.method !== 'POST') return 404;
    if (givenKey(request, url) !== keys.masterKey) return 401;
    return options.runByName(decodeURIComponent(name)) ? 202 : 404;
  }

  listener.serve((request, response) => {
    serve(request, response).catch((error: unknown) => {
      log('warning', 'Host.Http', `A request could not be answered. ${describeError(error)}`);
      request.socket.destroy();
    });
  });
  return {
    stop: () => {
      stopping = true;
      listener.close();
    },
  };
}

function toRoute(registered: RegisteredFunction, prefix: string, settings: AppSettings): Route<HttpTarget>[] {
  const trigger = findTrigger(registered.metadata);
  if (trigger.binding.type !== 'httpTrigger') return [];
  const { route, methods, authLevel } = trigger.binding as {
    route?: string;
    methods?: readonly string[];
    authLevel?: string;
  };
  const path = expandSettings(route ?? registered.metadata.name, settings);
  return [
    {
      methods: (methods ?? ['GET', 'POST']).map((method) => method.toUpperCase()),
      name: registered.metadata.name,
      template: prefix === '' ? path : `${prefix}/${path}`,
      target: { authLevel: (authLevel ?? 'function').toLowerCase(), bindingName: trigger.name, registered },
    },
  ];
}

function givenKey(request: IncomingMessage, url: URL): string | undefined {
  return request.headers['x-functions-key']?.toString() ?? url.searchParams.get('code') ?? undefined;
}

function mayCall(authLevel: string, key: string | undefined, keys: HostKeys): boolean {
  if (authLevel === 'anonymous') return true;
  return key === keys.masterKey || (authLevel === 'function' && key === keys.functionKey);
}

/** The host's own page, for whatever method, unless it is turned off (HomepageMiddleware). */
function answerHome(request: IncomingMessage, response: ServerResponse, settings: AppSettings): void {
  if (settings['AzureWebJobsDisableHomepage']?.toLowerCase() === 'true') {
    request.resume();
    response.writeHead(204).end();
    return;
  }
  request.resume();
  response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Your Functions app is up and running</title>');
}

/** Answers before the body was read: the rest of it must not be taken for the next request. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  if (!request.complete) response.setHeader('connection', 'close');
  sendStatus(response, status);
  request.resume();
}
