// Whether the process runs, whether it can work, and whether the timers do. Load balancers and monitors ask without a token and are told nothing
// more; operators are told why.
import * as z from 'zod';
import { err, ok } from '../../../../shared/domain/result.ts';
import type { Readiness } from '../../../../shared/store/readiness.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';

export interface HealthServices {
  readonly readiness: Pick<Readiness, 'find'>;
}

const status = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Status', example: { status: 'ok' } });
const OK = { status: 200, body: { status: 'ok' as const } };

const report = z
  .strictObject({
    status: z.enum(['ok', 'timer-late', 'not-ready']).meta({
      description: '`timer-late`: callers are served, but work that is due is not done. `warnings` name the timers.',
    }),
    checkedAt: time,
    reason: z.string().optional().meta({ description: 'Why it is not ready, in the words of the store.' }),
    warnings: z.array(z.string()).meta({ description: 'What works today and may not for ever.' }),
  })
  .meta({ id: 'Health', example: { status: 'ok', checkedAt: EXAMPLE_TIME, warnings: [] } });

export const healthRoutes = [
  defineRoute({
    operationId: 'get-liveness',
    method: 'GET',
    path: '/health/live',
    tag: 'health',
    summary: 'Whether the process runs',
    roles: 'open',
    answers: { 200: 'It runs.' },
    answerSchema: status,
    run: () => Promise.resolve(ok(OK)),
  }),
  defineRoute({
    operationId: 'get-readiness',
    method: 'GET',
    path: '/health/ready',
    tag: 'health',
    summary: 'Whether it can work',
    description:
      'For load balancers: the status says it, 200 or 503. What was found holds for five seconds. A late timer changes nothing here: no instance is to blame, and all serve.',
    roles: 'open',
    refuses: ['not-ready'],
    answers: { 200: 'It can work.' },
    answerSchema: status,
    run: async ({ readiness }: HealthServices) =>
      (await readiness.find()).isReady ? ok(OK) : err({ type: 'not-ready' as const }),
  }),
  defineRoute({
    operationId: 'get-timers-health',
    method: 'GET',
    path: '/health/timers',
    tag: 'health',
    summary: 'Whether the timers work',
    description:
      'For monitors that alert a person, never for load balancers: the same on every instance. Red when a timer is more than five minutes late.',
    roles: 'open',
    refuses: ['not-ready', 'timer-late'],
    answers: { 200: 'None is late.' },
    answerSchema: status,
    run: async ({ readiness }: HealthServices) => {
      const { isReady, late } = await readiness.find();
      if (!isReady) return err({ type: 'not-ready' as const });
      return late.length > 0 ? err({ type: 'timer-late' as const }) : ok(OK);
    },
  }),
  defineRoute({
    operationId: 'get-health',
    method: 'GET',
    path: '/health',
    tag: 'health',
    summary: 'Whether it can work, and why not',
    roles: ['VendorAdmin', 'Auditor'],
    answers: { 200: 'What was found in the last five seconds. That it is not ready is a result, not an error.' },
    answerSchema: report,
    run: async ({ readiness }: HealthServices) => {
      const { isReady, at, reason, late, warnings } = await readiness.find();
      const body = {
        status: isReady ? (late.length > 0 ? ('timer-late' as const) : ('ok' as const)) : ('not-ready' as const),
        checkedAt: at.toISOString(),
        warnings: [...warnings],
        ...(reason === undefined ? {} : { reason }),
      };
      return ok({ status: 200, body });
    },
  }),
] as const;
