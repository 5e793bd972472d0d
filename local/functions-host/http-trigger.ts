// Serves the app's HTTP triggers on loopback: routes, checks the function key where the trigger asks for one, invokes.
// Also `POST /admin/functions/{name}`, with which Azure runs a function that has no HTTP trigger.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expandSettings, type AppSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core-api.ts';
import { describeError, type HostLog } from './host-log.ts';
import type { HttpListener } from './http-listener.ts';
import { readBody, sendAnswer, sendStatus, toHttpData } from './http-messages.ts';
import type { HostSettings } from './host-settings.ts';
import type { Invoker } from './invoke.ts';
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
  readonly listener: HttpListener;
}): HttpTriggers {
  const { host, keys, invoker, log, listener } = options;
  const routes = options.functions.flatMap((registered) => toRoute(registered, host.routePrefix, options.settings));
  const find = createRouteTable<HttpTarget>(routes);
  let stopping = false;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (stopping) response.setHeader('connection', 'close');
    const url = URL.parse(`http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`);
    if (!url) {
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
      if (url.pathname === '/') answerHome(request, response, options.settings);
      else refuse(request, response, 404);
      return;
    }
    const { authLevel, bindingName, registered } = found.target;
    if (!mayCall(authLevel, givenKey(request, url), keys)) {
      refuse(request, response, 401);
      return;
    }
    const body = await readBody(request, host.maxRequestBodyBytes);
    if (!body) {
      refuse(request, response, 413);
      return;
    }
    const http = toHttpData(request, url, found.params, body);
    try {
      sendAnswer(response, await invoker.invoke(registered, { inputData: [{ name: bindingName, data: { http } }] }));
    } catch (error) {
      log('error', `Function.${registered.metadata.name}`, `Failed. ${describeError(error)}`);
      if (response.headersSent) request.socket.destroy();
      else sendStatus(response, 500);
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
