// Data keys as callers see them: metadata, and plaintexts in base64url where a route is for that. Pure, but that a plaintext's
// bytes are overwritten as soon as they are in the answer.
import * as z from 'zod';
import { DATA_KEY_MAX_BYTES, DATA_KEY_MIN_BYTES } from '../../../../shared/domain/data-key-blob.ts';
import type { GenerateOutcome } from '../../../../shared/operations/data-keys/generate.ts';
import type { NewDataKey } from '../../../../shared/operations/data-keys/new-data-keys.ts';
import { MAX_KEYS_PER_CALL, type UnwrapOutcome } from '../../../../shared/operations/data-keys/unwrap.ts';
import type { ListedDataKey } from '../../../../shared/operations/data-keys/list.ts';
import type { Refusal } from '../../../../shared/domain/refusal.ts';
import type { ErrorBody } from '../../kernel/errors.ts';
import { pageQuery } from '../../kernel/schemas/pages.ts';
import { errorOfOne, failureBody, publicFailure } from '../../kernel/schemas/failures.ts';
import { count, dataKeyId, EXAMPLE_TIME, keyringId, time } from '../../kernel/schemas/ids.ts';

const KEY = 'ZXhhbXBsZS1vbmx5LW5vdC1hLWtleS1vZi1hbnlib2Q';

const base64urlChars = (bytes: number): number => Math.ceil((bytes * 4) / 3);
/** Whole bytes have one form only: RFC 4648, 3.5, the bits that are left over are zero. */
const BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/;

const plaintext = z
  .string()
  .min(base64urlChars(DATA_KEY_MIN_BYTES))
  .max(base64urlChars(DATA_KEY_MAX_BYTES))
  .regex(BASE64URL, 'must be base64url of whole bytes, without padding')
  .meta({ description: `${DATA_KEY_MIN_BYTES} to ${DATA_KEY_MAX_BYTES} bytes in base64url without padding.` });

export const newDataKeysBody = z
  .strictObject({
    keys: z
      .array(z.strictObject({ keyId: dataKeyId.optional(), plaintext: plaintext.optional() }))
      .min(1)
      .max(MAX_KEYS_PER_CALL)
      .meta({
        description:
          'One for each data key. With a plaintext it is imported, otherwise generated (32 bytes). No id comes twice; one that is left out is made here.',
      }),
  })
  .meta({ id: 'NewDataKeysInput', example: { keys: [{ keyId: 'backup-2026-11' }, {}] } });

export const unwrapBody = z
  .strictObject({
    keyIds: z
      .array(dataKeyId)
      .min(1)
      .max(MAX_KEYS_PER_CALL)
      .meta({ override: { uniqueItems: true } }),
  })
  .meta({ id: 'UnwrapInput', example: { keyIds: ['backup-2026-11', 'backup-1999-01'] } });

const version = count.meta({
  description: 'The version of the company key that it is under. Callers need not keep it: their id is enough.',
});
const error = errorOfOne;

const notOpened = z.enum(['not-found', 'deleted', 'quarantined', 'lost', 'does-not-open']).meta({
  id: 'WhyNotOpened',
  description:
    '`not-found`: no key was made under this id. `deleted`: restore it, while that is possible. `quarantined`: a switch could not move it, and the vendor decides; ask again later. `lost`: it was given up. `does-not-open`: its row is damaged or was tampered with, and is a security event.',
});
type NotOpened = z.output<typeof notOpened>;

export const newDataKeysAnswer = z
  .strictObject({
    keyringId,
    keys: z
      .array(
        z.discriminatedUnion('outcome', [
          z
            .strictObject({
              outcome: z.literal('created'),
              keyId: dataKeyId,
              companyKeyVersion: version,
              plaintext: plaintext
                .optional()
                .meta({ description: 'Of a generated key; an imported one is not repeated.' }),
            })
            .meta({ id: 'CreatedDataKey' }),
          z.strictObject({ outcome: z.literal('id-taken'), keyId: dataKeyId }).meta({ id: 'TakenDataKeyId' }),
          z
            .strictObject({
              outcome: z.literal('not-readable'),
              keyId: dataKeyId,
              because: z.enum([...notOpened.options, 'failure']),
              failure: failureBody.optional(),
            })
            .meta({ id: 'UnreadableDataKey' }),
          z.strictObject({ outcome: z.literal('refused'), keyId: dataKeyId, error }).meta({ id: 'RefusedDataKey' }),
        ]),
      )
      .max(MAX_KEYS_PER_CALL),
  })
  .meta({
    id: 'NewDataKeys',
    description: 'In the order of the request.',
    example: {
      keyringId: 'default',
      keys: [
        { outcome: 'created', keyId: 'backup-2026-11', companyKeyVersion: 1, plaintext: KEY },
        { outcome: 'id-taken', keyId: 'backup-2026-10' },
      ],
    },
  });

