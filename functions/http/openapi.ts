// The description of the API in OpenAPI 3.1, from the same table that registers, validates and authorizes. Pure.
import * as z from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { ENCODED_ACTOR, MAX_ENCODED_ACTOR_CHARS } from './actor.ts';
import { IDEMPOTENCY_KEY } from './preconditions.ts';
import { claimOf } from './roles.ts';
import { fullPath, type Route } from './route.ts';
import { errorBody } from './schemas/failures.ts';

type Described = Omit<Route<never>, 'invoke'>;

const INTRODUCTION = `Customer-managed keys for software vendors.

Bearer tokens of Entra ID, version 2.0 access tokens, carry one of four app roles. A program gets one by the client-credentials
grant at https://login.microsoftonline.com/{tenant of the vendor}/oauth2/v2.0/token with the scope {application id URI of the
API}/.default, a managed identity for the same resource; DefaultAzureCredential does both. A company that a caller may not know of is
answered 404 like one that does not exist. Requests are JSON in UTF-8 of at most 1 MiB, or forms of at most 16 KiB where a
browser sends them; unknown fields are errors and named.
A collection answers at most 1,000 items a page. Long work answers 202 with Operation-Location and Retry-After. Every answer
carries x-ms-request-id, every error x-ms-error-code and the shape \`Error\`; a path that is not described here is 404, a method
405 with Allow; HEAD is answered wherever GET is. Ask again after an error if, and only if, it carries Retry-After: 429, 503, and a 409 whose \`kind\` is
\`propagating\`; with the same Idempotency-Key where there is one. Long work carries \`status\` for pollers. Routes that answer text/html are pages for people in a browser; they need no token, and refuse with the same
statuses and codes, on a page.`;

const ERRORS = {
  400: 'The request is not valid: `details` name every fault. Or the input was refused before anything was sent (code of a Failure).',
  401: 'No token, or one that is refused; WWW-Authenticate says why.',
  403: 'The token carries none of the roles that this takes.',
  404: 'There is no such thing, or the caller may not know of it.',
  408: 'The body did not arrive whole within thirty seconds.',
  409: 'A resource is in a state in which this cannot be done, or the key vault or Entra refuses.',
  410: 'The company was deleted; its id is never used again.',
  412: 'If-Match or If-None-Match did not hold.',
  413: 'The body is too large.',
  415: 'The body is not of the described media type.',
  429: 'Too many of these calls in this minute; Retry-After says when.',
  500: 'A fault of Keyswitch; the log names it by x-ms-request-id.',
  503: 'The store, the key vault or Entra cannot be reached or is throttled, or more calls wait than can be answered in time (`overloaded`: nothing was done); ask again after Retry-After.',
} as const;
type ErrorStatus = keyof typeof ERRORS;

export function describeApi<D>(routes: readonly Route<D>[], version: string): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const item = (paths[fullPath(route)] ??= {});
    item[route.method.toLowerCase()] = operationOf(route);
  }
  const description: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: {
      title: 'Keyswitch',
      version,
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
  };
  return createDocument(description);
}

function operationOf(route: Described): ZodOpenApiOperationObject {
  const header = headersOf(route);
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: route.roles === 'open' ? [] : route.roles.map((role) => ({ bearer: [claimOf(role)] })),
    requestParams: {
      path: objectSchema(route.pathSchema),
      query: objectSchema(route.querySchema),
      ...(header ? { header } : {}),
    },
    ...(route.bodySchema === undefined
      ? {}
      : {
          requestBody: {
            required: !route.bodySchema.safeParse(undefined).success,
            content: { [bodyType(route)]: { schema: route.bodySchema } },
          },
        }),
    responses: { ...successesOf(route), ...errorsOf(route) },
  };
}

const bodyType = (route: Described): string =>
  route.answersAs === 'page' ? 'application/x-www-form-urlencoded' : 'application/json';

function objectSchema(schema: z.ZodType): z.ZodObject {
  if (schema instanceof z.ZodObject) return schema;
  throw new TypeError('path and query are described by object schemas');
}

