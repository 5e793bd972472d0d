// The route table as functions of the app: one HTTP function per route, and for each area one that answers for every path in it
// that no route takes. `app` is passed in, so that nothing happens on import.
import type { HttpHandler, HttpMethod, HttpMethodFunctionOptions } from '@azure/functions';
import { refuseWithJson } from './answer-json.ts';
import type { EdgeRefusal } from './errors.ts';
import { ALL_METHODS, methodsOf } from './methods.ts';
import { serve, type EdgeServices } from './serve.ts';
import { pathMatches } from './path-match.ts';
import { AREAS_OF_ROUTES, fullPath, RESERVED_AREAS, type Area, type Outcome, type Route } from './route.ts';
import { wholeAnswer } from './whole-answer.ts';

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
  for (const area of AREAS_OF_ROUTES) {
    const refuse = refusing(routes, area);
    registerUnknown(app, area, (path) =>
      refuse(refusalOf(routes, path), { requestId: deps.entropy.id(), vendorName: deps.vendorName }),
    );
  }
}

/** A path that no route takes is refused as the routes of its area refuse: to programs in JSON, to people on a page. */
function refusing<D>(routes: readonly Route<D>[], area: Area): Route<D>['refuse'] {
  const route = routes.find((one) => fullPath(one).startsWith(`/${area}/`));
  return route
    ? route.refuse
    : (refused, { requestId }) => refuseWithJson(refused, { requestId, isVendorAdmin: false });
}

/**
 * The areas of pages to come. They need no setting, and are registered before the settings are read: a worker tells the host of an error at
 * load only if a function was registered before it (azure-functions-nodejs-worker, FunctionsMetadataHandler).
 */
export function registerReserved(app: HttpApp, { entropy }: Pick<EdgeServices, 'entropy'>): void {
  for (const area of RESERVED_AREAS) {
    registerUnknown(app, area, () =>
      refuseWithJson({ type: 'no-such-route' }, { requestId: entropy.id(), isVendorAdmin: false }),
    );
  }
}

/** Not one function for all areas: it would take the host's own admin/warmup too, which the host maps after the app's routes. */
function registerUnknown(app: HttpApp, area: Area, outcomeOf: (path: string) => Outcome): void {
  app.http(`${LAST}unknown-${area}-path`, {
    methods: ALL_METHODS,
    authLevel: 'anonymous',
    route: `${area}/{*rest}`,
    handler: ({ method, params }) => wholeAnswer(outcomeOf(`/${area}/${params['rest'] ?? ''}`).answer, method),
  });
}

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
  // Of a path that two routes match, one by a literal, each names its own methods.
  return allowed.length > 0
    ? { type: 'method-not-allowed', allowed: [...new Set(allowed)] }
    : { type: 'no-such-route' };
}
