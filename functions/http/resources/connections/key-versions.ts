// The versions of a customer's key as callers see them, and the call that lists them.
import * as z from 'zod';
import { present } from '../../../../shared/domain/plain-object.ts';
import { ok } from '../../../../shared/domain/result.ts';
import { listKeyVersions, type VersionView } from '../../../../shared/operations/watch/key-versions.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { connectionPath, EXAMPLE_TIME, keyringId, time } from '../../kernel/schemas/ids.ts';
import { ONE, READS } from './places.ts';

const keyVersionsBody = z
  .strictObject({
    versions: z.array(
      z.strictObject({
        keyId: z.string().meta({ description: 'The version, as the vault names it.' }),
        state: z.enum(['in-use', 'leaving', 'not-needed']).meta({
          description:
            '`in-use`: it wraps a company key. `leaving`: for two more minutes, calls that began before may need it. `not-needed`: it can be disabled.',
        }),
        keyrings: z.array(keyringId).max(1000).meta({ description: 'Whose company keys it wraps.' }),
        leftAt: time
          .optional()
          .meta({ description: 'When its last wrap went: made again under a newer version, or left by a switch.' }),
        copiesUntil: time.optional().meta({
          description:
            'Until then copies of the tables from before are kept, and open with this version only: disable it, and keep it where it can be enabled again.',
        }),
      }),
    ),
  })
  .meta({
    id: 'KeyVersions',
    example: {
      versions: [
        {
          keyId: 'https://contoso.vault.azure.net/keys/keyswitch/2c9d0ba1f8e34b7f9a5c6d7e8f901234',
          state: 'in-use',
          keyrings: ['default'],
        },
        {
          keyId: 'https://contoso.vault.azure.net/keys/keyswitch/0f1e2d3c4b5a69788796a5b4c3d2e1f0',
          state: 'not-needed',
          keyrings: [],
          leftAt: EXAMPLE_TIME,
          copiesUntil: EXAMPLE_TIME,
        },
      ],
    },
  });

const toBody = ({
  keyId,
  state,
  keyrings,
  leftAt,
  copiesUntil,
}: VersionView): z.input<typeof keyVersionsBody>['versions'][number] => ({
  keyId,
  state,
  keyrings: [...keyrings],
  ...present({ leftAt, copiesUntil }),
});

export const keyVersionRoutes = [
  defineRoute({
    operationId: 'list-key-versions',
    method: 'GET',
    path: `${ONE}/key-versions`,
    tag: 'connections',
    summary: 'Which versions of the key are in use, and which are no longer needed',
    description: 'A new version of a key in force is followed by itself. Asks no vault.',
    roles: READS,
    pathSchema: connectionPath,
    refuses: ['connection-not-found'],
    fails: ['vault'],
    answers: { 200: 'Those in use first, then those that were left, the last one first.' },
    answerSchema: keyVersionsBody,
    run: async (deps: Parameters<typeof listKeyVersions>[0], call) => {
      const versions = await listKeyVersions(deps, call.path);
      return versions.ok ? ok({ status: 200, body: { versions: versions.value.map(toBody) } }) : versions;
    },
  }),
] as const;
