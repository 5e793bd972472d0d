// The route table as functions of the app: one HTTP function per route, and one for every path below /api/v1 that no route
// takes. `app` is passed in, so that nothing happens on import.
import type { HttpHandler, HttpMethod, HttpMethodFunctionOptions } from '@azure/functions';
import { refuseWithJson } from './answer-json.ts';
import { serve, type EdgeServices } from './serve.ts';
import { pathMatches } from './path-match.ts';
import type { Route } from './route.ts';

/** What is used of `app` from @azure/functions. */
export interface HttpApp {
  http(
    name: string,
    options: HttpMethodFunctionOptions & { readonly methods: HttpMethod[]; readonly handler: HttpHandler },
  ): void;
}

const ALL_METHODS: HttpMethod[] = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];

export function registerRoutes<D extends EdgeServices>(app: HttpApp, routes: readonly Route<D>[], deps: D): void {
  for (const route of routes) {
    app.http(route.operationId, {
      methods: [route.method],
      authLevel: 'anonymous',
      route: `v1${route.path}`,
      handler: serve(route, deps),
    });
  }
  app.http('unknown-path', {
    methods: ALL_METHODS,
    authLevel: 'anonymous',
    route: 'v1/{*rest}',
    handler: (request) => unknownPath(routes, request.params['rest'] ?? '', deps.entropy.id()),
  });
}

/** 405 with Allow where another method would do, 404 otherwise; the same for everybody, so it needs no token. */
function unknownPath<D>(
  routes: readonly Route<D>[],
  rest: string,
  requestId: string,
): ReturnType<typeof refuseWithJson> {
  const allowed = routes.filter((route) => pathMatches(route.path, `/${rest}`)).map((route) => route.method);
  return refuseWithJson(allowed.length > 0 ? { type: 'method-not-allowed', allowed } : { type: 'no-such-route' }, {
    requestId,
    isPartnerAdmin: false,
  });
}
