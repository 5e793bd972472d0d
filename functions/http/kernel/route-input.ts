// The input of a route, parsed by its schemas; what does not fit is refused with every fault. Pure.
import * as z from 'zod';
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import type { EdgeRefusal } from './errors.ts';
import type { RawInput } from './route.ts';
import { detailsOf } from './validation.ts';

export const NOTHING = z.strictObject({});

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
