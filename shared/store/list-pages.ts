// The pages of a list. Table Storage may answer a short or empty page that is not the last: only the missing continuation ends a list.
import type { RowPage, StoredRow, TableName, Tables } from './tables.ts';

type Query = Parameters<Tables['list']>[0];

/** Each page as the store answers it. Throws StoreUnavailable. */
export async function* pagesOf(tables: Pick<Tables, 'list'>, query: Query): AsyncGenerator<RowPage, undefined> {
  let page = await tables.list(query);
  yield page;
  while (page.continuation !== undefined) {
    page = await tables.list({ ...query, continuation: page.continuation });
    yield page;
  }
  return undefined;
}

/** The same, but one answer does not end the list: asks again behind the last row until nothing comes. */
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

const LIST_PAGE_ROWS = 1000;

/**
 * Every row of a partition between two row keys, both exclusive. One answer does not end the list, since keyrings, tenants and kept keys have
 * no counts to check it by: asks again behind the last row until nothing comes.
 */
export async function listAll(
  tables: Pick<Tables, 'list'>,
  range: { readonly table: TableName; readonly partitionKey: string; readonly after: string; readonly before?: string },
): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  // An empty list is asked for twice.
  for (let asked = 0; asked < 2 && rows.length === 0; asked += 1)
    for await (const page of pagesToTheEnd(tables, { ...range, limit: LIST_PAGE_ROWS })) rows.push(...page.rows);
  return rows;
}

/** The first page that has rows; Table Storage may answer empty ones before it. No rows means there are none. */
export async function listSome(tables: Pick<Tables, 'list'>, query: Parameters<Tables['list']>[0]): Promise<RowPage> {
  for await (const page of pagesOf(tables, query)) if (page.rows.length > 0) return page;
  return { rows: [] };
}
