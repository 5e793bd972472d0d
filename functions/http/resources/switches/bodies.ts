// A switch as callers see it, and its mapping from the operations' view. Pure.
import * as z from 'zod';
import { VENDORS_REF } from '../../../../shared/providers/registry/providers.ts';
import type { Blocked } from '../../../../shared/domain/switch.ts';
import { MAX_TENANTS_PER_COMPANY } from '../../../../shared/domain/tenant.ts';
import { TENANT_KIND_NAMES } from '../../../../shared/identity/registry/tenant-kinds.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { SwitchView } from '../../../../shared/operations/switches/view.ts';
import { failureBody, failureOwner, storedFailure } from '../../kernel/schemas/failures.ts';
import { count, dataKeyId, EXAMPLE_TIME, keyringId, switchId, time } from '../../kernel/schemas/ids.ts';
import { providerRef, EXAMPLE_REF } from '../../kernel/schemas/provider-ref.ts';
import { longWorkStatus, type LongWorkStatus } from '../../kernel/schemas/long-work.ts';

const blocked = z
  .strictObject({
    reason: z.enum(['provider', 'counts-differ', 'key-not-kept', 'dead-letter']),
    since: time,
    side: z.enum(['source', 'target']).optional().meta({ description: 'Which of the two vaults refuses.' }),
    failure: failureBody.optional(),
    detail: z.string().optional(),
  })
  .meta({ description: 'What the switch waits for, and whose move it is.' });

export const retryBody = z
  .strictObject({
    direction: z.enum(['forward', 'back']).optional(),
    withoutKeeping: z.literal(true).optional().meta({
      description:
        'End the switch although the company key that goes cannot be kept. Data keys that are only in an older copy of the tables then open no more.',
    }),
  })
  .refine(
    ({ direction, withoutKeeping }) => direction === undefined || withoutKeeping === undefined,
    'direction and withoutKeeping do not go together',
  )
  .meta({
    id: 'SwitchRetry',
    description: 'At most one of the two.',
    override: { maxProperties: 1 },
    example: { direction: 'back' },
  });

const waitsFor = z
  .discriminatedUnion('reason', [
    z
      .strictObject({
        reason: z.literal('tenant-unverified'),
        owner: z.enum(['company-admin']).meta({ description: 'Whose move it is.' }),
      })
      .meta({ id: 'WaitsForTenant' }),
    z
      .strictObject({
        reason: z
          .literal('company-admin')
          .meta({ description: 'The vendor ordered it; an admin of the company confirms or cancels it.' }),
        owner: z.enum(['company-admin']).meta({ description: 'Whose move it is.' }),
      })
      .meta({ id: 'WaitsForCompanyAdmin' }),
    z
      .strictObject({
        reason: z.literal('provider').meta({ description: 'A vault, or the way to it, fails in a way that may pass.' }),
        owner: failureOwner.meta({ description: 'Whose move it is, if it lasts.' }),
        side: z.enum(['source', 'target']).optional().meta({ description: 'Which of the two vaults it is about.' }),
        since: time,
        nextTryAt: time.optional().meta({ description: 'Absent: the timer, which looks every minute, tries it next.' }),
        failure: failureBody
          .optional()
          .meta({ description: 'Absent where another version of Keyswitch met one that this version does not know.' }),
      })
      .meta({ id: 'WaitsForProvider' }),
    z
      .strictObject({
        reason: z.literal('worker').meta({
          description:
            'For a minute nobody has done anything for it, and no failure says why: its messages do not come through, or those that work are busy with others.',
        }),
        owner: z.enum(['vendor']).meta({ description: 'Whose move it is, if it lasts.' }),
        since: time.meta({ description: 'When it last moved.' }),
      })
      .meta({ id: 'WaitsForWorker' }),
  ])
  .meta({
    id: 'WaitsFor',
    description:
      'What it waits for although nobody has to decide anything. It goes on by itself as soon as that is there; cancelling is possible at any moment.',
  });

