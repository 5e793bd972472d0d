// The way of every call, in one order: who asks, whether they may, the body, the input, the operation, the answer.
// Decides nothing itself. Whatever is thrown ends here: our own store being away is "ask again", anything else is a bug.
import type { HttpResponseInit } from '@azure/functions';
import { err, ok, type Result } from '../../shared/domain/result.ts';
import { StoreUnavailable, type Entropy, type Log, type TokenVerifier } from '../../shared/operations/ports.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import { readJsonBody, type BodySource } from './body.ts';
import { authenticate, refuse, requestedBy, type Caller } from './caller.ts';
import { namesEtag, publicEtag } from './etags.ts';
import { failureToResponse, type EdgeRefusal } from './failure-to-response.ts';
import { readPreconditions } from './preconditions.ts';
import type { Answer, RawInput, Route } from './route.ts';

export interface EdgeServices {
  readonly verifier: TokenVerifier;
  /** The claim that names the company of a CompanyAdmin. */
  readonly companyClaim: string;
  readonly entropy: Pick<Entropy, 'id'>;
  readonly log: Log;
}

/** What is used of a request of @azure/functions. */
export interface EdgeRequest extends BodySource {
  readonly url: string;
  readonly query: Iterable<[string, string]>;
  /** Of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export const API_PREFIX = '/api/v1';

type Refused = Refusal | EdgeRefusal;

export function serve<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
): (request: EdgeRequest) => Promise<HttpResponseInit> {
  return async (request) => {
    const requestId = deps.entropy.id();
    let isPartnerAdmin = false;
    const outcome = await guarded(deps.log, { requestId, operation: route.operationId }, async () => {
      const caller = await admit(route, deps, request);
      if (!caller.ok) return caller;
      isPartnerAdmin = caller.value?.roles.has('PartnerAdmin') ?? false;
      return answerTo(route, deps, request, caller.value);
    });
    if (outcome.ok) return succeeded(route, request, { requestId, answer: outcome.value });
    logRefusal(deps.log, { requestId, operation: route.operationId, refused: outcome.error });
    return refusedWith(outcome.error, { requestId, isPartnerAdmin });
  };
}

/** The answer in the shape of every error. */
export function refusedWith(
  refused: Refused,
  about: { readonly requestId: string; readonly isPartnerAdmin: boolean },
): HttpResponseInit {
  const { status, headers, body } = failureToResponse(refused, about);
  return { status, headers: { ...commonHeaders(about.requestId), ...headers }, jsonBody: body };
}

async function guarded<T>(
  log: Log,
  about: { readonly requestId: string; readonly operation: string },
  act: () => Promise<Result<T, Refused>>,
): Promise<Result<T, Refused>> {
  try {
    return await act();
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error('something that is no Error was thrown');
    const away = thrown instanceof StoreUnavailable;
    log.write({
      level: 'error',
      event: away ? 'http.store-unavailable' : 'http.bug',
      detail: { ...about, error: error.name, message: error.message, ...(away ? {} : { stack: error.stack }) },
    });
    return err(away ? { type: 'store-unavailable' } : { type: 'internal-error', requestId: about.requestId });
  }
}

/** The caller if they may; undefined on an open route. */
async function admit<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
  request: EdgeRequest,
): Promise<Result<Caller | undefined, EdgeRefusal>> {
  if (route.roles === 'open') return ok(undefined);
  const caller = await authenticate(deps, request.headers.get('authorization'));
  if (!caller.ok) return caller;
  const companyId = request.params['companyId'];
  const refusal = refuse(caller.value, { roles: route.roles, ...(companyId === undefined ? {} : { companyId }) });
  return refusal ? err(refusal) : caller;
}

async function answerTo<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
  request: EdgeRequest,
  caller: Caller | undefined,
): Promise<Result<Answer<unknown>, Refused>> {
  const actor = caller ? requestedBy(caller, request.headers.get('keyswitch-actor')) : ok('');
  if (!actor.ok) return actor;
  const preconditions = readPreconditions(route, request.headers);
  if (!preconditions.ok) return preconditions;
  const query = readQuery(request.query);
  if (!query.ok) return query;
  const body = takesBody(route) ? await readJsonBody(request) : ok(undefined);
  if (!body.ok) return body;
  const input: RawInput = { path: request.params, query: query.value, body: body.value };
  return route.invoke(deps, input, {
    ...preconditions.value,
    requestedBy: actor.value,
    subject: caller?.subject ?? '',
    baseUrl: new URL(request.url).origin + API_PREFIX,
    isPartnerAdmin: caller?.roles.has('PartnerAdmin') ?? false,
  });
}

/** An action without fields still gets its body read: a field sent to it in error is named, not ignored. */
const takesBody = <D>(route: Route<D>): boolean => route.method === 'PUT' || route.method === 'POST';

function readQuery(pairs: Iterable<[string, string]>): Result<Readonly<Record<string, string>>, EdgeRefusal> {
  const query = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (query.has(name)) {
      const detail = {
        code: 'invalid-value',
        target: `query.${name.slice(0, 64)}`,
        message: 'is given twice',
      } as const;
      return err({ type: 'invalid-request', details: [detail] });
    }
    query.set(name, value);
  }
  return ok(Object.fromEntries(query));
}

function succeeded<D>(
  route: Route<D>,
  request: EdgeRequest,
  { requestId, answer }: { readonly requestId: string; readonly answer: Answer<unknown> },
): HttpResponseInit {
  const etag = answer.etag === undefined ? undefined : publicEtag(answer.etag);
  const headers = {
    ...commonHeaders(requestId),
    ...(route.carriesKeys ? {} : { 'Cache-Control': 'private, no-cache' }),
    ...(etag === undefined ? {} : { ETag: etag }),
    ...answer.headers,
  };
  const known = route.conditions === 'read' ? request.headers.get('if-none-match') : null;
  if (known !== null && etag !== undefined && namesEtag(known, etag)) return { status: 304, headers };
  return { status: answer.status, headers, ...(answer.body === undefined ? {} : { jsonBody: answer.body }) };
}

/** Errors and whatever carries keys stay in no cache at all; the rest may be kept by its caller if it asks again each time. */
const commonHeaders = (requestId: string): Readonly<Record<string, string>> => ({
  'x-ms-request-id': requestId,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
});

/** The log gets the full failure; the caller a stable code and advice. */
function logRefusal(
  log: Log,
  about: { readonly requestId: string; readonly operation: string; readonly refused: Refused },
): void {
  const { refused, ...where } = about;
  if (refused.type !== 'failure') {
    log.write({ level: 'info', event: 'http.refused', detail: { ...where, type: refused.type } });
    return;
  }
  const { code, kind, service } = refused.failure;
  log.write({
    level: 'warning',
    event: 'http.refused',
    detail: {
      ...where,
      type: refused.type,
      code,
      kind,
      serviceStatus: service?.status,
      serviceCode: service?.code,
      serviceMessage: service?.message,
      correlationId: service?.correlationId,
    },
  });
}
