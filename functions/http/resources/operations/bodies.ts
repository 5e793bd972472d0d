// Timers as operators run them, and companies as they stand. Pure.
import * as z from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { Turn } from '../../../../shared/domain/timer-beat.ts';
import { TIMERS, type TimerName } from '../../../../shared/domain/timer-beat.ts';
import { STANDINGS } from '../../../../shared/domain/company-standing.ts';
import { MAX_STANDINGS_PAGE } from '../../../../shared/operations/watch/list-standings.ts';
import { failureOwner } from '../../kernel/schemas/failures.ts';
import { pageQueryUpTo } from '../../kernel/schemas/pages.ts';
import { companyId, count, EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';
import { longWorkStatus, type LongWorkStatus } from '../../kernel/schemas/long-work.ts';

export const timerPath = z.strictObject({
  timer: z.enum(TIMERS).meta({ description: 'A timer of the app.', example: 'sweep', param: { id: 'TimerParam' } }),
});

export const standingQuery = pageQueryUpTo(MAX_STANDINGS_PAGE).extend({
  state: z.enum(STANDINGS).optional(),
  owner: failureOwner.optional(),
  code: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be a code of a failure')
    .optional()
    .meta({ description: 'Of a failure.', example: 'access-denied-rbac' }),
  q: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ description: 'Beginnings of words of id and display name, in any case.', example: 'contoso' }),
});

export const standingOfCompany = z
  .strictObject({
    companyId,
    displayName: z.string(),
    state: z.enum(STANDINGS).meta({
      description:
        'The worst that is true of it. `vendor-key`: no key of its own. `waiting`: a switch waits for an answer. `blocked`: a switch waits for a decision.',
    }),
    since: time.optional(),
    code: z.string().optional(),
    owner: z.string().optional().meta({ description: 'Whose move it is.' }),
  })
  .meta({
    id: 'CompanyStanding',
    example: {
      companyId: 'contoso',
      displayName: 'Contoso',
      state: 'revoked',
      since: EXAMPLE_TIME,
      code: 'access-denied-rbac',
      owner: 'azure-admin',
    },
  });

export const turnBody = z
  .strictObject({
    timer: z.enum(TIMERS),
    status: longWorkStatus,
    startedAt: time.optional(),
    startedBy: z
      .enum(['schedule', 'request', 'traffic'])
      .optional()
      .meta({ description: '`traffic`: a call found it overdue.' }),
    instance: z.string().optional(),
    version: z.string().optional(),
    endedAt: time.optional(),
    done: z.record(z.string(), count).optional().meta({ description: 'How much each of its jobs did.' }),
    failed: z
      .array(z.string())
      .optional()
      .meta({ description: 'Jobs that failed or did not come back: the log says why.' }),
  })
  .meta({
    id: 'TimerTurn',
    description: 'The last turn of a timer.',
    example: {
      timer: 'sweep',
      status: 'Succeeded',
      startedAt: EXAMPLE_TIME,
      startedBy: 'request',
      instance: '019a9d3e-5a00-7000-8000-000000000001',
      version: '0.1.0',
      endedAt: EXAMPLE_TIME,
      done: { purged: 3 },
      failed: [],
    },
  });

type TurnBody = z.input<typeof turnBody>;

/** A turn that is neither over nor under way has died. */
const statusOf = ({ endedAt, failed }: Turn, isRunning: boolean): LongWorkStatus => {
  if (endedAt === undefined) return isRunning ? 'Running' : 'Failed';
  return failed.length === 0 ? 'Succeeded' : 'Failed';
};

export function turnToBody(timer: TimerName, turn: Turn | undefined, isRunning: boolean): TurnBody {
  if (!turn) return { timer, status: 'NotStarted' };
  const { startedAt, startedBy, instance, version, endedAt, done, failed } = turn;
  const status = statusOf(turn, isRunning);
  return { timer, status, startedAt, startedBy, instance, version, ...present({ endedAt }), done, failed: [...failed] };
}
