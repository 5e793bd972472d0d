// How Keyswitch is, as its operators see it, with the addresses by which each thing is set going again. Pure.
import * as z from 'zod';
import { STANDINGS, sumOfCounts } from '../../../../shared/domain/company-standing.ts';
import { NO_COMPANY } from '../../../../shared/domain/ids.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { GivenUpEvents } from '../../../../shared/operations/watch/given-up-events.ts';
import type { StandingSwitch } from '../../../../shared/operations/watch/standing-switches.ts';
import type { OperationsStatus, TimerStatus } from '../../../../shared/operations/watch/status.ts';
import { companyId, count, EXAMPLE_TIME, keyringId, switchId, time, webhookId } from '../../kernel/schemas/ids.ts';
import { turnBody, turnToBody } from './bodies.ts';

const PARTS = [
  'timers',
  'instances',
  'companies',
  'workQueue',
  'checksQueue',
  'switches',
  'deadLetters',
  'givenUpEvents',
] as const;
const NONE = sumOfCounts([]);

const isWhole = z.boolean().meta({ description: 'False if there may be more than is shown.' });

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

const counted = z.strictObject(
  Object.fromEntries(STANDINGS.map((state) => [state, count])) as Record<(typeof STANDINGS)[number], typeof count>,
);

const queueBody = z
  .strictObject({
    ready: count.meta({ description: 'Messages that wait for a worker, or that a worker has.' }),
    scheduled: count.meta({ description: 'Messages that wait for their time.' }),
    oldestAt: time.optional().meta({ description: 'When the oldest ready one came.' }),
    deadLetters: count.meta({ description: 'Given up by the queue, and not yet recorded by the app.' }),
    isWhole,
  })
  .meta({
    description:
      'As its first 500 messages and dead letters show, by peeking: the exact numbers are told only to an identity that may manage the queue.',
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
  retryUrl: z.url().optional().meta({
    description: 'Of one that is blocked. POST looks again from the tables, once what blocked it is mended.',
  }),
});

const letterBody = z.strictObject({
  id: z.string().meta({ description: 'SHA-256 of the message, which is not kept.' }),
  messageId: z.string().optional(),
  reason: z.string(),
  at: time,
});

const givenUpBody = z.strictObject({
  companyId: companyId.optional().meta({ description: 'Absent for a webhook of the events of all companies.' }),
  webhookId,
  events: count.optional().meta({ description: 'How many; absent where they cannot be read.' }),
  isWhole,
  lastAt: time.optional().meta({ description: 'When the last of them was given up.' }),
  code: z.string().optional().meta({ description: 'Why.' }),
  redeliverUrl: z.url().meta({ description: 'POST delivers them again, once the receiver is mended.' }),
});

const vaultBody = z.strictObject({
  host: z.string(),
  times: count,
  firstAt: time,
  lastAt: time,
  restsUntil: time.meta({ description: 'Until then checks and switches leave it alone.' }),
  retryAfterSeconds: count.optional().meta({ description: 'As it asked by Retry-After.' }),
});

