// Errors and failures as callers see them: the schemas, and of a failure what may leave the house. The service's own words go to the vendor's
// operators only; a company gets the correlation id. Pure.
import * as z from 'zod';
import type { Failure, FailureCode } from '../../../../shared/domain/failure.ts';
import { failure, FAILURE_CODES, FAILURE_OWNERS } from '../../../../shared/failures.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { time } from './ids.ts';

/** A failure as every audience may see it; `innererror` for the vendor's operators only. */
export interface PublicFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly kind: Failure['kind'];
  readonly owner: Failure['owner'];
  readonly cause: string;
  readonly remedy: Failure['remedy'];
  /** The two values offered when a whole key URL was pasted. */
  readonly suggestion?: { readonly vaultUri?: string; readonly keyName?: string };
  readonly becomesDeniedAt?: string;
  readonly correlationId?: string;
  readonly innererror?: NonNullable<Failure['service']>;
}

export function publicFailure(found: Failure, audience: { readonly isVendorAdmin: boolean }): PublicFailure {
  const { code, message, kind, owner, cause, facts, service, becomesDeniedAt } = found;
  const { suggestedVaultUri: vaultUri, suggestedKeyName: keyName } = facts;
  return {
    code,
    message,
    kind,
    owner,
    cause,
    remedy: isAtVendors(found) && !audience.isVendorAdmin ? { text: found.remedy.text } : found.remedy,
    ...(vaultUri === undefined && keyName === undefined ? {} : { suggestion: present({ vaultUri, keyName }) }),
    ...(becomesDeniedAt === undefined ? {} : { becomesDeniedAt }),
    ...(service?.correlationId === undefined ? {} : { correlationId: service.correlationId }),
    ...(service === undefined || !audience.isVendorAdmin ? {} : { innererror: service }),
  };
}

/** Commands for the vendor's own vaults, and for those that it hosts, are for its operators. */
const isAtVendors = ({ facts, owner }: Failure): boolean =>
  facts.ownVault !== undefined || (facts.hostedByVendor === true && owner === 'vendor');

const CALLER = { isVendorAdmin: false };
const EXAMPLE_TENANT = '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f';
export const FAILURE_EXAMPLE = publicFailure(failure('consent-required', { tenantId: EXAMPLE_TENANT }), CALLER);

export const failureCode = z
  .enum(FAILURE_CODES)
  .meta({ id: 'FailureCode', description: 'Stable; docs/failures.md says of each what it means and what to do.' });

export const failureOwner = z.enum(FAILURE_OWNERS).meta({ description: 'Whose move it is.' });

export const remedy = z
  .strictObject({ text: z.string(), azureCli: z.string().optional(), portal: z.string().optional() })
  .meta({ id: 'Remedy', description: 'What to do, filled in with the real names.' });

const serviceAnswer = z
  .strictObject({
    status: z.number().int().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
    correlationId: z.string().optional(),
  })
  .meta({ description: "The service's own answer; for Keyswitch.VendorAdmin only." });

const shownOfFailure = {
  kind: z.enum(['input', 'transient', 'propagating', 'denied', 'warning', 'integrity']).meta({
    description:
      '`input`: what was sent is wrong. `transient`: may pass, ask again after Retry-After. `propagating`: a grant may not have arrived yet, ask again until `becomesDeniedAt`. `denied`: until its owner acts. `warning`: nothing is refused in force. `integrity`: something was tampered with or is damaged.',
  }),
  owner: failureOwner,
  cause: z.string(),
  remedy,
  suggestion: z
    .strictObject({ vaultUri: z.string().optional(), keyName: z.string().optional() })
    .optional()
    .meta({ description: 'What was probably meant, split into its fields; at least one of the two.' }),
  becomesDeniedAt: time.optional().meta({ description: 'While waiting for Azure: when it becomes a denial.' }),
  correlationId: z.string().optional().meta({ description: 'Of the service, for its support.' }),
  innererror: serviceAnswer.optional(),
};

export const failureBody = z
  .strictObject({ code: failureCode, message: z.string(), ...shownOfFailure })
  .meta({ id: 'Failure', description: 'How a provider, Entra or the input refused.', example: FAILURE_EXAMPLE });

/**
 * A failure that a row holds; undefined where it cannot be shown as described, since another version of Keyswitch wrote it or the row
 * was tampered with: such a failure is not sealed.
 */
export const storedFailure = (
  found: Failure,
  audience: { readonly isVendorAdmin: boolean },
): z.output<typeof failureBody> | undefined => failureBody.safeParse(publicFailure(found, audience)).data;

const detail = z.strictObject({
  code: z.enum(['missing-field', 'unknown-field', 'invalid-value']),
  target: z.string().meta({ example: 'body.vaultUri' }),
  message: z.string(),
});

export const errorOfOne = z
  .strictObject({
    code: z.string().meta({
      description:
        'Stable; also in the header x-ms-error-code. `x-error-codes` of the operation lists those that it gives.',
    }),
    message: z.string(),
    target: z.string().optional(),
    details: z.array(detail).max(100).optional(),
    ...z.object(shownOfFailure).partial().shape,
  })
  .meta({ id: 'ErrorOfOne' });

export const errorBody = z.strictObject({ error: errorOfOne }).meta({ id: 'Error' });