export const switchBody = z
  .strictObject({
    switchId,
    keyringId,
    kind: z.enum(['switch', 'rekey']),
    state: z.enum(['pending-verification', 'preparing', 're-protecting', 'rolling-back', 'completed', 'cancelled']),
    status: longWorkStatus,
    source: providerRef,
    target: providerRef,
    counts: z.strictObject({ total: count, done: count, checked: count, quarantined: count, lost: count }).meta({
      description:
        'Exact. `done` are at the version that the switch moves to; `checked` of them were opened anew and compared.',
    }),
    ratePerSecond: z.number().min(0).optional().meta({
      description:
        'Steps a second since the present direction began, pauses included; a data key takes two: it is moved, then opened anew.',
    }),
    secondsLeft: count.optional().meta({ description: 'At that rate, rounded up.' }),
    paused: z.boolean(),
    blocked: blocked.optional(),
    quarantine: z
      .array(z.strictObject({ keyId: dataKeyId, reason: z.string() }))
      .max(100)
      .meta({ description: 'The first 100 data keys that wait for a decision.' }),
    unverifiedTenants: z
      .array(z.strictObject({ kind: z.enum(TENANT_KIND_NAMES), tenantId: z.string() }))
      .max(2 * MAX_TENANTS_PER_COMPANY)
      .meta({
        description:
          'Tenants whose administrators have to agree before it leaves `pending-verification` or, if they came later, before it completes. One that was removed from the company after the switch was ordered still counts.',
      }),
    waitsFor: waitsFor.optional(),
    createdAt: time,
    turnedAt: time.optional().meta({ description: 'When the present direction began.' }),
    endedAt: time.optional(),
  })
  .meta({
    id: 'Switch',
    example: {
      switchId: 'to-contoso',
      keyringId: 'default',
      kind: 'switch',
      state: 're-protecting',
      status: 'Running',
      source: VENDORS_REF,
      target: EXAMPLE_REF,
      counts: { total: 1203, done: 700, checked: 0, quarantined: 0, lost: 0 },
      ratePerSecond: 140.5,
      secondsLeft: 13,
      paused: false,
      quarantine: [],
      unverifiedTenants: [],
      createdAt: EXAMPLE_TIME,
    },
  });

export type SwitchBody = z.input<typeof switchBody>;

/** A blocked switch counts as running: once an admin has done what `blocked` asks for, it goes on. */
const STATUS_OF: Readonly<Record<SwitchView['state'], LongWorkStatus>> = {
  'pending-verification': 'NotStarted',
  preparing: 'Running',
  're-protecting': 'Running',
  'rolling-back': 'Running',
  completed: 'Succeeded',
  cancelled: 'Canceled',
};

export function switchToBody(view: SwitchView, audience: { readonly isVendorAdmin: boolean }): SwitchBody {
  const { switchId: id, keyringId: keyring, kind, state, source, target, paused, blocked: waiting, progress } = view;
  const { ratePerSecond, secondsLeft, ...counts } = progress;
  return {
    switchId: id,
    keyringId: keyring,
    kind,
    state,
    status: STATUS_OF[state],
    source,
    target,
    counts,
    paused,
    quarantine: view.quarantine.map((row) => ({ ...row })),
    unverifiedTenants: view.unverifiedTenants.map((tenant) => ({ ...tenant })),
    createdAt: view.createdAt,
    ...present({
      ratePerSecond: ratePerSecond === undefined ? undefined : Math.round(ratePerSecond * 10) / 10,
      secondsLeft: secondsLeft === undefined ? undefined : Math.ceil(secondsLeft),
      blocked: waiting && blockedToBody(waiting, audience),
      waitsFor: waitsForToBody(view, audience),
      turnedAt: view.turnedAt,
      endedAt: view.endedAt,
    }),
  };
}

function waitsForToBody(
  view: SwitchView,
  audience: { readonly isVendorAdmin: boolean },
): z.input<typeof waitsFor> | undefined {
  if (view.waitsFor === 'company-admin') return { reason: 'company-admin', owner: 'company-admin' };
  if (view.waitsFor === 'tenants') return { reason: 'tenant-unverified', owner: 'company-admin' };
  if (view.idleSince !== undefined) return { reason: 'worker', owner: 'vendor', since: view.idleSince };
  const { trouble } = view;
  if (!trouble || view.paused || view.blocked) return undefined;
  const { failure, since, side, nextTryAt } = trouble;
  return {
    reason: 'provider',
    owner: failureOwner.safeParse(failure.owner).data ?? 'vendor',
    since,
    ...present({ side, nextTryAt, failure: storedFailure(failure, audience) }),
  };
}

function blockedToBody(waiting: Blocked, audience: { readonly isVendorAdmin: boolean }): z.input<typeof blocked> {
  if (waiting.reason === 'dead-letter') return { ...waiting };
  const { failure, ...rest } = waiting;
  return { ...rest, ...present({ failure: storedFailure(failure, audience) }) };
}
