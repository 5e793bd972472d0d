// Webhooks, how their deliveries stand, and what was given up, as the API shows them.
import * as z from 'zod';
import { isEventType } from '../../../../shared/domain/event-types.ts';
import { NO_COMPANY } from '../../../../shared/domain/ids.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import {
  MAX_WEBHOOK_TYPES,
  SIGNATURE_KINDS,
  WEBHOOK_STATES,
  WEBHOOK_TYPE,
  type Webhook,
} from '../../../../shared/domain/webhook.ts';
import type { ListedCursor, ListedLetter } from '../../../../shared/operations/notifications/dead-letters.ts';
import type { WebhookTest } from '../../../../shared/operations/notifications/test-webhook.ts';
import { failureBody, failureCode, publicFailure } from '../../kernel/schemas/failures.ts';
import { companyId, count, EXAMPLE_TIME, time, webhookId } from '../../kernel/schemas/ids.ts';

const MAX_URL_CHARS = 2_000;
const MAX_OVERLAP_HOURS = 168;
const DEFAULT_OVERLAP_HOURS = 24;
const MAX_KEYS = 3;
const EXAMPLE_URL = 'https://hooks.contoso.com/keyswitch';

const types = z
  .array(z.string().regex(WEBHOOK_TYPE, 'must be an action, the first part of actions with .*, or *'))
  .max(MAX_WEBHOOK_TYPES)
  .meta({
    description: 'Actions of the record (docs/audit.md), `vault.*`, or `*`. Empty: all but data-keys.calls.',
    example: ['vault.*', 'switch.completed'],
  });

const signature = z.enum(SIGNATURE_KINDS).meta({
  description: '`v1`: HMAC-SHA-256 by a shared secret. `v1a`: Ed25519, whose receiver holds nothing secret.',
});

export const webhookInput = z
  .strictObject({
    url: z.string().min(1).max(MAX_URL_CHARS).meta({
      description: 'https, a public host name, no IP address, no port, no user name, no fragment, no space.',
      example: EXAMPLE_URL,
    }),
    types: types.refine((all) => all.every(isEventType), 'there is no such action: see docs/audit.md').optional(),
    signature: signature.optional().meta({ description: '`v1` if it is not given. It stays as it was at first.' }),
  })
  .meta({ id: 'WebhookInput', example: { url: EXAMPLE_URL, types: ['vault.*'], signature: 'v1' } });

const verifier = z.string().meta({
  description:
    'What the receiver verifies with: `whsec_…`, or `whpk_…` of `v1a`. Only in the answer that made the key: it is shown this once.',
});

export const webhookBody = z
  .strictObject({
    webhookId,
    url: z.string(),
    types,
    signature,
    state: z.enum(WEBHOOK_STATES).meta({
      description: '`off`: the receiver answered 410 Gone. Put it again to switch it on.',
    }),
    createdAt: time,
    keys: z
      .array(
        z.strictObject({
          createdAt: time,
          expiresAt: time.optional().meta({ description: 'Until then it signs beside the newer one.' }),
          publicKey: z.string().optional(),
        }),
      )
      .max(MAX_KEYS),
    verifier: verifier.optional(),
  })
  .meta({
    id: 'Webhook',
    example: {
      webhookId: 'siem',
      url: EXAMPLE_URL,
      types: ['vault.*'],
      signature: 'v1',
      state: 'on',
      createdAt: EXAMPLE_TIME,
      keys: [{ createdAt: EXAMPLE_TIME }],
    },
  });

export const webhookToBody = (
  { webhookId: id, url, types: of, state, createdAt, keys }: Webhook,
  told?: string,
): z.input<typeof webhookBody> => ({
  webhookId: id,
  url,
  types: [...of],
  signature: keys[0]?.kind ?? 'v1',
  state,
  createdAt,
  keys: keys.slice(0, MAX_KEYS).map(({ createdAt: madeAt, expiresAt, publicKey }) => ({
    createdAt: madeAt,
    ...present({ expiresAt, publicKey }),
  })),
  ...present({ verifier: told }),
});

export const rotateInput = z
  .strictObject({
    overlapHours: z
      .number()
      .int()
      .min(0)
      .max(MAX_OVERLAP_HOURS)
      .optional()
      .meta({
        description: `For so long the key before signs too; ${DEFAULT_OVERLAP_HOURS} if it is not given. 0: it leaked.`,
      }),
  })
  .meta({ id: 'WebhookKeyRotation', example: { overlapHours: DEFAULT_OVERLAP_HOURS } })
  .optional();

export const overlapOf = (input: z.output<typeof rotateInput>): number => input?.overlapHours ?? DEFAULT_OVERLAP_HOURS;

export const webhookTestBody = z
  .strictObject({ status: z.enum(['taken', 'failed']), testedAt: time, failure: failureBody.optional() })
  .meta({ id: 'WebhookTest', example: { status: 'taken', testedAt: EXAMPLE_TIME } });

export const testToBody = (
  { testedAt, failure }: WebhookTest,
  audience: { readonly isVendorAdmin: boolean },
): z.input<typeof webhookTestBody> =>
  failure ? { status: 'failed', testedAt, failure: publicFailure(failure, audience) } : { status: 'taken', testedAt };

const ofCompany = companyId.optional().meta({ description: 'Absent: of what belongs to no company.' });

export const deliveryBody = z
  .strictObject({
    companyId: ofCompany,
    sequence: count.meta({ description: 'Of the last event that is not to be sent any more.' }),
    deliveredAt: time.optional(),
    attempts: count.meta({ description: 'At the next event, in vain.' }),
    failingSince: time.optional(),
    nextAt: time.optional(),
    code: failureCode.optional(),
  })
  .meta({ id: 'Delivery', example: { companyId: 'contoso', sequence: 7, deliveredAt: EXAMPLE_TIME, attempts: 0 } });

/** The row may have been written by another version: a code or a time that is none is left out. */
export function deliveryToBody(cursor: ListedCursor): z.input<typeof deliveryBody> {
  const { companyId: of, sequence, attempts, deliveredAt, failingSince, nextAt, code } = cursor;
  const readable = (at: string | undefined): string | undefined => time.safeParse(at).data;
  return {
    sequence,
    attempts,
    ...(of === NO_COMPANY ? {} : { companyId: of }),
    ...present({
      deliveredAt: readable(deliveredAt),
      failingSince: readable(failingSince),
      nextAt: readable(nextAt),
      code: failureCode.safeParse(code).data,
    }),
  };
}

export const deadLetterBody = z
  .strictObject({
    companyId: ofCompany,
    sequence: count,
    eventId: z.string(),
    type: z.string(),
    at: time,
    deadAt: time,
    code: failureCode.optional(),
  })
  .meta({
    id: 'DeadLetter',
    description: 'An event that the receiver did not take for three days. It stays in the record.',
    example: {
      companyId: 'contoso',
      sequence: 7,
      eventId: '019ad3f0-5b1c-7e6a-9c44-2f1d7e5a0b3c',
      type: 'vault.revoked',
      at: EXAMPLE_TIME,
      deadAt: '2026-12-03T08:00:00.000Z',
      code: 'webhook-timed-out',
    },
  });

export function letterToBody(letter: ListedLetter): z.input<typeof deadLetterBody> {
  const { companyId: of, sequence, eventId, action, at, deadAt, code } = letter;
  return {
    sequence,
    eventId,
    type: action,
    at,
    deadAt,
    ...(of === NO_COMPANY ? {} : { companyId: of }),
    ...present({ code: failureCode.safeParse(code).data }),
  };
}
