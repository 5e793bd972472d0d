// Events and the check of their chain as the API shows them.
import * as z from 'zod';
import { EXAMPLE_REF } from '../../kernel/schemas/provider-ref.ts';
import { OUTCOMES, type AuditRecord } from '../../../../shared/domain/audit.ts';
import { PROBLEM_CODES } from '../../../../shared/domain/audit-report.ts';
import type { ChainPiece } from '../../../../shared/operations/audit/verify-events.ts';
import { count, EXAMPLE_TIME, time } from '../../kernel/schemas/ids.ts';
import { pageBody, pageQuery } from '../../kernel/schemas/pages.ts';

const MAX_PROBLEMS_SHOWN = 100;

const HASH = '5f0c1d3b7a9e4f6c8d2b1a0e9f7c6d5b4a3e2f1c0d9b8a7e6f5c4d3b2a1e0f9c';

export const eventBody = z
  .strictObject({
    sequence: count,
    id: z.string(),
    at: time,
    by: z.string().meta({ description: '`keyswitch` for what the product did by itself.' }),
    from: z.string().meta({ description: 'Address of the client as the platform saw it; empty if there is none.' }),
    requestId: z.string(),
    action: z.string(),
    target: z.string(),
    outcome: z.enum(OUTCOMES),
    // Described without the types of its values: generators (oapi-codegen) know no schema of several types.
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).meta({
      description: 'Texts, numbers and truth values by name.',
      override: { additionalProperties: true },
    }),
    previous: z.string().meta({ description: 'Hash of the event before; empty for the first.' }),
    hash: z.string(),
  })
  .meta({
    id: 'Event',
    example: {
      sequence: 7,
      id: '019ad3f0-5b1c-7e6a-9c44-2f1d7e5a0b3c',
      at: EXAMPLE_TIME,
      by: 'entra:2b0f3c1e-7d5a-4e8b-9a61-0c5d3f7b2e94 asserting "Zoë Müller"',
      from: '203.0.113.7',
      requestId: '019ad3f0-5b1b-7a11-8d1e-6b0c9f2e4a75',
      action: 'switch.start',
      target: 'keyrings/default/switches/to-contoso',
      outcome: 'done',
      detail: EXAMPLE_REF,
      previous: HASH,
      hash: HASH.replace('5f', 'a1'),
    },
  });

export type EventBody = z.input<typeof eventBody>;

/** The row may have been tampered with: what is no plain value is left out. */
export function eventToBody({ companyId: _company, detail, ...record }: AuditRecord): EventBody {
  return { ...record, detail: readDetail(detail) };
}

function readDetail(text: string): EventBody['detail'] {
  try {
    return eventBody.shape.detail.safeParse(JSON.parse(text)).data ?? {};
  } catch {
    return {};
  }
}

/** One parameter, since neither part is of use without the other, and a description cannot say so of two. */
export const verifyQuery = z.strictObject({
  head: z
    .string()
    .regex(/^[1-9][0-9]{0,14}-[0-9a-f]{64}$/, 'must be a sequence, a dash and a hash')
    .optional()
    .meta({
      description: 'A head that is known from the log, as `{sequence}-{hash}`.',
      param: { id: 'KnownHeadParam' },
    }),
  from: z
    .string()
    .regex(/^[1-9][0-9]{0,14}-[0-9a-f]{64}$/, 'must be a sequence, a dash and a hash')
    .optional()
    .meta({
      description:
        'A signed head from the log to begin behind, as `{sequence}-{hash}`: what is before it is not looked at.',
      param: { id: 'FromHeadParam' },
    }),
  skiptoken: pageQuery.shape.skiptoken,
});

export function knownHead(head: string): { readonly sequence: number; readonly hash: string } {
  const [sequence = '', hash = ''] = head.split('-');
  return { sequence: Number(sequence), hash };
}

export const chainBody = z
  .strictObject({
    status: z.enum(['intact', 'broken', 'unfinished']).meta({
      description: '`unfinished`: nothing is wrong so far, and nextLink leads on. Of the last piece: of all of them.',
    }),
    problems: z
      .array(z.strictObject({ code: z.enum(PROBLEM_CODES), sequence: count }))
      .max(MAX_PROBLEMS_SHOWN)
      .meta({ description: 'The first hundred.' }),
    head: z.strictObject({ sequence: count, hash: z.string() }),
    nextLink: z.url().optional().meta({ description: 'The next piece of a long chain; absent after the last.' }),
  })
  .meta({
    id: 'Chain',
    example: { status: 'intact', problems: [], head: { sequence: 7, hash: HASH.replace('5f', 'a1') } },
  });

/** `url` is of the check itself. */
export function chainToBody(
  { status, problems, head, continuation }: ChainPiece,
  url: string,
): z.input<typeof chainBody> {
  const { nextLink } = pageBody([], { continuation, query: {}, collectionUrl: url });
  return { status, problems: [...problems], head, ...(nextLink === undefined ? {} : { nextLink }) };
}
