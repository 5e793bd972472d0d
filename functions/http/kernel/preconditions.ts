// The headers that make a call conditional or repeatable: If-Match, If-None-Match, Idempotency-Key. Pure. A condition that a
// route cannot honour is refused: to ignore one is to overwrite what its sender wanted kept.
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import { present } from '../../../shared/domain/plain-object.ts';
import { storedEtag } from './etags.ts';
import type { EdgeRefusal } from './errors.ts';
import type { CallContext, RouteDescription } from './route.ts';

type Preconditions = Pick<CallContext, 'ifMatch' | 'ifNoneMatch' | 'idempotencyKey'>;

export const IDEMPOTENCY_KEY = /^[A-Za-z0-9._:-]{1,128}$/;

export function readPreconditions(
  route: Pick<RouteDescription, 'method' | 'conditions' | 'idempotencyKey'>,
  headers: { get(name: string): string | null },
): Result<Preconditions, EdgeRefusal> {
  const ifMatch = headers.get('if-match');
  // On a read it can only save an answer (serve.ts); to ignore it there is always right.
  const ifNoneMatch = route.method === 'GET' ? null : headers.get('if-none-match');
  const idempotencyKey = headers.get('idempotency-key');
  const preconditions: { -readonly [name in keyof Preconditions]: Preconditions[name] } = {};
  if (ifMatch !== null) {
    if (route.conditions !== 'write' && route.conditions !== 'delete')
      return invalid('If-Match', 'has no meaning here');
    const etag = storedEtag(ifMatch);
    if (!etag.ok) return invalid('If-Match', etag.error);
    preconditions.ifMatch = etag.value;
  }
  if (ifNoneMatch !== null) {
    if (route.conditions !== 'write') return invalid('If-None-Match', 'has no meaning here');
    if (ifNoneMatch.trim() !== '*') return invalid('If-None-Match', 'must be *');
    if (ifMatch !== null) return invalid('If-None-Match', 'contradicts If-Match');
    preconditions.ifNoneMatch = '*';
  }
  if (idempotencyKey !== null) {
    if (!route.idempotencyKey) return invalid('Idempotency-Key', 'has no meaning here');
    if (!IDEMPOTENCY_KEY.test(idempotencyKey))
      return invalid('Idempotency-Key', 'must be 1 to 128 letters, digits, dots, dashes, colons or underscores');
    preconditions.idempotencyKey = idempotencyKey;
  }
  return ok(preconditions);
}

const invalid = (name: string, message: string): Result<never, EdgeRefusal> =>
  err({
    type: 'invalid-request',
    details: [{ code: 'invalid-value', target: `header.${name}`, message: `${name} ${message}.` }],
  });

/** What an operation on a resource is told of the two. */
export const conditionsOf = ({
  ifMatch,
  ifNoneMatch,
}: CallContext): { readonly ifMatch?: string; readonly ifNoneMatch?: '*' } => present({ ifMatch, ifNoneMatch });

/** For operations that know no `*`: it asks only that there is something to change, which they say themselves. */
export const exactCondition = ({ ifMatch }: CallContext): { readonly ifMatch?: string } =>
  ifMatch === undefined || ifMatch === '*' ? {} : { ifMatch };