export const statusBody = z
  .strictObject({
    checkedAt: time,
    missing: z
      .array(
        z.strictObject({
          part: z.enum(PARTS),
          reason: z.string().meta({ description: 'In the words of its source.' }),
        }),
      )
      .meta({
        description: 'Parts that are absent below, since their source did not answer. The others hold all the same.',
      }),
    timers: z.array(timerBody).optional(),
    instances: z.strictObject({ value: z.array(instanceBody), isWhole }).optional(),
    companies: counted.optional().meta({
      description:
        'How many companies stand in each state. GET /operations/companies?state=… names them. What a switch does is counted within a minute.',
    }),
    workQueue: queueBody.optional(),
    checksQueue: queueBody.optional(),
    switches: z
      .strictObject({ value: z.array(standingBody), isWhole })
      .optional()
      .meta({ description: 'Unfinished switches that stand still.' }),
    deadLetters: z
      .strictObject({ value: z.array(letterBody), isWhole })
      .optional()
      .meta({
        description:
          'Messages that were given up, the latest first. They carry no work: what the tables say is done all the same, but for a switch that one of them blocks.',
      }),
    givenUpEvents: z
      .strictObject({ value: z.array(givenUpBody), isWhole })
      .optional()
      .meta({ description: 'Webhooks whose receiver did not take events for three days. The record still has them.' }),
    throttledVaults: z.array(vaultBody).meta({
      description: 'Vaults that asked to wait within the last hour, as the instance that answers has seen it.',
    }),
  })
  .meta({
    id: 'OperationsStatus',
    example: {
      checkedAt: EXAMPLE_TIME,
      missing: [{ part: 'checksQueue', reason: 'Service Bus: nothing heard in time' }],
      timers: [{ timer: 'sweep', status: 'NotStarted', state: 'expected' }],
      instances: { value: [], isWhole: true },
      companies: { ...NONE, blocked: 1, healthy: 41 },
      workQueue: { ready: 1, scheduled: 2, oldestAt: EXAMPLE_TIME, deadLetters: 0, isWhole: true },
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
            retryUrl:
              'https://keyswitch.vendor.com/api/v1/companies/contoso/keyrings/default/switches/to-contoso/retry',
          },
        ],
        isWhole: true,
      },
      deadLetters: { value: [], isWhole: true },
      givenUpEvents: {
        value: [
          {
            companyId: 'contoso',
            webhookId: 'siem',
            events: 3,
            isWhole: true,
            lastAt: EXAMPLE_TIME,
            code: 'webhook-refused',
            redeliverUrl: 'https://keyswitch.vendor.com/api/v1/companies/contoso/webhooks/siem/redeliver',
          },
        ],
        isWhole: true,
      },
      throttledVaults: [],
    },
  });

type StatusBody = z.input<typeof statusBody>;

const timerToBody = ({ timer, state, beat }: TimerStatus): z.input<typeof timerBody> => ({
  ...turnToBody(timer, beat?.turn, state === 'running'),
  state: state ?? 'expected',
  ...present({ nextAt: beat?.nextAt }),
});

const switchToBody = (one: StandingSwitch, baseUrl: string): z.input<typeof standingBody> => {
  const { companyId, keyringId, switchId, reason } = one;
  const url = `${baseUrl}/companies/${companyId}/keyrings/${keyringId}/switches/${switchId ?? ''}/retry`;
  return { ...one, ...(switchId !== undefined && reason.startsWith('blocked-') ? { retryUrl: url } : {}) };
};

const givenUpToBody = ({ companyId, ...one }: GivenUpEvents, baseUrl: string): z.input<typeof givenUpBody> => {
  const whose = companyId === NO_COMPANY ? '' : `/companies/${companyId}`;
  const redeliverUrl = `${baseUrl}${whose}/webhooks/${one.webhookId}/redeliver`;
  return { ...(whose === '' ? {} : { companyId }), ...one, redeliverUrl };
};

export function statusToBody(status: OperationsStatus, baseUrl: string): StatusBody {
  const { timers, instances, companies, workQueue, checksQueue, switches, deadLetters, givenUpEvents } = status;
  return {
    checkedAt: status.checkedAt.toISOString(),
    missing: [...status.missing],
    ...present({ companies, workQueue, checksQueue }),
    ...present({
      timers: timers?.map(timerToBody),
      instances: instances && { ...instances, value: [...instances.value] },
      switches: switches && { ...switches, value: switches.value.map((one) => switchToBody(one, baseUrl)) },
      deadLetters: deadLetters && {
        ...deadLetters,
        value: deadLetters.value.map(({ hash, messageId, reason, at }) => ({
          id: hash,
          ...(messageId === '' ? {} : { messageId }),
          reason,
          at,
        })),
      },
      givenUpEvents: givenUpEvents && {
        ...givenUpEvents,
        value: givenUpEvents.value.map((one) => givenUpToBody(one, baseUrl)),
      },
    }),
    throttledVaults: [...status.throttledVaults],
  };
}
