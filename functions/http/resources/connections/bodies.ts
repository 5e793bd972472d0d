// Connections, their tests, health and instructions as callers see them. Pure.
import * as z from 'zod';
import {
  CONNECTION_CHECKS,
  type CheckResult,
  type ConnectionTest,
} from '../../../../shared/domain/connection-verdict.ts';
import type { Connection } from '../../../../shared/domain/connection.ts';
import { GUID_IN_ANY_CASE } from '../../../../shared/domain/ids.ts';
import { KEY_NAME } from '../../../../shared/providers/azure-key-vault/input/key-name.ts';
import { FAILURE_CODES } from '../../../../shared/domain/failure.ts';
import type { Instruction } from '../../../../shared/providers/azure-key-vault/instructions.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { VaultHealth } from '../../../../shared/domain/health.ts';
import type { HealthReport } from '../../../../shared/operations/connections/vault-checks.ts';
import { publicFailure } from '../../kernel/public-failure.ts';
import { failureBody, failureCode, remedy } from '../../kernel/schemas/failures.ts';
import { connectionId, count, guid, time } from '../../kernel/schemas/ids.ts';
import { MAX_INPUT_CHARS, vaultUri } from '../../kernel/schemas/vault-uri.ts';

/** What is taken is described; what is not is judged by the operation, with words of its own. */
const promised = ({ source }: RegExp): object => ({ pattern: source, maxLength: undefined });

/** Judged by the operation, whose answers name every mistake with its fix; here only bounded. */
export const connectionInput = z
  .strictObject({
    vaultUri,
    keyName: z
      .string()
      .max(MAX_INPUT_CHARS)
      .meta({ example: 'keyswitch', override: promised(KEY_NAME) }),
    tenantId: z
      .string()
      .max(MAX_INPUT_CHARS)
      .meta({ override: promised(GUID_IN_ANY_CASE) })
      .optional()
      .meta({
        description: "The vault's Entra tenant; learnt by a test if not given. It stays the same once it is known.",
      }),
    credential: z.strictObject({ kind: z.literal('federated') }),
  })
  .meta({ id: 'ConnectionInput' });

export const connectionBody = z
  .strictObject({
    connectionId,
    vaultUri: z.url(),
    keyName: z.string(),
    tenantId: guid.optional(),
    movedFrom: z.array(guid).max(100).optional().meta({
      description: 'Entra tenants that the vault belonged to before it was moved, and this connection with it.',
    }),
    movingTo: guid.optional().meta({
      description:
        'The Entra tenant that the vault was moved to, and whose administrator has consented: pinned once a test sees its key open what is in use.',
    }),
    credential: z.strictObject({ kind: z.literal('federated'), clientId: z.string() }),
    usedBy: z
      .array(z.string())
      .max(1000)
      .meta({ description: 'What depends on it: `keyrings/{id}`, `keyrings/{id}/switches/{id}`.' }),
    createdAt: time,
    roleAssignedAt: time.optional(),
    consentedAt: time.optional(),
    /** Who granted it: Entra tenant and object id. */
    consentedBy: z.string().optional(),
    keySeen: z.boolean().meta({ description: 'Whether the key was ever read.' }),
    testFailed: failureCode.optional().meta({
      description:
        'Why the last test failed: no switch to it can be ordered. Absent if it did not fail. A test that waits for a grant changes nothing about it.',
    }),
  })
  .meta({ id: 'Connection' });

/** `keyring|k` and `switch|k|id` of the row, as paths below the company. */
function userPath(user: string): string {
  const [kind, keyring = '', id = ''] = user.split('|');
  return kind === 'switch' ? `keyrings/${keyring}/switches/${id}` : `keyrings/${keyring}`;
}

export function connectionToBody(connection: Connection): z.input<typeof connectionBody> {
  const { tenantId, movedFrom, move, roleAssignedAt, consent, credential, testFailed } = connection;
  return {
    connectionId: connection.connectionId,
    vaultUri: `https://${connection.host}`,
    keyName: connection.keyName,
    credential: { kind: credential.kind, clientId: credential.clientId },
    usedBy: connection.usedBy.map(userPath),
    createdAt: connection.createdAt,
    keySeen: connection.keySeen,
    ...present({
      tenantId,
      movedFrom: movedFrom && [...movedFrom],
      movingTo: move?.tenantId,
      roleAssignedAt,
      consentedAt: consent?.grantedAt,
      consentedBy: consent?.adminId,
      testFailed,
    }),
  };
}

export const testInput = z
  .strictObject({
    roleAssigned: z
      .boolean()
      .optional()
      .meta({ description: 'The role was just assigned: Azure may need ten minutes.' }),
  })
  .meta({ id: 'ConnectionTestInput' })
  .optional();

const checkBody = z.strictObject({
  check: z.enum(CONNECTION_CHECKS),
  outcome: z.enum(['passed', 'failed', 'skipped', 'warning']),
  failure: failureBody.optional(),
});

export const testBody = z
  .strictObject({
    status: z
      .enum(['green', 'failed', 'waiting'])
      .meta({ description: '`waiting`: a grant may not have arrived yet.' }),
    checks: z.array(checkBody).max(100),
    testedAt: time,
    tenantId: guid.optional(),
    principalId: z
      .string()
      .optional()
      .meta({ description: "Object id of the app's service principal in the company's tenant." }),
    retryAfterSeconds: count.optional(),
    becomesDeniedAt: time.optional(),
  })
  .meta({ id: 'ConnectionTest' });

interface Audience {
  readonly isVendorAdmin: boolean;
}

export function testToBody(test: ConnectionTest, audience: Audience): z.input<typeof testBody> {
  const check = ({ check: name, outcome, failure }: CheckResult): z.input<typeof checkBody> => ({
    check: name,
    outcome,
    ...(failure === undefined ? {} : { failure: publicFailure(failure, audience) }),
  });
  return { ...test, checks: test.checks.map(check) };
}

export const healthBody = z
  .strictObject({
    state: z.enum(['healthy', 'unreachable', 'revoked']),
    since: time,
    checkedAt: time,
    lastGoodAt: time.optional(),
    code: failureCode.optional(),
    owner: z.enum(['company-admin', 'azure-admin', 'vendor']).optional().meta({ description: 'Whose move it is.' }),
    message: z.string().optional(),
    cause: z.string().optional(),
    remedy: remedy.optional(),
    repeats: count.meta({ description: 'How many checks in a row ended with this code.' }),
    warnings: z.array(failureCode).max(FAILURE_CODES.length),
  })
  .meta({ id: 'VaultHealth' });

export const healthReportBody = z
  .strictObject({
    current: healthBody.optional().meta({ description: 'Absent before the first check.' }),
    history: z.array(healthBody).max(100).meta({ description: 'The last changes, newest first.' }),
  })
  .meta({ id: 'HealthReport' });

export const healthToBody = (health: VaultHealth): z.input<typeof healthBody> => ({
  ...health,
  warnings: [...health.warnings],
});

export const healthReportToBody = ({ current, history }: HealthReport): z.input<typeof healthReportBody> => ({
  history: history.map(healthToBody),
  ...(current === undefined ? {} : { current: healthToBody(current) }),
});

const instruction = z.strictObject({
  id: z.enum(['service-principal', 'role', 'least-role', 'access-policy', 'take-away']),
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
  .meta({ id: 'Instructions', description: 'What the Azure admin must do, filled in: nothing is left to the reader.' });

export const instructionsToBody = (instructions: readonly Instruction[]): z.input<typeof instructionsBody> => ({
  instructions: instructions.map((one) => ({ ...one, portal: [...one.portal] })),
});
