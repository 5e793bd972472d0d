// How Keyswitch is, as its operators see it. Pure.
import * as z from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { Turn } from '../../../../shared/domain/timer-beat.ts';
import { TIMERS, type TimerName } from '../../../../shared/domain/timer-beat.ts';
import type { OperationsStatus, TimerStatus } from '../../../../shared/operations/watch/status.ts';
import { STANDINGS } from '../../../../shared/domain/company-standing.ts';
import { MAX_STANDINGS_PAGE } from '../../../../shared/operations/watch/list-standings.ts';
import { failureOwner } from '../../kernel/schemas/failures.ts';
import { pageQueryUpTo } from '../../kernel/schemas/pages.ts';
import { companyId, count, EXAMPLE_TIME, keyringId, switchId, time } from '../../kernel/schemas/ids.ts';
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

const isWhole = z.boolean().meta({ description: 'False if there may be more than is shown.' });

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

const timerBody = turnBody.extend({
  state: z.enum(['expected', 'on-time', 'running', 'overdue', 'late']).meta({
    description: '`overdue` after a minute: the next call begins it. `late` after five: `GET /health/timers` is red.',
  }),
  nextAt: time.optional().meta({ description: 'When the next turn is due.' }),
});

const instanceBody = z.strictObject({
  instance: z.string(),
  version: z.string(),
  startedAt: time,
  seenAt: time,
  isGone: z.boolean().meta({ description: 'It has said nothing for five minutes.' }),
});

const standingBody = z.strictObject({
  companyId,
  keyringId,
  switchId: switchId.optional(),
  reason: z
    .enum([
      'blocked-provider',
      'blocked-counts-differ',
      'blocked-key-not-kept',
      'blocked-dead-letter',
      'failure',
      'paused',
      'company-admin',
      'tenants',
      'unreadable',
    ])
    .meta({
      description:
        '`blocked-…`: an administrator decides, by `retry` or `cancel`; `retry` looks again from the tables. `failure` may pass by itself. `company-admin` and `tenants`: their word is missing.',
    }),
  since: time.optional(),
  code: z.string().optional(),
  owner: z.string().optional().meta({ description: 'Whose move it is.' }),
});

const letterBody = z.strictObject({
  id: z.string().meta({ description: 'SHA-256 of the message, which is not kept.' }),
  messageId: z.string().optional(),
  reason: z.string(),
  at: time,
});

const vaultBody = z.strictObject({ host: z.string(), times: count, firstAt: time, lastAt: time });

export const statusBody = z
  .strictObject({
    checkedAt: time,
    timers: z.array(timerBody),
    instances: z.strictObject({ value: z.array(instanceBody), isWhole }),
    switches: z
      .strictObject({ value: z.array(standingBody), isWhole })
      .meta({ description: 'Unfinished switches that stand still.' }),
    deadLetters: z.strictObject({ value: z.array(letterBody), isWhole }).meta({
      description:
        'Messages that were given up, the latest first. They carry no work: what the tables say is done all the same, but for a switch that one of them blocks.',
    }),
    throttledVaults: z.array(vaultBody).meta({
      description: 'Vaults that asked to wait within the last hour, as the instance that answers has seen it.',
    }),
  })
  .meta({
    id: 'OperationsStatus',
    example: {
      checkedAt: EXAMPLE_TIME,
      timers: [{ timer: 'sweep', status: 'NotStarted', state: 'expected' }],
      instances: { value: [], isWhole: true },
      switches: {
        value: [
          {
            companyId: 'contoso',
            keyringId: 'default',
            switchId: 'to-contoso',
            reason: 'blocked-provider',
            since: EXAMPLE_TIME,
            code: 'access-denied-rbac',
            owner: 'azure-admin',
          },
        ],
        isWhole: true,
      },
      deadLetters: { value: [], isWhole: true },
      throttledVaults: [],
    },
  });

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

const timerToBody = ({ timer, state, beat }: TimerStatus): z.input<typeof timerBody> => ({
  ...turnToBody(timer, beat?.turn, state === 'running'),
  state: state ?? 'expected',
  ...present({ nextAt: beat?.nextAt }),
});

export function statusToBody(status: OperationsStatus): z.input<typeof statusBody> {
  const { instances, switches, deadLetters } = status;
  return {
    checkedAt: status.checkedAt.toISOString(),
    timers: status.timers.map(timerToBody),
    instances: { value: [...instances.value], isWhole: instances.isWhole },
    switches: { value: [...switches.value], isWhole: switches.isWhole },
    deadLetters: {
      value: deadLetters.value.map(({ hash, messageId, reason, at }) => ({
        id: hash,
        ...(messageId === '' ? {} : { messageId }),
        reason,
        at,
      })),
      isWhole: deadLetters.isWhole,
    },
    throttledVaults: [...status.throttledVaults],
  };
}
