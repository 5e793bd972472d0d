// What a route is. Each is defined once; its registration, validation, authorization and description all come from here.
// Pure: parses what it is given and hands it to the operation.
import * as z from 'zod';
import type { Actor } from '../../../shared/domain/audit.ts';
import type { Refusal } from '../../../shared/domain/refusal.ts';
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { FailureArea } from '../../../shared/domain/failure-catalogue.ts';
import type { ErrorCode } from './error-codes.ts';
import type { Tag } from './tags.ts';
import type { Role } from './roles.ts';
import type { EdgeRefusal } from './errors.ts';
import type { BrowserContext, PageAnswer, PageRefusal } from '../pages/shell/page-answer.ts';
import { detailsOf } from './validation.ts';

/** Where programs call. `routePrefix` in host.json is empty: paths are told here and nowhere else. */
export const API_PREFIX = '/api/v1';

/** The first segment of every path that is ours: programs, then people, then what is reserved for pages to come. */
export const AREAS = ['api', 'consent', 'verify', 'portal', 'operator'] as const;

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
}

export interface Call<P, Q, B> extends CallContext {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
}

export interface Answer<A> {
  readonly status: number;
  readonly body?: A;
  /** The store's ETag of the resource. */
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
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

/** Of whatever kind: `C` is what it knows of the call, `A` what it answers, `R` how it refuses. */
export interface Handled<D, C, A, R> extends RouteDescription, RouteSchemas {
  readonly invoke: (deps: D, input: RawInput, context: C) => Promise<Result<A, R | EdgeRefusal>>;
}

/** For programs: JSON in, JSON out. */
export interface JsonRoute<D> extends Handled<D, CallContext, Answer<unknown>, Refusal> {
  readonly answersAs: 'json';
}

/** For people in a browser: a form in, a page out (pages/shell/page-route.ts). */
export interface PageRoute<D> extends Handled<D, CallContext & BrowserContext, PageAnswer, PageRefusal | Refusal> {
  readonly answersAs: 'page';
}

export type Route<D> = JsonRoute<D> | PageRoute<D>;

/** From the root: what callers write and the host matches. */
export const fullPath = ({ answersAs, path }: Pick<Route<never>, 'answersAs' | 'path'>): string =>
  answersAs === 'page' ? path : API_PREFIX + path;

export const NOTHING = z.strictObject({});

/** `deps` of `run` name only what the operation uses. Path and query schemas that are left out accept nothing. */
export function defineRoute<
  D,
  P extends z.ZodType = typeof NOTHING,
  Q extends z.ZodType = typeof NOTHING,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(
  route: RouteDescription & {
    readonly pathSchema?: P;
    readonly querySchema?: Q;
    readonly bodySchema?: B;
    readonly answerSchema?: A;
    readonly run: (
      deps: D,
      call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    ) => Promise<Result<Answer<z.input<A>>, Refused>>;
  },
): JsonRoute<D> {
  const { run, ...described } = route;
  const schemas = { pathSchema: route.pathSchema ?? NOTHING, querySchema: route.querySchema ?? NOTHING };
  const parse = parserOf<Input<P, Q, B>>({ ...schemas, bodySchema: route.bodySchema ?? z.undefined() });
  return {
    ...described,
    ...schemas,
    answersAs: 'json',
    invoke: async (deps, raw, context) => {
      const input = parse(raw);
      return input.ok ? run(deps, { ...input.value, ...context }) : input;
    },
  };
}

export interface Input<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly path: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

/** `I` is what these schemas put out; zod cannot say so of schemas that are parameters themselves. */
export function parserOf<I>(schemas: {
  readonly pathSchema: z.ZodType;
  readonly querySchema: z.ZodType;
  readonly bodySchema: z.ZodType;
}): (raw: RawInput) => Result<I, EdgeRefusal> {
  const { pathSchema: path, querySchema: query, bodySchema: body } = schemas;
  const input = z.object({ path, query, body });
  return (raw) => {
    const parsed = input.safeParse(raw);
    return parsed.success
      ? ok(parsed.data as I)
      : err({ type: 'invalid-request', details: detailsOf(parsed.error, raw) });
  };
}
