// The headers of requests as they are described, each once, and exactly what is taken of each.
import * as z from 'zod';
import { ENCODED_ACTOR } from '../actor.ts';
import { ETAG_CONDITION, ETAG_LIST } from '../etags.ts';
import { IDEMPOTENCY_KEY } from '../preconditions.ts';
import type { RouteDescription } from '../route.ts';

const ACTOR = {
  'Keyswitch-Actor': z
    .string()
    .regex(ENCODED_ACTOR)
    .optional()
    .meta({
      description:
        'The person who asked in the product of the vendor, 1 to 256 characters as percent-encoded UTF-8: recorded as asserted, never authorises. None that cannot be seen, and at least one that can.',
      example: 'Zo%C3%AB%20M%C3%BCller',
      param: { id: 'ActorParam' },
    }),
};
const IF_CHANGED = {
  'If-None-Match': z
    .string()
    .regex(ETAG_LIST)
    .optional()
    .meta({ description: '304 if the resource still has this ETag.', param: { id: 'IfChangedParam' } }),
};
const IF_ABSENT = {
  'If-None-Match': z
    .enum(['*'])
    .optional()
    .meta({ description: 'Only if there is none yet. Goes without If-Match.', param: { id: 'IfAbsentParam' } }),
};
const IF_UNCHANGED = {
  'If-Match': z
    .string()
    .regex(ETAG_CONDITION)
    .optional()
    .meta({
      description: 'Only if the resource still has this ETag, as it was answered, or, for `*`, exists.',
      param: { id: 'IfUnchangedParam' },
    }),
};
const ONCE = {
  'Idempotency-Key': z
    .string()
    .regex(IDEMPOTENCY_KEY)
    .optional()
    .meta({
      description:
        'The same key and body within 24 hours are the same request; another body, or the same for another keyring, is 409. Each caller has keys of its own in each company and for each operation.',
      example: '3f0c8a52-7d1e-4a53-9f0e-6a4c1f5b2d90',
      param: { id: 'IdempotencyKeyParam' },
    }),
};

/** Undefined on open routes: without a token the app reads none of these headers. */
export function requestHeadersOf(
  route: Pick<RouteDescription, 'roles' | 'conditions' | 'idempotencyKey'>,
): z.ZodObject | undefined {
  if (route.roles === 'open') return undefined;
  return z.object({
    ...ACTOR,
    ...(route.conditions === 'read' ? IF_CHANGED : {}),
    ...(route.conditions === 'write' ? IF_ABSENT : {}),
    ...(route.conditions === 'write' || route.conditions === 'delete' ? IF_UNCHANGED : {}),
    ...(route.idempotencyKey ? ONCE : {}),
  });
}
