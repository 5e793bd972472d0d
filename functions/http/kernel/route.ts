// What a route is. Each is defined once; its registration, validation, authorization and description all come from here.
// Programs call those of json-route.ts, people those of pages/shell/page-route.ts: each kind brings its own edge, and the kernel knows neither. Pure.
import type * as z from 'zod';
import type { Actor } from '../../../shared/domain/audit.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import type { Result } from '../../../shared/domain/result.ts';
import type { FailureArea } from '../../../shared/failures.ts';
import type { BodySource } from './body.ts';
import type { ErrorCode } from './error-codes.ts';
import type { Tag } from './tags.ts';
import type { Role } from './roles.ts';
import type { EdgeRefusal } from './errors.ts';
import type { PlainAnswer } from './whole-answer.ts';

/** Where programs call. `routePrefix` in host.json is empty: paths are told here and nowhere else. */
export const API_PREFIX = '/api/v1';

/** The first segment of every path of a route: of programs, then of people. */
export const AREAS_OF_ROUTES = ['api', 'consent', 'verify'] as const;
/** Kept for pages to come. */
export const RESERVED_AREAS = ['portal', 'operator'] as const;
export const AREAS = [...AREAS_OF_ROUTES, ...RESERVED_AREAS] as const;
export type Area = (typeof AREAS)[number];

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** `read`: If-None-Match of what one has answers 304. `write`: If-Match, If-None-Match: *. `delete`: If-Match. */
export type Conditions = 'read' | 'write' | 'delete';

/** What everything that handles a call knows of it, beside its parsed input. */
export interface CallContext {
  /** Who is recorded as having asked, from where. `by` is empty on open routes. */
  readonly actor: Actor;
  /** Whose Idempotency-Key it is: the caller without what is asserted. */
  readonly subject: string;
  /** The store's ETag, or `*`. */
  readonly ifMatch?: string;
  readonly ifNoneMatch?: '*';
  readonly idempotencyKey?: string;
  /** `https://host/api/v1` from the settings, for links to resources. */
  readonly baseUrl: string;
  /** `https://host` from the settings, for links to pages. */
  readonly origin: string;
  readonly isVendorAdmin: boolean;
  /** Of the company in the path. */
  readonly isCompanyAdmin: boolean;
  /** The only companies that a confined caller may know of, each as a whole; undefined: all. */
  readonly companies: ReadonlySet<string> | undefined;
  /** The only keyrings, of the company in the path; undefined: all. */
  readonly keyrings: ReadonlySet<string> | undefined;
}

export interface Call<P, Q, B> extends CallContext {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
}

export interface RouteDescription {
  /** Also the function's name in Azure. */
  readonly operationId: string;
  readonly method: Method;
  /** Parameters in braces. Below /api/v1; of a page, from the root. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** `open`: no token asked. */
  readonly roles: readonly Role[] | 'open';
  /** A query parameter with which the call is another one, for other roles. */
  readonly rolesWith?: { readonly parameter: string; readonly roles: readonly Role[] };
  /** What a token must reach that is confined: without it what the path names, all companies if it names none. `own`: any, and is answered of its own. */
  readonly reaches?: 'whole-company' | 'own';
  readonly conditions?: Conditions;
  readonly idempotencyKey?: true;
  /** What may be answered when all is well: status and when. 204 and 304 have no body. */
  readonly answers: Readonly<Record<number, string>>;
  /** Also without conditions: it is the one that a write of the resource takes. */
  readonly answersEtag?: true;
  /** Where an Operation-Location leads: 200 says when to look again, until the work has ended. */
  readonly isFollowed?: true;
  /** Codes of its errors beside those that follow from what it is (openapi/operation-codes.ts). */
  readonly refuses?: readonly ErrorCode[];
  /** Which failures it meets. */
  readonly fails?: readonly FailureArea[];
  /** Thirty a minute, for each company or, of sign-ins, for each link; beyond that 429. */
  readonly isLimited?: true;
  /** The answer carries plaintext keys. */
  readonly carriesKeys?: true;
}

/** Input as it arrived: texts from path and query; from the body JSON (undefined if there was none) or a form's fields. */
export interface RawInput {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface RouteSchemas {
  readonly pathSchema: z.ZodType;
  readonly querySchema: z.ZodType;
  readonly bodySchema?: z.ZodType;
  readonly answerSchema?: z.ZodType;
}

export type Refused = Refusal | EdgeRefusal;

/** What is used of a request of @azure/functions. */
export interface EdgeRequest extends BodySource {
  readonly url: string;
  readonly query: Iterable<[string, string]>;
  /** Of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** What answers name. */
export interface Answering {
  readonly requestId: string;
  /** The vendor as pages name it. */
  readonly vendorName: string;
}

/** What came of a call: the answer as it is sent and, if it is a refusal, which. */
export interface Outcome {
  readonly answer: PlainAnswer;
  readonly refused?: Refused;
}

/** How one kind of caller is met. `C`: what its routes know of a call; `A`: what they answer; `R`: how they refuse, beside what all do. */
export interface Edge<C, A, R> {
  readonly readBody: (request: BodySource) => Promise<Result<unknown, EdgeRefusal>>;
  readonly complete: (context: CallContext, request: EdgeRequest) => C;
  readonly answer: (
    answer: A,
    about: Answering & { readonly route: RouteDescription; readonly request: EdgeRequest },
  ) => PlainAnswer;
  readonly refuse: (refused: R | Refused, about: Answering & { readonly isVendorAdmin: boolean }) => Outcome;
}

export interface Route<D> extends RouteDescription, RouteSchemas {
  readonly answersAs: 'json' | 'page';
  readonly readBody: Edge<never, never, never>['readBody'];
  /** Parses the input, calls the operation, and turns what comes of it into the answer. */
  readonly invoke: (
    deps: D,
    input: RawInput,
    call: Answering & { readonly context: CallContext; readonly request: EdgeRequest },
  ) => Promise<Outcome>;
  /** The answer to a call that does not come as far as its operation. */
  readonly refuse: (refused: EdgeRefusal, about: Answering) => Outcome;
}

/** From the root: what callers write and the host matches. */
export const fullPath = ({ answersAs, path }: Pick<Route<never>, 'answersAs' | 'path'>): string =>
  answersAs === 'page' ? path : API_PREFIX + path;

/** A route that meets its callers by `edge`. */
export function routeBy<D, C, A, R>(
  edge: Edge<C, A, R>,
  described: RouteDescription & RouteSchemas & Pick<Route<D>, 'answersAs'>,
  run: (deps: D, input: RawInput, context: C) => Promise<Result<A, R | Refused>>,
): Route<D> {
  return {
    ...described,
    readBody: edge.readBody,
    invoke: async (deps, input, { context, request, requestId, vendorName }) => {
      const done = await run(deps, input, edge.complete(context, request));
      const about = { requestId, vendorName };
      return done.ok
        ? { answer: edge.answer(done.value, { ...about, route: described, request }) }
        : edge.refuse(done.error, { ...about, isVendorAdmin: context.isVendorAdmin });
    },
    refuse: (refused, about) => edge.refuse(refused, { ...about, isVendorAdmin: false }),
  };
}
