// The way of every call, in one order: who asks, whether they may, the body, the input, the operation, the answer.
// Decides nothing itself. Whatever is thrown ends here: our own store being away is "ask again", anything else is a bug.
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { Recording } from '../../../shared/store/record-event.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Log } from '../../../shared/domain/ports.ts';
import type { TokenVerifier } from '../../../shared/identity/identity.ts';
import { answerWithJson, refuseWithJson } from './answer-json.ts';
import { readFormBody, readJsonBody, uniquePairs, type BodySource } from './body.ts';
import { authenticate, clientAddress, refuse, requestedBy, type Caller } from './caller.ts';
import type { EdgeRefusal } from './errors.ts';
import { answerWithPage, refuseWithPage } from '../pages/shell/answer-page.ts';
import { readBrowser } from '../pages/shell/browser.ts';
import type { PageRefusal } from '../pages/shell/page-answer.ts';
import { readPreconditions } from './preconditions.ts';
import { recordRefusal } from './record-refusal.ts';
import {
  API_PREFIX,
  type CallContext,
  type Handled,
  type RawInput,
  type Refused,
  type Route,
  type RouteDescription,
} from './route.ts';
import type { Role } from './roles.ts';
import type { PlainAnswer } from './whole-answer.ts';

export interface EdgeServices extends Recording {
  readonly verifier: TokenVerifier;
  /** The claim that names the company of a CompanyAdmin. */
  readonly companyClaim: string;
  /** Where the app is found, for links and to know its own pages: an origin. No request is asked for it. */
  readonly publicUrl: string;
  /** The vendor as pages name it. */
  readonly vendorName: string;
}

/** What is used of a request of @azure/functions. */
export interface EdgeRequest extends BodySource {
  readonly url: string;
  readonly query: Iterable<[string, string]>;
  /** Of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export function serve<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
): (request: EdgeRequest) => Promise<PlainAnswer> {
  const { log, entropy, vendorName, publicUrl: ownOrigin } = deps;
  if (route.answersAs === 'json') {
    return async (request) => {
      const about = { requestId: entropy.id(), operation: route.operationId };
      const { outcome, isVendorAdmin } = await passage(route, deps, request, {
        ...about,
        readBody: readJsonBody,
        complete: (context) => context,
        refusedOf: (error) => error,
      });
      if (outcome.ok) return answerWithJson(outcome.value, { ...about, route, headers: request.headers });
      logRefusal(log, { ...about, refused: outcome.error });
      return refuseWithJson(outcome.error, { ...about, isVendorAdmin });
    };
  }
  return async (request) => {
    const about = { requestId: entropy.id(), operation: route.operationId };
    const { outcome } = await passage(route, deps, request, {
      ...about,
      readBody: readFormBody,
      complete: (context) => ({ ...context, ...readBrowser(request, { ownOrigin }) }),
      refusedOf: withoutPage,
    });
    if (outcome.ok) return answerWithPage(outcome.value, { ...about, method: route.method, vendorName });
    logRefusal(log, { ...about, refused: withoutPage(outcome.error) });
    return refuseWithPage(outcome.error, { ...about, vendorName });
  };
}

const withoutPage = (error: PageRefusal | Refused): Refused => (error.type === 'on-page' ? error.refused : error);

interface Passing<C, R> {
  readonly requestId: string;
  readonly operation: string;
  readonly readBody: (request: BodySource) => Promise<Result<unknown, EdgeRefusal>>;
  /** What this kind of route knows beside. */
  readonly complete: (context: CallContext) => C;
  /** The refusal without what only its page needs. */
  readonly refusedOf: (error: R | EdgeRefusal) => Refused;
}

/** Nothing of it depends on how the route answers. */
async function passage<D extends EdgeServices, C, A, R>(
  route: Handled<D, C, A, R>,
  deps: D,
  request: EdgeRequest,
  passing: Passing<C, R>,
): Promise<{ readonly outcome: Result<A, R | EdgeRefusal>; readonly isVendorAdmin: boolean }> {
  const { requestId, operation, readBody, complete, refusedOf } = passing;
  let isVendorAdmin = false;
  const outcome = await guarded<A, R | EdgeRefusal>(deps.log, { requestId, operation }, async () => {
    const authorization = request.headers.get('authorization');
    const caller = route.roles === 'open' ? ok(undefined) : await authenticate(deps, authorization);
    if (!caller.ok) return caller;
    isVendorAdmin = caller.value?.roles.has('VendorAdmin') ?? false;
    const from = clientAddress(request.headers.get('x-forwarded-for'));
    const call: Calling = { caller: caller.value, requestId, from };
    const answer = await answered(route, deps, request, { ...call, readBody, complete });
    if (!answer.ok) {
      await recordRefusal(deps, { route, params: request.params, refused: refusedOf(answer.error), ...call });
    }
    return answer;
  });
  return { outcome, isVendorAdmin };
}

