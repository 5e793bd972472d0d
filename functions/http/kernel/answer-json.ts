// Answers for programs: JSON, entity tags, and every error in one shape. Pure.
import { namesEtag, publicEtag } from './etags.ts';
import { refusalToResponse } from './errors.ts';
import type { EdgeRequest, Outcome, Refused, RouteDescription } from './route.ts';
import type { PlainAnswer } from './whole-answer.ts';

export interface Answer<A> {
  readonly status: number;
  readonly body?: A;
  /** The store's ETag of the resource. */
  readonly etag?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answerWithJson(
  answer: Answer<unknown>,
  about: {
    readonly requestId: string;
    readonly route: Pick<RouteDescription, 'carriesKeys' | 'conditions'>;
    readonly request: Pick<EdgeRequest, 'headers'>;
  },
): PlainAnswer {
  const { requestId, route } = about;
  const etag = answer.etag === undefined ? undefined : publicEtag(answer.etag);
  const headers = {
    ...commonHeaders(requestId),
    ...(route.carriesKeys ? {} : { 'Cache-Control': 'private, no-cache' }),
    ...(etag === undefined ? {} : { ETag: etag }),
    ...answer.headers,
  };
  const known = route.conditions === 'read' ? about.request.headers.get('if-none-match') : null;
  if (known !== null && etag !== undefined && namesEtag(known, etag)) return { status: 304, headers };
  return { status: answer.status, headers, ...(answer.body === undefined ? {} : { jsonBody: answer.body }) };
}

export function refuseWithJson(
  refused: Refused,
  about: { readonly requestId: string; readonly isVendorAdmin: boolean },
): Outcome {
  const { status, headers, body } = refusalToResponse(refused, about);
  return { refused, answer: { status, headers: { ...commonHeaders(about.requestId), ...headers }, jsonBody: body } };
}

/** No cache keeps errors or answers with keys. Callers may keep the rest, and ask each time whether it still holds. */
const commonHeaders = (requestId: string): Readonly<Record<string, string>> => ({
  'x-ms-request-id': requestId,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
});