export const unwrapAnswer = z
  .strictObject({
    keyringId,
    keys: z
      .array(
        z.discriminatedUnion('outcome', [
          z
            .strictObject({
              outcome: z.literal('unwrapped'),
              keyId: dataKeyId,
              companyKeyVersion: version,
              plaintext,
            })
            .meta({ id: 'UnwrappedDataKey' }),
          z.strictObject({ outcome: notOpened, keyId: dataKeyId }).meta({ id: 'UnopenedDataKey' }),
          z
            .strictObject({ outcome: z.literal('failure'), keyId: dataKeyId, failure: failureBody })
            .meta({ id: 'FailedDataKey' }),
        ]),
      )
      .max(MAX_KEYS_PER_CALL),
  })
  .meta({
    id: 'UnwrappedDataKeys',
    description: 'In the order of the request; each decided by itself.',
    example: {
      keyringId: 'default',
      keys: [
        { outcome: 'unwrapped', keyId: 'backup-2026-11', companyKeyVersion: 1, plaintext: KEY },
        { outcome: 'not-found', keyId: 'backup-1999-01' },
      ],
    },
  });

export const dataKeyBody = z
  .strictObject({
    keyId: dataKeyId,
    state: z.enum(['live', 'deleted', 'quarantined', 'lost']),
    origin: z.enum(['generated', 'imported']),
    companyKeyVersion: version,
    createdAt: time,
    deletedAt: time.optional(),
    purgeAfter: time.optional().meta({ description: 'Until then it can be restored.' }),
    quarantineReason: z.enum(['does-not-open', 'unknown-version', 'differs-after-rewrap']).optional(),
    wrapped: z
      .string()
      .regex(/^[A-Za-z0-9_-]*$/)
      .optional()
      .meta({ description: 'Only with `wrapped=true`: the key under its company key, as it is stored, in base64url.' }),
  })
  .meta({
    id: 'DataKey',
    description: 'Metadata; never the key.',
    example: {
      keyId: 'backup-2026-11',
      state: 'live',
      origin: 'generated',
      companyKeyVersion: 1,
      createdAt: EXAMPLE_TIME,
    },
  });

/** The very presence of `wrapped` makes it a call for other roles, so there is but one value. */
export const dataKeyListQuery = pageQuery.extend({
  wrapped: z.literal('true').optional().meta({
    description: 'Each key with its wrapped form, for a copy that an export opens. For Keyswitch.CompanyAdmin only.',
  }),
});

interface Audience {
  readonly isVendorAdmin: boolean;
}

export function dataKeyToBody({ wrapped, ...view }: ListedDataKey): z.input<typeof dataKeyBody> {
  if (!wrapped) return view;
  return { ...view, wrapped: Buffer.from(wrapped).toString('base64url') };
}

export const newDataKeys = (keys: z.output<typeof newDataKeysBody>['keys']): NewDataKey[] =>
  keys.map((key) => ({
    ...(key.keyId === undefined ? {} : { keyId: key.keyId }),
    ...(key.plaintext === undefined ? {} : { plaintext: Buffer.from(key.plaintext, 'base64url') }),
  }));

/** The text of the bytes, which are overwritten. */
function spent(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
  bytes.fill(0);
  return text;
}

type NewDataKeysAnswer = z.input<typeof newDataKeysAnswer>;
type UnwrapAnswer = z.input<typeof unwrapAnswer>;

/** `errorOf`: what a caller is told of a refusal. */
export function createdToBody(
  outcome: GenerateOutcome,
  audience: Audience & { readonly errorOf: (refusal: Refusal) => ErrorBody['error'] },
): NewDataKeysAnswer['keys'][number] {
  switch (outcome.outcome) {
    case 'created': {
      const { keyId, companyKeyVersion, plaintext: bytes } = outcome;
      const shown = { outcome: 'created', keyId, companyKeyVersion } as const;
      return bytes ? { ...shown, plaintext: spent(bytes) } : shown;
    }
    case 'id-taken':
      return { outcome: 'id-taken', keyId: outcome.keyId };
    case 'not-readable':
      return { outcome: 'not-readable', keyId: outcome.keyId, ...becauseOf(outcome.because, audience) };
    case 'refused': {
      const shown = audience.errorOf(outcome.refusal);
      return { outcome: 'refused', keyId: outcome.keyId, error: { ...shown, details: [...(shown.details ?? [])] } };
    }
  }
}

function becauseOf(
  because: UnwrapOutcome,
  audience: Audience,
): { because: NotOpened } | { because: 'failure'; failure: z.input<typeof failureBody> } {
  if (because.outcome === 'failure') return { because: 'failure', failure: publicFailure(because.failure, audience) };
  if (because.outcome !== 'unwrapped') return { because: because.outcome };
  throw new Error('a key that was unwrapped is readable');
}

export function unwrappedToBody(outcome: UnwrapOutcome, audience: Audience): UnwrapAnswer['keys'][number] {
  const { keyId } = outcome;
  switch (outcome.outcome) {
    case 'unwrapped': {
      const { companyKeyVersion, plaintext: bytes } = outcome;
      return { outcome: 'unwrapped', keyId, companyKeyVersion, plaintext: spent(bytes) };
    }
    case 'failure':
      return { outcome: 'failure', keyId, failure: publicFailure(outcome.failure, audience) };
    case 'not-found':
    case 'deleted':
    case 'quarantined':
    case 'lost':
    case 'does-not-open':
      return { outcome: outcome.outcome, keyId };
  }
}