function headersOf(route: Described): z.ZodObject | undefined {
  if (route.roles === 'open') return undefined;
  const text = (description: string): z.ZodOptional<z.ZodString> => z.string().optional().meta({ description });
  return z.object({
    'Keyswitch-Actor': z.string().max(MAX_ENCODED_ACTOR_CHARS).regex(ENCODED_ACTOR).optional().meta({
      description:
        'The person who asked in the product of the vendor, 1 to 256 characters as percent-encoded UTF-8: recorded as asserted, never authorises.',
      example: 'Zo%C3%AB%20M%C3%BCller',
    }),
    ...(route.conditions === 'read' ? { 'If-None-Match': text('304 if the resource still has this ETag.') } : {}),
    ...(route.conditions === 'write' ? { 'If-None-Match': text('`*`: only if there is none yet.') } : {}),
    ...(route.conditions === 'write' || route.conditions === 'delete'
      ? { 'If-Match': text('Only if the resource still has this ETag, or, for `*`, exists.') }
      : {}),
    ...(route.idempotencyKey
      ? {
          'Idempotency-Key': z
            .string()
            .regex(IDEMPOTENCY_KEY)
            .optional()
            .meta({ description: 'The same key and body within 24 hours are the same request; another body is 409.' }),
        }
      : {}),
  });
}

function successesOf(route: Described): Record<string, ZodOpenApiResponseObject> {
  const all = { ...route.answers, ...(route.conditions === 'read' ? { 304: 'Not changed.' } : {}) };
  return Object.fromEntries(
    Object.entries(all).map(([status, description]) => [status, successOf(route, status, description)]),
  );
}

function successOf(route: Described, status: string, description: string): ZodOpenApiResponseObject {
  if (route.answersAs === 'page') return pageOf(status, description);
  const headers = z.object({
    'x-ms-request-id': z.string(),
    ...(route.path.endsWith('}') && status !== '204' ? { ETag: z.string().optional() } : {}),
    ...Object.fromEntries((route.answerHeaders ?? []).map((name) => [name, z.string().optional()])),
  });
  const hasBody = route.answerSchema !== undefined && status !== '204' && status !== '304';
  return {
    description,
    headers,
    ...(hasBody ? { content: { 'application/json': { schema: route.answerSchema } } } : {}),
  };
}

const PAGE = { 'text/html': { schema: z.string().meta({ description: 'A page, UTF-8.' }) } };
const PAGE_HEADERS = { 'x-ms-request-id': z.string(), 'Content-Security-Policy': z.string() };

function pageOf(status: string, description: string): ZodOpenApiResponseObject {
  const headers = z.object({
    ...PAGE_HEADERS,
    'Set-Cookie': z.string().optional(),
    ...(status === '303' ? { Location: z.string() } : { Refresh: z.string().optional() }),
  });
  return { description, headers, content: PAGE };
}

/** Those that answer of a company itself, and so of one that was deleted. */
const MEETS_CLOSED: ReadonlySet<string> = new Set(['get-company', 'put-company']);

/** Which errors a route can answer follows from what it is. */
function errorStatusesOf(route: Described): ErrorStatus[] {
  const writes = route.method !== 'GET';
  return [
    400,
    ...(route.roles === 'open' ? [] : ([401, 403] as const)),
    ...(route.roles === 'open' && route.answersAs === 'json' ? [] : ([409] as const)),
    ...(route.path.includes('{') ? ([404] as const) : []),
    ...(MEETS_CLOSED.has(route.operationId) ? ([410] as const) : []),
    ...(route.conditions === 'write' || route.conditions === 'delete' ? ([412] as const) : []),
    ...(writes && route.method !== 'DELETE' ? ([408, 413, 415] as const) : []),
    ...(route.isLimited ? ([429] as const) : []),
    500,
    503,
  ];
}

function errorsOf(route: Described): Record<string, ZodOpenApiResponseObject> {
  return Object.fromEntries(
    errorStatusesOf(route).map((status) => [
      String(status),
      {
        description: ERRORS[status],
        headers: z.object({
          'x-ms-request-id': z.string(),
          'x-ms-error-code': z.string(),
          ...(route.answersAs === 'page' ? { ...PAGE_HEADERS, 'Set-Cookie': z.string().optional() } : {}),
          ...(status === 401 ? { 'WWW-Authenticate': z.string() } : {}),
          ...(status === 503 || status === 429 ? { 'Retry-After': z.string() } : {}),
          ...(status === 409 ? { 'Retry-After': z.string().optional() } : {}),
        }),
        content: route.answersAs === 'page' ? PAGE : { 'application/json': { schema: errorBody } },
      },
    ]),
  );
}
