// Events and the check of their chain as the API shows them.
import * as z from 'zod';
import { OUTCOMES, type AuditRecord } from '../../../../shared/domain/audit.ts';
import { PROBLEM_CODES } from '../../../../shared/domain/audit-check.ts';
import type { ChainPiece } from '../../../../shared/operations/audit/verify-events.ts';
import { count, time } from '../../kernel/schemas/ids.ts';
import { pageBody, pageQuery } from '../../kernel/schemas/pages.ts';

const MAX_PROBLEMS_SHOWN = 100;

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
  .meta({ id: 'Event' });

export type EventBody = z.input<typeof eventBody>;

/** Somebody may have written another detail: what is no plain value is left out. */
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
  .meta({ id: 'Chain' });

/** `url` is of the check itself. */
export function chainToBody(
  { status, problems, head, continuation }: ChainPiece,
  url: string,
): z.input<typeof chainBody> {
  const { nextLink } = pageBody([], { continuation, query: {}, collectionUrl: url });
  return { status, problems: [...problems], head, ...(nextLink === undefined ? {} : { nextLink }) };
}
