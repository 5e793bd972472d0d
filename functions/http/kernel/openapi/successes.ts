// The answers when all is well, as they are described.
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import * as z from 'zod';
import type { Route } from '../route.ts';
import {
  ETAG,
  LOCATION,
  OPERATION_LOCATION,
  PAGE_HEADERS,
  POLL_AFTER,
  REFRESH,
  REQUEST_ID,
  RETRY_AFTER,
} from './answer-headers.ts';
import { PAGE_CONTENT } from './errors.ts';

type Described = Omit<Route<never>, 'invoke'>;

const BODILESS: ReadonlySet<string> = new Set(['204', '304']);

export function successesOf(route: Described): Record<string, ZodOpenApiResponseObject> {
  const all = { ...route.answers, ...(route.conditions === 'read' ? { 304: 'Not changed.' } : {}) };
  return Object.fromEntries(
    Object.entries(all).map(([status, description]) => [
      status,
      route.answersAs === 'page' ? pageOf(status, description) : successOf(route, status, description),
    ]),
  );
}

function successOf(route: Described, status: string, description: string): ZodOpenApiResponseObject {
  const { answerSchema: schema } = route;
  return {
    description,
    headers: z.object({
      ...REQUEST_ID,
      ...(status === '202' ? { ...OPERATION_LOCATION, ...RETRY_AFTER } : {}),
      ...(route.isFollowed === true && status === '200' ? POLL_AFTER : {}),
      ...(answersEtag(route) && status !== '202' && status !== '204' ? ETAG : {}),
    }),
    ...(schema === undefined || BODILESS.has(status) ? {} : { content: { 'application/json': { schema } } }),
  };
}

const answersEtag = (route: Described): boolean => route.answersEtag === true || route.conditions !== undefined;

function pageOf(status: string, description: string): ZodOpenApiResponseObject {
  const headers = z.object({ ...PAGE_HEADERS, ...(status === '303' ? LOCATION : REFRESH) });
  return { description, headers, content: PAGE_CONTENT };
}
