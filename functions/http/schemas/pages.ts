// Collections: `{ value, nextLink }`, as in Azure. Pure. A caller follows nextLink as it is; what is in it is opaque.
import { z } from 'zod';

export const MAX_PAGE_ITEMS = 1000;
export const DEFAULT_PAGE_ITEMS = 100;

const MAX_SKIPTOKEN_CHARS = 4096;

export const pageQuery = z.strictObject({
  maxpagesize: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, `must be a number from 1 to ${MAX_PAGE_ITEMS}`)
    .refine((text) => Number(text) <= MAX_PAGE_ITEMS, `must be a number from 1 to ${MAX_PAGE_ITEMS}`)
    .optional()
    .meta({
      description: `How many at most, 1 to ${MAX_PAGE_ITEMS}; ${DEFAULT_PAGE_ITEMS} if not given.`,
      example: '50',
    }),
  skiptoken: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'must be taken from nextLink as it is')
    .max(MAX_SKIPTOKEN_CHARS)
    .optional()
    .meta({ description: 'Where to go on: from nextLink, as it is.' }),
});

export const pageOf = <T extends z.ZodType>(
  item: T,
): z.ZodObject<{ value: z.ZodArray<T>; nextLink: z.ZodOptional<z.ZodURL> }, z.core.$strict> =>
  z.strictObject({
    value: z.array(item).max(MAX_PAGE_ITEMS),
    nextLink: z
      .url()
      .optional()
      .meta({ description: 'The next page. A page may be short or empty and still have one.' }),
  });

export interface PageRequest {
  readonly limit: number;
  readonly continuation?: string;
}

/** What an operation is asked for. */
export function pageRequest(query: z.output<typeof pageQuery>): PageRequest {
  return {
    limit: query.maxpagesize === undefined ? DEFAULT_PAGE_ITEMS : Number(query.maxpagesize),
    ...(query.skiptoken === undefined
      ? {}
      : { continuation: Buffer.from(query.skiptoken, 'base64url').toString('utf8') }),
  };
}

/** The answer's body for one page; `collectionUrl` without a query. */
export function pageBody<T>(
  items: T[],
  page: {
    readonly continuation?: string | undefined;
    readonly query: z.output<typeof pageQuery>;
    readonly collectionUrl: string;
  },
): { value: T[]; nextLink?: string } {
  if (page.continuation === undefined) return { value: items };
  const next = new URL(page.collectionUrl);
  if (page.query.maxpagesize !== undefined) next.searchParams.set('maxpagesize', page.query.maxpagesize);
  next.searchParams.set('skiptoken', Buffer.from(page.continuation, 'utf8').toString('base64url'));
  return { value: items, nextLink: next.href };
}
