// Collections: `{ value, nextLink }`, as in Azure. Pure. A caller follows nextLink as it is; what is in it is opaque.
import * as z from 'zod';

const MAX_PAGE_ITEMS = 1000;
const DEFAULT_PAGE_ITEMS = 100;

const MAX_SKIPTOKEN_CHARS = 4096;

interface PageQuery {
  readonly maxpagesize?: string | undefined;
  readonly skiptoken?: string | undefined;
}

/** A number of a query comes as text, and is described as what it says. */
function asInteger(schema: { pattern?: unknown }, bounds: { minimum: number; maximum: number }): void {
  delete schema.pattern;
  Object.assign(schema, { type: 'integer', ...bounds });
}

const skiptoken = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, 'must be taken from nextLink as it is')
  .max(MAX_SKIPTOKEN_CHARS)
  .optional()
  .meta({ description: 'Where to go on: from nextLink, as it is.', param: { id: 'SkipTokenParam' } });

/** Query parameters of a collection whose pages hold at most `maxItems`. */
export function pageQueryUpTo(
  maxItems: number,
): z.ZodObject<Record<keyof PageQuery, z.ZodOptional<z.ZodString>>, z.core.$strict> {
  const message = `must be a number from 1 to ${maxItems}`;
  return z.strictObject({
    maxpagesize: z
      .string()
      .regex(/^[1-9][0-9]{0,3}$/, { error: message, abort: true })
      .refine((text) => Number(text) <= maxItems, message)
      .optional()
      .meta({
        description: `How many at most; ${DEFAULT_PAGE_ITEMS} if not given.`,
        example: 50,
        override: ({ jsonSchema }: { jsonSchema: object }) => asInteger(jsonSchema, { minimum: 1, maximum: maxItems }),
        param: { id: `MaxPageSize${maxItems}Param` },
      }),
    skiptoken,
  });
}

export const pageQuery = pageQueryUpTo(MAX_PAGE_ITEMS);

const nextLink = z
  .url()
  .optional()
  .meta({ description: 'The next page. A page may be short or empty and still have one.' });

type Page<T extends z.ZodType> = z.ZodObject<{ value: z.ZodArray<T>; nextLink: typeof nextLink }, z.core.$strict>;

/** Called as its items are. For each schema of items once: the name is. */
export const pageOf = <T extends z.ZodType>(item: T): Page<T> =>
  z
    .strictObject({ value: z.array(item).max(MAX_PAGE_ITEMS), nextLink })
    .meta({ id: `${item.meta()?.id ?? 'Nameless'}Page` });

export interface PageRequest {
  readonly limit: number;
  readonly continuation?: string;
}

/** What an operation is asked for. */
export function pageRequest(query: PageQuery): PageRequest {
  return {
    limit: query.maxpagesize === undefined ? DEFAULT_PAGE_ITEMS : Number(query.maxpagesize),
    ...(query.skiptoken === undefined
      ? {}
      : { continuation: Buffer.from(query.skiptoken, 'base64url').toString('utf8') }),
  };
}

/** The answer's body for one page; a query of `collectionUrl` is kept in the link to the next. */
export function pageBody<T>(
  items: T[],
  page: {
    readonly continuation?: string | undefined;
    readonly query: PageQuery;
    readonly collectionUrl: string;
  },
): { value: T[]; nextLink?: string } {
  if (page.continuation === undefined) return { value: items };
  const next = new URL(page.collectionUrl);
  if (page.query.maxpagesize !== undefined) next.searchParams.set('maxpagesize', page.query.maxpagesize);
  next.searchParams.set('skiptoken', Buffer.from(page.continuation, 'utf8').toString('base64url'));
  return { value: items, nextLink: next.href };
}

/** A page of a list that is short by nature and already whole, in the order of its ids. */
export function sliceOf<T>(
  items: readonly T[],
  wanted: {
    readonly idOf: (item: T) => string;
    readonly query: PageQuery;
    readonly collectionUrl: string;
  },
): { value: T[]; nextLink?: string } {
  const { limit, continuation = '' } = pageRequest(wanted.query);
  const rest = items.filter((item) => wanted.idOf(item) > continuation);
  const value = rest.slice(0, limit);
  const last = value.at(-1);
  const more = rest.length > limit && last !== undefined;
  return pageBody(value, { ...wanted, continuation: more ? wanted.idOf(last) : undefined });
}
