// The health of a connection's vault, and the instructions for its Azure admin, as callers see them. Pure.
import * as z from 'zod';
import { FAILURE_CODES } from '../../../../shared/failures.ts';
import { statusOf, VAULT_STATES, type VaultHealth } from '../../../../shared/domain/health.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { HealthReport, VaultView } from '../../../../shared/operations/watch/health-report.ts';
import type { Instruction } from '../../../../shared/providers/provider.ts';
import { failureCode, failureOwner, remedy } from '../../kernel/schemas/failures.ts';
import { count, EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';

const CLIENT = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';
const HEALTHY_EXAMPLE = {
  state: 'healthy',
  status: 'connected',
  since: EXAMPLE_TIME,
  checkedAt: EXAMPLE_TIME,
  lastGoodAt: EXAMPLE_TIME,
  warnings: [],
  keyVersions: [
    { keyId: 'https://contoso-vault.vault.azure.net/keys/keyswitch/0123456789abcdef', createdAt: EXAMPLE_TIME },
  ],
};

export const healthBody = z
  .strictObject({
    state: z.enum(VAULT_STATES),
    status: z
      .enum(['connected', 'error'])
      .meta({ description: 'The state in one word: healthy and warning are connected.' }),
    since: time,
    checkedAt: time,
    lastGoodAt: time.optional(),
    nextCheckAt: time.optional().meta({ description: 'Of the state now: when the vault is checked next by itself.' }),
    code: failureCode.optional(),
    owner: failureOwner.optional(),
    message: z.string().optional(),
    cause: z.string().optional(),
    remedy: remedy.optional(),
    sightings: count.optional().meta({
      description:
        'How often a denial was seen that counts as one only when it was seen three times, 30 seconds apart.',
    }),
    warnings: z.array(failureCode).max(FAILURE_CODES.length),
    keyVersions: z
      .array(
        z.strictObject({
          keyId: z.string(),
          createdAt: time.optional(),
          notBefore: time.optional(),
          expiresAt: time.optional(),
        }),
      )
      .meta({ description: 'The versions of the key that wrap what is in force, as they were last read.' }),
  })
  .meta({ id: 'VaultHealth', example: HEALTHY_EXAMPLE });

export const healthReportBody = z
  .strictObject({
    current: healthBody.optional().meta({ description: 'Absent before the first check.' }),
    history: z.array(healthBody).max(100).meta({ description: 'The last changes, newest first.' }),
  })
  .meta({ id: 'HealthReport', example: { current: HEALTHY_EXAMPLE, history: [HEALTHY_EXAMPLE] } });

/** What this version does not know is left out: the row is not sealed, and another version may have written it. */
export function healthToBody(
  { warnings, sightings, keyVersions, ...health }: VaultHealth | VaultView,
  audience: Audience,
): z.input<typeof healthBody> {
  const { code: _code, owner: _owner, remedy: _remedy, ...rest } = health;
  return {
    ...rest,
    status: statusOf(health.state),
    keyVersions: [...keyVersions],
    warnings: FAILURE_CODES.filter((known) => warnings.includes(known)),
    ...present({
      sightings: sightings === 0 ? undefined : sightings,
      code: failureCode.safeParse(health.code).data,
      owner: failureOwner.safeParse(health.owner).data,
      remedy: shownRemedy(health, audience),
    }),
  };
}

interface Audience {
  readonly isVendorAdmin: boolean;
}

/** Commands for what the vendor has to mend are for its operators. */
function shownRemedy(
  { remedy: stored, owner }: Pick<VaultHealth, 'remedy' | 'owner'>,
  { isVendorAdmin }: Audience,
): z.output<typeof remedy> | undefined {
  const known = remedy.safeParse(stored).data;
  return known === undefined || isVendorAdmin || owner !== 'vendor' ? known : { text: known.text };
}

export const healthReportToBody = (
  { current, history }: HealthReport,
  audience: Audience,
): z.input<typeof healthReportBody> => ({
  history: history.map((health) => healthToBody(health, audience)),
  ...(current === undefined ? {} : { current: healthToBody(current, audience) }),
});

const instruction = z.strictObject({
  id: z.enum([
    'service-principal',
    'app-registration',
    'client-secret',
    'vault',
    'key-manager',
    'role',
    'least-role',
    'access-policy',
    'take-away',
  ]),
  title: z.string(),
  explanation: z.string(),
  azureCli: z.string(),
  powerShell: z.string(),
  portal: z.array(z.string()).max(100),
  bicep: z.strictObject({ fileName: z.string(), template: z.string(), deploy: z.string() }).optional(),
});

export const instructionsBody = z
  .strictObject({
    instructions: z.array(instruction).max(20),
  })
  .meta({
    id: 'Instructions',
    description: 'What the Azure admin must do, filled in: nothing is left to the reader.',
    example: {
      instructions: [
        {
          id: 'service-principal',
          title: 'Install the app in your tenant',
          explanation: 'It is known there by its application id.',
          azureCli: `az ad sp create --id ${CLIENT}`,
          powerShell: `New-AzADServicePrincipal -ApplicationId ${CLIENT}`,
          portal: ['Open the link that your vendor sent, and consent.'],
        },
      ],
    },
  });

export const instructionsToBody = (instructions: readonly Instruction[]): z.input<typeof instructionsBody> => ({
  instructions: instructions.map((one) => ({ ...one, portal: [...one.portal] })),
});