/** The answer, if the caller may have one. */
async function answered<D extends EdgeServices, C, A, R>(
  route: Handled<D, C, A, R>,
  deps: D,
  request: EdgeRequest,
  call: Calling & Pick<Passing<C, R>, 'readBody' | 'complete'>,
): Promise<Result<A, R | EdgeRefusal>> {
  const reserved = reservedName(request);
  if (reserved) return err(reserved);
  const refusal = refusalOf(route, request, call);
  if (refusal) return err(refusal);
  const context = contextOf(route, request, { ...call, publicUrl: deps.publicUrl });
  if (!context.ok) return context;
  const input = await inputOf(route, request, call.readBody);
  return input.ok ? route.invoke(deps, input.value, call.complete(context.value)) : input;
}

async function guarded<T, E>(
  log: Log,
  about: { readonly requestId: string; readonly operation: string },
  act: () => Promise<Result<T, E | EdgeRefusal>>,
): Promise<Result<T, E | EdgeRefusal>> {
  // invariant 10: whatever is thrown becomes an answer
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

/** Who calls: undefined on an open route. */
interface Calling {
  readonly caller: Caller | undefined;
  readonly requestId: string;
  readonly from: string;
}

/**
 * With streaming the host tells the app of headers under this name, and a parameter of the query takes its place
 * (HttpTriggerAttributeBindingProvider). The app reads headers from the request itself (sent-headers.ts); a query that aims at this is refused.
 */
const RESERVED_NAMES = new Set(['headers', 'query']);

function reservedName({ query }: EdgeRequest): EdgeRefusal | undefined {
  for (const [name] of query) {
    if (!RESERVED_NAMES.has(name.toLowerCase())) continue;
    const detail = {
      code: 'invalid-value',
      target: `query.${name}`,
      message: 'is a name that the host keeps for itself',
    } as const;
    return { type: 'invalid-request', details: [detail] };
  }
  return undefined;
}

/** Undefined if the caller may. */
function refusalOf(route: RouteDescription, request: EdgeRequest, { caller }: Calling): EdgeRefusal | undefined {
  if (!caller || route.roles === 'open') return undefined;
  const companyId = request.params['companyId'];
  const roles = rolesOf(route, request) ?? route.roles;
  return refuse(caller, { roles, ...(companyId === undefined ? {} : { companyId }) });
}

/** Undefined unless the call says that it is the other one. Whether it says so well is judged later. */
function rolesOf({ rolesWith }: RouteDescription, { query }: EdgeRequest): readonly Role[] | undefined {
  const names = rolesWith ? Array.from(query, ([name]) => name) : [];
  return rolesWith && names.includes(rolesWith.parameter) ? rolesWith.roles : undefined;
}

function contextOf(
  route: RouteDescription,
  request: EdgeRequest,
  { caller, requestId, from, publicUrl }: Calling & Pick<EdgeServices, 'publicUrl'>,
): Result<CallContext, EdgeRefusal> {
  const by = caller ? requestedBy(caller, request.headers.get('keyswitch-actor')) : ok('');
  if (!by.ok) return by;
  const preconditions = readPreconditions(route, request.headers);
  if (!preconditions.ok) return preconditions;
  return ok({
    ...preconditions.value,
    actor: { by: by.value, from, requestId },
    subject: caller?.subject ?? '',
    baseUrl: publicUrl + API_PREFIX,
    origin: publicUrl,
    isVendorAdmin: caller?.roles.has('VendorAdmin') ?? false,
    isCompanyAdmin: isCompanyAdmin(caller, request.params['companyId']),
  });
}

const isCompanyAdmin = (caller: Caller | undefined, companyId: string | undefined): boolean =>
  caller?.roles.has('CompanyAdmin') === true && companyId !== undefined && caller.companyId === companyId;

async function inputOf(
  route: RouteDescription,
  request: EdgeRequest,
  readBody: (request: BodySource) => Promise<Result<unknown, EdgeRefusal>>,
): Promise<Result<RawInput, EdgeRefusal>> {
  const query = uniquePairs('query', request.query);
  if (!query.ok) return query;
  const body = takesBody(route) ? await readBody(request) : ok(undefined);
  return body.ok ? ok({ path: request.params, query: query.value, body: body.value }) : body;
}

/** An action without fields still gets its body read: a field sent to it in error is named, not ignored. */
const takesBody = (route: RouteDescription): boolean => route.method === 'PUT' || route.method === 'POST';

/** The log gets the full failure, of which no plaintext or token is a part (invariants 7 and A22); the caller a stable code and advice. */
function logRefusal(
  log: Log,
  about: { readonly requestId: string; readonly operation: string; readonly refused: Refused },
): void {
  const { refused, ...where } = about;
  // Told of in sum (call-places.ts).
  if (refused.type === 'overloaded') return;
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
