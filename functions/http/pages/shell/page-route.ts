// Defines a route that answers pages to people: the same table, validation and description as every other route, but a form in
// and a page out, and what the browser says of itself beside.
import * as z from 'zod';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import type { Result } from '../../../../shared/domain/result.ts';
import { readFormBody } from '../../kernel/body.ts';
import { NOTHING, parserOf, type Input } from '../../kernel/route-input.ts';
import {
  routeBy,
  type Call,
  type CallContext,
  type Edge,
  type Route,
  type RouteDescription,
} from '../../kernel/route.ts';
import { answerWithPage, refuseWithPage } from './answer-page.ts';
import { readBrowser } from './browser.ts';
import type { BrowserContext, PageAnswer, PageRefusal } from './page-answer.ts';

const PAGE_EDGE: Edge<CallContext & BrowserContext, PageAnswer, PageRefusal> = {
  readBody: readFormBody,
  complete: (context, request) => ({ ...context, ...readBrowser(request, { ownOrigin: context.origin }) }),
  answer: (answer, { route, ...about }) => answerWithPage(answer, { ...about, method: route.method }),
  refuse: refuseWithPage,
};

/** Path, query and form schemas that are left out accept nothing. Callers have no token here: links and one-time states admit them. */
export function definePageRoute<
  D,
  P extends z.ZodType = typeof NOTHING,
  Q extends z.ZodType = typeof NOTHING,
  B extends z.ZodType = typeof NOTHING,
>(
  route: Omit<RouteDescription, 'roles' | 'conditions' | 'idempotencyKey' | 'answersEtag' | 'carriesKeys'> & {
    readonly method: 'GET' | 'POST';
    readonly pathSchema?: P;
    readonly querySchema?: Q;
    /** The form's fields; texts all. */
    readonly bodySchema?: B;
    readonly run: (
      deps: D,
      call: Call<z.output<P>, z.output<Q>, z.output<B>> & BrowserContext,
    ) => Promise<Result<PageAnswer, PageRefusal | Refusal>>;
  },
): Route<D> {
  const { run, ...described } = route;
  const schemas = { pathSchema: route.pathSchema ?? NOTHING, querySchema: route.querySchema ?? NOTHING };
  const form = route.method === 'POST' ? { bodySchema: route.bodySchema ?? NOTHING } : {};
  const parse = parserOf<Input<P, Q, B>>({ bodySchema: z.undefined(), ...schemas, ...form });
  return routeBy(
    PAGE_EDGE,
    { ...described, ...schemas, ...form, roles: 'open', answersAs: 'page' },
    async (deps, raw, context) => {
      const input = parse(raw);
      return input.ok ? run(deps, { ...input.value, ...context }) : input;
    },
  );
}
