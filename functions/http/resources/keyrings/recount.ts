// Counting the data keys of a keyring anew: the way out of a switch that is blocked because its counts differ.
import * as z from 'zod';
import { ok } from '../../../../shared/domain/result.ts';
import { present } from '../../../../shared/domain/plain-object.ts';
import type { ControlDependencies } from '../../../../shared/operations/switches/steer.ts';
import { recount } from '../../../../shared/operations/switches/recount.ts';
import { defineRoute } from '../../kernel/json-route.ts';
import { count, keyringPath } from '../../kernel/schemas/ids.ts';

const MAX_SHARDS = 1_024;

const recountInput = z
  .strictObject({
    acceptMissing: z
      .array(z.strictObject({ shard: count, rows: count }))
      .max(MAX_SHARDS)
      .optional()
      .meta({
        description:
          'How many rows of which shards are given up because they are not there: exactly as many as are missing.',
      }),
  })
  .meta({ id: 'RecountInput', example: { acceptMissing: [{ shard: 3, rows: 1 }] } })
  .optional();

const recountedBody = z
  .strictObject({
    shards: z.array(
      z.strictObject({
        shard: count,
        outcome: z.enum(['recounted', 'rows-missing', 'busy', 'left']).meta({
          description: '`rows-missing`: nothing was changed until that many are accepted. `busy`, `left`: ask again.',
        }),
        counted: z.string().meta({ description: 'What the shard counted.' }),
        found: z.string().optional().meta({ description: 'What is there, listed twice and equal.' }),
        missing: count.optional(),
      }),
    ),
  })
  .meta({
    id: 'Recount',
    description: 'The shards whose counts could not be right; none if all can.',
    example: { shards: [] },
  });

export const recountRoutes = [
  defineRoute({
    operationId: 'recount-keyring',
    method: 'POST',
    path: '/companies/{companyId}/keyrings/{keyringId}/recount',
    tag: 'switches',
    summary: 'Count the data keys of a keyring anew where its counts cannot be right',
    description:
      'A switch that is blocked with `counts-differ` goes on afterwards. Rows that are missing are named, and must be accepted.',
    roles: ['VendorAdmin'],
    pathSchema: keyringPath,
    bodySchema: recountInput,
    refuses: ['keyring-not-found'],
    fails: ['vault'],
    answers: { 200: 'What was counted.' },
    answerSchema: recountedBody,
    run: async (deps: ControlDependencies, call) => {
      const acceptMissing = call.body?.acceptMissing;
      const counted = await recount(deps, { ...call.path, ...present({ acceptMissing }) }, call.actor);
      return counted.ok ? ok({ status: 200, body: { shards: counted.value } }) : counted;
    },
  }),
] as const;
