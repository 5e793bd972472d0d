// Connections and their tests as callers see them. Pure.
import * as z from 'zod';
import {
  CONNECTION_CHECKS,
  type CheckResult,
  type ConnectionCheck,
  type ConnectionTest,
} from '../../../../shared/domain/connection-verdict.ts';
import type { Connection } from '../../../../shared/domain/connection.ts';
import { GUID_IN_ANY_CASE } from '../../../../shared/domain/ids.ts';
import { TYPED_FORMS } from '../../../../shared/providers/registry/providers.ts';
import type { KnownProviders } from '../../../../shared/providers/provider.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import { FAILURE_EXAMPLE, failureBody, failureCode, publicFailure } from '../../kernel/schemas/failures.ts';
import { connectionId, count, EXAMPLE_TIME, guid, time } from '../../kernel/schemas/ids.ts';
import { credentialBody, credentialInput, credentialToBody } from './credential-bodies.ts';
import { promised } from '../../kernel/schemas/text.ts';
import { MAX_INPUT_CHARS, vaultUri } from '../../kernel/schemas/vault-uri.ts';

const TENANT = '6c9d1d5e-3f7a-4b2c-8e10-5a7b9c3d1e2f';
const CLIENT = 'a3d4c5b6-1e2f-4a3b-9c8d-7e6f5a4b3c2d';

/** Judged by the operation, whose answers name every mistake with its fix; here only bounded. */
export const connectionInput = z
  .strictObject({
    vaultUri,
    keyName: z
      .string()
      .max(MAX_INPUT_CHARS)
      .meta({ example: 'keyswitch', override: promised(TYPED_FORMS.keyName) }),
    tenantId: z
      .string()
      .max(MAX_INPUT_CHARS)
      .meta({ override: promised(GUID_IN_ANY_CASE) })
      .optional()
      .meta({
        description:
          "The vault's Entra tenant; learnt by a test if not given. It stays the same once it is known. Not given with `vendor-hosted`.",
      }),
    credential: credentialInput,
  })
  .meta({
    id: 'ConnectionInput',
    example: {
      vaultUri: 'https://contoso.vault.azure.net',
      keyName: 'keyswitch',
      credential: { kind: 'federated' },
    },
  });

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
    credential: credentialBody,
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
    notice: z.string().optional().meta({ description: 'What the company must know of how such a key is kept.' }),
    testFailed: failureCode.optional().meta({
      description:
        'Why the last test failed: no switch to it can be ordered. Absent if it did not fail. A test that waits for a grant changes nothing about it.',
    }),
  })
  .meta({
    id: 'Connection',
    example: {
      connectionId: 'main',
      vaultUri: 'https://contoso.vault.azure.net',
      keyName: 'keyswitch',
      tenantId: TENANT,
      credential: { kind: 'federated', clientId: CLIENT },
      usedBy: ['keyrings/default'],
      createdAt: EXAMPLE_TIME,
      consentedAt: EXAMPLE_TIME,
      keySeen: true,
    },
  });

/** `keyring|k` and `switch|k|id` of the row, as paths below the company. */
function userPath(user: string): string {
  const [kind, keyring = '', id = ''] = user.split('|');
  return kind === 'switch' ? `keyrings/${keyring}/switches/${id}` : `keyrings/${keyring}`;
}

export function connectionToBody(connection: Connection, providers: KnownProviders): z.input<typeof connectionBody> {
  const provider = providers.of(connection);
  const { vaultHost, keyName } = provider.describe(connection);
  const { tenantId, movedFrom, move, roleAssignedAt, consent, credential, testFailed } = connection;
  return {
    connectionId: connection.connectionId,
    vaultUri: `https://${vaultHost}`,
    keyName,
    credential: credentialToBody(credential),
    usedBy: connection.usedBy.map(userPath),
    createdAt: connection.createdAt,
    keySeen: connection.keySeen,
    ...present({
      tenantId,
      movedFrom: movedFrom && [...movedFrom],
      movingTo: move?.tenantId,
      roleAssignedAt,
      notice: provider.notice?.(connection),
      consentedAt: consent?.grantedAt,
      consentedBy: consent?.adminId,
      testFailed: failureCode.safeParse(testFailed).data,
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
  .meta({ id: 'ConnectionTestInput', example: { roleAssigned: true } })
  .optional();

/** The API says whose token it is. */
const nameInApi = (check: ConnectionCheck): Exclude<ConnectionCheck, 'token'> | 'entra-token' =>
  check === 'token' ? 'entra-token' : check;

const checkBody = z.strictObject({
  check: z.enum(CONNECTION_CHECKS.map(nameInApi)),
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
  .meta({
    id: 'ConnectionTest',
    example: {
      status: 'failed',
      checks: [
        { check: 'input', outcome: 'passed' },
        { check: 'consent', outcome: 'failed', failure: FAILURE_EXAMPLE },
      ],
      testedAt: EXAMPLE_TIME,
      tenantId: TENANT,
    },
  });

interface Audience {
  readonly isVendorAdmin: boolean;
}

export function testToBody(test: ConnectionTest, audience: Audience): z.input<typeof testBody> {
  const check = ({ check: name, outcome, failure }: CheckResult): z.input<typeof checkBody> => ({
    check: nameInApi(name),
    outcome,
    ...(failure === undefined ? {} : { failure: publicFailure(failure, audience) }),
  });
  return { ...test, checks: test.checks.map(check) };
}
