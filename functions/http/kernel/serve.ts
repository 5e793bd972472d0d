// The way of every call, in one order: who asks, whether they may, the body, the input, the operation, the answer.
// Decides nothing itself. Every exception ends here: our own store being away is "ask again", anything else is a bug.
import { present } from '../../../shared/domain/plain-object.ts';
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { Recording } from '../../../shared/store/record-event.ts';
import { StoreUnavailable } from '../../../shared/domain/store-unavailable.ts';
import type { Log } from '../../../shared/domain/ports.ts';
import type { TokenVerifier } from '../../../shared/identity/identity.ts';
import { uniquePairs } from './body.ts';
import { authenticate, clientAddress, refuse, requestedBy, type Caller, type CallerClaims } from './caller.ts';
import type { EdgeRefusal } from './errors.ts';
import { readPreconditions } from './preconditions.ts';
import { recordRefusal } from './record-refusal.ts';
import {
  API_PREFIX,
  type Answering,
  type CallContext,
  type EdgeRequest,
  type Outcome,
  type RawInput,
  type Refused,
  type Route,
  type RouteDescription,
} from './route.ts';
import type { Role } from './roles.ts';
import type { PlainAnswer } from './whole-answer.ts';

export interface EdgeServices extends Recording, CallerClaims {
  readonly verifier: TokenVerifier;
  /** Roles with which only tokens are taken that are confined to companies. */
  readonly mustBeConfined: ReadonlySet<Role>;
  /** Where the app is found, for links and to know its own pages: an origin. No request is asked for it. */
  readonly publicUrl: string;
  /** The vendor as pages name it. */
  readonly vendorName: string;
}

export function serve<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
): (request: EdgeRequest) => Promise<PlainAnswer> {
  const { log, entropy, vendorName } = deps;
  return async (request) => {
    const answering = { requestId: entropy.id(), vendorName };
    const about = { requestId: answering.requestId, operation: route.operationId };
    const done = await guarded(log, about, () => recorded(route, deps, request, answering));
    const { answer, refused } = done.ok ? done.value : route.refuse(done.error, answering);
    if (refused) logRefusal(log, { ...about, refused });
    return answer;
  };
}

/** What comes of the call. A refusal of a caller who is known is recorded. */
async function recorded<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
  request: EdgeRequest,
  answering: Answering,
): Promise<Result<Outcome, EdgeRefusal>> {
  const authorization = request.headers.get('authorization');
  const caller = route.roles === 'open' ? ok(undefined) : await authenticate(deps, authorization);
  if (!caller.ok) return caller;
  const { requestId } = answering;
  const call: Calling = {
    caller: caller.value,
    requestId,
    from: clientAddress(request.headers.get('x-forwarded-for')),
  };
  const outcome = await outcomeOf(route, deps, request, { ...call, ...answering });
  const refused = outcome.ok ? outcome.value.refused : outcome.error;
  if (refused) await recordRefusal(deps, { route, params: request.params, refused, ...call });
  return outcome;
}

/** What the operation makes of the call, if the caller may ask for it. */
async function outcomeOf<D extends EdgeServices>(
  route: Route<D>,
  deps: D,
  request: EdgeRequest,
  call: Calling & Answering,
): Promise<Result<Outcome, EdgeRefusal>> {
  const reserved = reservedName(request);
  if (reserved) return err(reserved);
  const refusal = refusalOf(route, request, { ...call, mustBeConfined: deps.mustBeConfined });
  if (refusal) return err(refusal);
  const context = contextOf(route, request, { ...call, publicUrl: deps.publicUrl });
  if (!context.ok) return context;
  const input = await inputOf(route, request);
  if (!input.ok) return input;
  const { requestId, vendorName } = call;
  return ok(await route.invoke(deps, input.value, { context: context.value, request, requestId, vendorName }));
}

async function guarded<T>(
  log: Log,
  about: { readonly requestId: string; readonly operation: string },
  act: () => Promise<Result<T, EdgeRefusal>>,
): Promise<Result<T, EdgeRefusal>> {
  // invariant 10: every exception becomes an answer
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
function refusalOf(
  route: RouteDescription,
  request: EdgeRequest,
  { caller, mustBeConfined }: Calling & Pick<EdgeServices, 'mustBeConfined'>,
): EdgeRefusal | undefined {
  if (!caller || route.roles === 'open') return undefined;
  const { companyId, keyringId } = request.params;
  const roles = rolesOf(route, request) ?? route.roles;
  const access = { roles, isShared: route.reaches === 'own', ...present({ companyId }) };
  const within = route.reaches === 'whole-company' ? {} : present({ keyringId });
  return refuse(caller, { ...access, ...within }, mustBeConfined);
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
    ...withinConfinement(caller, request.params['companyId']),
  });
}

function withinConfinement(caller: Caller | undefined, companyId = ''): Pick<CallContext, 'companies' | 'keyrings'> {
  const places = caller?.confinement.type === 'to' ? caller.confinement.places : undefined;
  const keyrings = places?.get(companyId);
  const whole = [...(places ?? [])].filter(([, within]) => within === 'whole').map(([id]) => id);
  return {
    companies: places && new Set(whole),
    keyrings: keyrings === 'whole' ? undefined : keyrings,
  };
}

const isCompanyAdmin = (caller: Caller | undefined, companyId: string | undefined): boolean =>
  caller?.roles.has('CompanyAdmin') === true && companyId !== undefined && caller.companyId === companyId;

async function inputOf(
  route: RouteDescription & Pick<Route<never>, 'readBody'>,
  request: EdgeRequest,
): Promise<Result<RawInput, EdgeRefusal>> {
  const query = uniquePairs('query', request.query);
  if (!query.ok) return query;
  const body = takesBody(route) ? await route.readBody(request) : ok(undefined);
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
  // The log is told of these in sum (turned-away.ts, call-rates.ts).
  if (refused.type === 'overloaded' || refused.type === 'over-rate') return;
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
