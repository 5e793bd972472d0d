// Reads rows by the objects that describe them (rows/). Each comes with its ETag and its place, because a decision on it must be written
// under that ETag.
import { listAll, listSome, pagesOf, pagesToTheEnd } from './list-pages.ts';
import type { Row, RowChange, Rows } from './rows/row.ts';
import { rowKeysUnder } from './rows/row-keys.ts';
import type { Cells, StoredRow, TableName, Tables } from './tables.ts';

export interface Loaded<T> {
  readonly value: T;
  readonly etag: string;
}

/** A row as it was read, or as it was written. */
export interface Found<V> extends Loaded<V> {
  readonly at: At<V>;
}

/** One row of the tables, and how it is written. */
export interface At<V> {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly row: { cells(value: V): Cells; demands?(changes: readonly RowChange<unknown>[]): readonly string[] };
}

/** One row of a list, with its place. */
export interface Listed<P, V> extends Found<V> {
  readonly place: P;
}

export const at = <P, V, R>(row: Row<P, V, R>, place: P): At<V> => ({
  table: row.table,
  partitionKey: row.partition(place),
  rowKey: row.key(place),
  row,
});

/** A row that was read in another way, as `find` would read it. */
export const found = <P, V, R>(row: Row<P, V, R>, place: P, { rowKey, cells, etag }: StoredRow): Found<R> => ({
  value: row.read(cells, place),
  etag,
  at: { ...at(row, place), rowKey } as At<unknown>,
});

/** Undefined if there is none. Throws StoreUnavailable. */
export async function find<P, V, R>(
  tables: Pick<Tables, 'read'>,
  row: Row<P, V, R>,
  place: P,
): Promise<Found<R> | undefined> {
  const stored = await tables.read(row.table, row.partition(place), row.key(place));
  const read = stored && found(row, place, stored);
  return read && row.isGone?.(read.value) === true ? undefined : read;
}

interface RowRange {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly after: string;
  readonly before?: string;
}

/** The range of their keys, for lists that are walked in another way. */
export const rangeOf = <W, P, V, R>(rows: Rows<W, P, V, R>, within: W): RowRange => ({
  table: rows.row.table,
  partitionKey: rows.partition(within),
  ...(rows.range ?? rowKeysUnder(rows.prefix(within))),
});

/** A row of a list, read as `find` would read it. */
export const readListed = <W, P, V, R>(rows: Rows<W, P, V, R>, within: W, stored: StoredRow): Listed<P, R> => {
  const place = rows.place(within, stored.rowKey.slice(rows.prefix(within).length));
  return { ...found(rows.row, place, stored), place };
};

/** All of them, in the order of their keys, however many pages they take. Throws StoreUnavailable. */
export async function list<W, P, V, R>(
  tables: Pick<Tables, 'list'>,
  rows: Rows<W, P, V, R>,
  within: W,
): Promise<Listed<P, R>[]> {
  const stored = await listAll(tables, rangeOf(rows, within));
  return stored.map((row) => readListed(rows, within, row));
}

/**
 * All of them, or those between two keys, page by page. `toTheEnd`: the end of the list is confirmed by a second answer. Throws
 * StoreUnavailable.
 */
export async function* walk<W, P, V, R>(
  tables: Pick<Tables, 'list'>,
  rows: Rows<W, P, V, R>,
  within: W,
  {
    toTheEnd,
    ...how
  }: { readonly limit: number; readonly toTheEnd?: boolean; readonly after?: string; readonly before?: string },
): AsyncGenerator<readonly Listed<P, R>[], undefined> {
  const query = { ...rangeOf(rows, within), ...how };
  for await (const page of toTheEnd ? pagesToTheEnd(tables, query) : pagesOf(tables, query))
    yield page.rows.map((row) => readListed(rows, within, row));
  return undefined;
}

/** A row of any kind, to be deleted. */
export const foundIn = (
  { table, partitionKey }: Pick<RowRange, 'table' | 'partitionKey'>,
  { rowKey, cells, etag }: StoredRow,
): Found<Cells> => ({ value: cells, etag, at: { table, partitionKey, rowKey, row: { cells: (all) => all } } });

/** The first page with rows behind `after`. `last`: where the next page begins, if there may be one. */
export async function listPage<W, P, V, R>(
  tables: Pick<Tables, 'list'>,
  rows: Rows<W, P, V, R>,
  within: W,
  page: { readonly after?: P; readonly limit: number },
): Promise<{ readonly rows: readonly Listed<P, R>[]; readonly last?: P }> {
  const range = rangeOf(rows, within);
  const after = page.after === undefined ? range.after : rows.row.key(page.after);
  const { rows: stored, continuation } = await listSome(tables, { ...range, after, limit: page.limit });
  const read = stored.map((row) => readListed(rows, within, row));
  const last = continuation === undefined ? undefined : read.at(-1)?.place;
  return { rows: read, ...(last === undefined ? {} : { last }) };
}
