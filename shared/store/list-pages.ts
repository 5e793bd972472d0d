// The pages of a list. Table Storage may answer a short page, or one without rows, that is not the last: only its continuation tells.
import type { RowPage, Tables } from './tables.ts';

type Query = Parameters<Tables['list']>[0];

/** Each page, as it is answered. Throws StoreUnavailable. */
export async function* pagesOf(tables: Pick<Tables, 'list'>, query: Query): AsyncGenerator<RowPage, undefined> {
  let page = await tables.list(query);
  yield page;
  while (page.continuation !== undefined) {
    page = await tables.list({ ...query, continuation: page.continuation });
    yield page;
  }
  return undefined;
}

/** The same, but that a list is over is believed of no single answer: what lies behind its last row is asked for until nothing does. */
export async function* pagesToTheEnd(
  tables: Pick<Tables, 'list'>,
  query: Query & { readonly after: string },
): AsyncGenerator<RowPage, undefined> {
  let last = query.after;
  let after: string;
  do {
    after = last;
    for await (const page of pagesOf(tables, { ...query, after })) {
      yield page;
      last = page.rows.at(-1)?.rowKey ?? last;
    }
  } while (last !== after);
  return undefined;
}
