// The error answers of operations as they are described: one for each status, of programs and of pages, shared by all operations.
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import * as z from 'zod';
import { ERROR_CODES, isTransient } from '../error-codes.ts';
import { errorBody } from '../schemas/failures.ts';
import {
  CHALLENGE,
  ERROR_CODE,
  PAGE_HEADERS,
  PERHAPS_RETRY_AFTER,
  REQUEST_ID,
  RETRY_AFTER,
  TAKEN_ENCODINGS,
} from './answer-headers.ts';
import { ERROR_EXAMPLES } from './error-examples.ts';

const ERRORS = {
  400: {
    id: 'BadRequest',
    when: 'The request is not valid: `details` name every fault. Or the input was refused before anything was sent (code of a Failure).',
  },
  401: { id: 'Unauthenticated', when: ERROR_CODES.unauthenticated.when },
  403: { id: 'Forbidden', when: ERROR_CODES.forbidden.when },
  404: { id: 'NotFound', when: 'There is no such thing, or the caller may not know of it.' },
  408: { id: 'BodyIncomplete', when: ERROR_CODES['body-incomplete'].when },
  409: {
    id: 'Conflict',
    when: 'A resource is in a state in which this cannot be done, or the key vault or Entra refuses.',
  },
  410: { id: 'Gone', when: ERROR_CODES['company-closed'].when },
  412: { id: 'PreconditionFailed', when: 'If-Match or If-None-Match did not hold.' },
  413: { id: 'BodyTooLarge', when: 'The body is too large.' },
  415: { id: 'UnsupportedMediaType', when: ERROR_CODES['unsupported-media-type'].when },
  429: {
    id: 'TooManyRequests',
    when: 'Too many of these calls in this minute, or of data keys just now; Retry-After says when.',
  },
  500: { id: 'InternalError', when: ERROR_CODES['internal-error'].when },
  503: {
    id: 'Unavailable',
    when: 'The store, the key vault or Entra cannot be reached or is throttled, or more calls wait than can be answered in time (`overloaded`: nothing was done); ask again after Retry-After.',
  },
} as const;
export type ErrorStatus = keyof typeof ERRORS;
const STATUSES = Object.keys(ERRORS).map(Number) as ErrorStatus[];

const retryAfterOf = (status: ErrorStatus) => {
  if (isTransient(status)) return RETRY_AFTER;
  return status === 409 ? PERHAPS_RETRY_AFTER : {};
};

function jsonError(status: ErrorStatus): ZodOpenApiResponseObject {
  const { id, when } = ERRORS[status];
  return {
    id,
    description: when,
    headers: z.object({
      ...REQUEST_ID,
      ...ERROR_CODE,
      ...(status === 401 ? CHALLENGE : {}),
      ...(status === 415 ? TAKEN_ENCODINGS : {}),
      ...retryAfterOf(status),
    }),
    content: { 'application/json': { schema: errorBody, example: ERROR_EXAMPLES[status] } },
  };
}

export const PAGE_CONTENT = { 'text/html': { schema: z.string().meta({ description: 'A page, UTF-8.' }) } };

function pageError(status: ErrorStatus): ZodOpenApiResponseObject {
  const { id, when } = ERRORS[status];
  return {
    id: `${id}Page`,
    description: when,
    headers: z.object({
      ...PAGE_HEADERS,
      ...ERROR_CODE,
      ...(status === 415 ? TAKEN_ENCODINGS : {}),
      ...retryAfterOf(status),
    }),
    content: PAGE_CONTENT,
  };
}

const SHARED = {
  json: new Map(STATUSES.map((status) => [status, jsonError(status)])),
  page: new Map(STATUSES.map((status) => [status, pageError(status)])),
};

export const errorOf = (status: ErrorStatus, answersAs: 'json' | 'page'): ZodOpenApiResponseObject =>
  SHARED[answersAs].get(status) ?? jsonError(status);
