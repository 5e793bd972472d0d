// The methods of HTTP that can reach the app, and how the app hears of each. Pure.
import { METHODS } from 'node:http';
import type { HttpMethod } from '@azure/functions';
import type { Method } from './route.ts';

/** What the worker's own server can read: no other passes it. A CONNECT is not for a path, and Node hands it to no listener. */
export const ALL_METHODS = METHODS.filter((method) => method !== 'CONNECT') as HttpMethod[];

/** A server that answers GET must answer HEAD (RFC 9110, 9.1). */
export const methodsOf = (method: Method): ('HEAD' | Method)[] => (method === 'GET' ? ['GET', 'HEAD'] : [method]);

/** The fetch standard forbids them: the library makes no `Request` of one, and its invocation would fail. */
const FORBIDDEN: ReadonlySet<string | undefined> = new Set(['TRACE', 'TRACK', 'CONNECT']);
const UNKNOWN_HERE = 'OPTIONS';

/** No route takes a forbidden method, so it may as well be another one that none takes: the answer, 405, is the same. */
export function makeHearable(request: { method?: string | undefined }): void {
  if (FORBIDDEN.has(request.method)) request.method = UNKNOWN_HERE;
}
