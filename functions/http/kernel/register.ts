// The route table as functions of the app: one HTTP function per route, and for each area one that answers for every path in it
// that no route takes. `app` is passed in, so that nothing happens on import.
import type { HttpHandler, HttpMethod, HttpMethodFunctionOptions } from '@azure/functions';
import { refuseWithJson } from './answer-json.ts';
import type { EdgeRefusal } from './errors.ts';
import { ALL_METHODS, methodsOf } from './methods.ts';
import { refuseWithPage } from '../pages/shell/answer-page.ts';
import { serve, type EdgeServices } from './serve.ts';
import { pathMatches } from './path-match.ts';
import { fullPath, type AREAS, type Route } from './route.ts';
import { wholeAnswer, type PlainAnswer } from './whole-answer.ts';

/** What is used of `app` from @azure/functions. */
export interface HttpApp {
  http(
    name: string,
    options: HttpMethodFunctionOptions & { readonly methods: HttpMethod[]; readonly handler: HttpHandler },
  ): void;
}

/**
 * The host takes functions in the order of their names, and of their routes the first that fits: this prefix is what keeps them
 * behind every route. A test reaches each route in that order.
 */
export const LAST = 'zz-';

export function registerRoutes<D extends EdgeServices>(app: HttpApp, routes: readonly Route<D>[], deps: D): void {
  for (const route of routes) {
    app.http(route.operationId, {
      methods: methodsOf(route.method),
      authLevel: 'anonymous',
      route: fullPath(route).slice(1),
      handler: served(route, deps),
    });
  }
  const { entropy, vendorName } = deps;
  registerUnknown(app, ['api'], (rest) => asJson(refusalOf(routes, rest), entropy.id()));
  registerUnknown(app, ['consent', 'verify'], (rest) =>
    refuseWithPage(refusalOf(routes, rest), { requestId: entropy.id(), vendorName }),
  );
}

/**
 * The areas of pages to come. They need no setting, and are registered before the settings are read: a worker tells the host of an error at
 * load only if a function was registered before it (azure-functions-nodejs-worker, FunctionsMetadataHandler).
 */
export function registerReserved(app: HttpApp, { entropy }: Pick<EdgeServices, 'entropy'>): void {
  registerUnknown(app, ['portal', 'operator'], () => asJson({ type: 'no-such-route' }, entropy.id()));
}

/** Not one function for all areas: it would take the host's own admin/warmup too, which the host maps after the app's routes. */
function registerUnknown(
  app: HttpApp,
  areas: readonly (typeof AREAS)[number][],
  answer: (path: string) => PlainAnswer,
): void {
  for (const area of areas) {
    app.http(`${LAST}unknown-${area}-path`, {
      methods: ALL_METHODS,
      authLevel: 'anonymous',
      route: `${area}/{*rest}`,
      handler: ({ method, params }) => wholeAnswer(answer(`/${area}/${params['rest'] ?? ''}`), method),
    });
  }
}

const asJson = (refusal: EdgeRefusal, requestId: string): PlainAnswer =>
  refuseWithJson(refusal, { requestId, isVendorAdmin: false });

/**
 * With streaming the host mixes the query and members of a JSON body into `params`, and spells a parameter as whatever named it first
 * (HttpTriggerAttributeBindingProvider). Only what the path's own parameters say is handed on; they come last, so the value is theirs.
 */
function served<D extends EdgeServices>(route: Route<D>, deps: D): HttpHandler {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const handle = serve(route, deps);
  return async ({ method, url, query, headers, body, params }) => {
    const given = new Map(Object.entries(params).map(([name, value]) => [name.toLowerCase(), value]));
    const own = Object.fromEntries(names.map((name) => [name, given.get(name.toLowerCase()) ?? '']));
    return wholeAnswer(await handle({ url, query, headers, body, params: own }), method);
  };
}

/** 405 with Allow where another method would do, 404 otherwise; the same for everybody, so it needs no token. */
function refusalOf<D>(routes: readonly Route<D>[], path: string): EdgeRefusal {
  const allowed = routes
    .filter((route) => pathMatches(fullPath(route), path))
    .flatMap(({ method }) => methodsOf(method));
  return allowed.length > 0 ? { type: 'method-not-allowed', allowed } : { type: 'no-such-route' };
}
