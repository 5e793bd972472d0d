// Routes for programs: JSON in, JSON out.
import * as z from 'zod';
import type { Result } from '../../../shared/domain/result.ts';
import { answerWithJson, refuseWithJson, type Answer } from './answer-json.ts';
import { readJsonBody } from './body.ts';
import { NOTHING, parserOf, type Input } from './route-input.ts';
import {
  routeBy,
  type Call,
  type CallContext,
  type Edge,
  type Refused,
  type Route,
  type RouteDescription,
} from './route.ts';

const JSON_EDGE: Edge<CallContext, Answer<unknown>, never> = {
  readBody: readJsonBody,
  complete: (context) => context,
  answer: answerWithJson,
  refuse: refuseWithJson,
};

const NO_BODY = z.undefined();

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
): Route<D> {
  const { run, ...described } = route;
  const schemas = { pathSchema: route.pathSchema ?? NOTHING, querySchema: route.querySchema ?? NOTHING };
  const parse = parserOf<Input<P, Q, B>>({ ...schemas, bodySchema: route.bodySchema ?? NO_BODY });
  return routeBy(JSON_EDGE, { ...described, ...schemas, answersAs: 'json' }, async (deps, raw, context) => {
    const input = parse(raw);
    return input.ok ? run(deps, { ...input.value, ...context }) : input;
  });
}
