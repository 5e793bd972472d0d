// The port to Table Storage. A store that is away throws (`StoreUnavailable`) instead of answering: no operation can decide without it, and
// the edge turns the exception into "try again" for callers and into back-off for messages.

import type { Cells, TableName } from './rows/cells.ts';

export type { Cell, Cells, TableName } from './rows/cells.ts';

export interface StoredRow {
  readonly rowKey: string;
  readonly etag: string;
  readonly cells: Cells;
}

export type RowWrite =
  | { readonly kind: 'insert'; readonly rowKey: string; readonly cells: Cells }
  | { readonly kind: 'replace'; readonly rowKey: string; readonly cells: Cells; readonly etag: string }
  /** Cells not named stay as they are. With no cells it changes nothing and only demands that the ETag still holds. */
  | { readonly kind: 'merge'; readonly rowKey: string; readonly cells: Cells; readonly etag: string }
  | { readonly kind: 'delete'; readonly rowKey: string; readonly etag: string };

export type WriteOutcome =
  /** The new ETag of each row, in the order of the writes; empty text for a delete. */
  | { readonly outcome: 'committed'; readonly etags: readonly string[] }
  /** Nothing was written. `index` is the write that failed: an insert of a row that exists, or a row that is gone or has another ETag. */
  | { readonly outcome: 'conflict'; readonly index: number; readonly reason: 'exists' | 'changed' | 'missing' }
  /** The answer was lost: all of it was written or nothing was. Read the rows: they tell whose write it was. */
  | { readonly outcome: 'unknown' };

export const MAX_WRITES_PER_TRANSACTION = 100;

export interface RowPage {
  readonly rows: readonly StoredRow[];
  /** Present if there may be more, also when `rows` is empty. */
  readonly continuation?: string;
}

export interface Tables {
  /** Undefined if there is none. Throws StoreUnavailable. */
  read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined>;
  /**
   * In the order of row keys: `after` and `before` exclusive, `from` and `to` inclusive, at most `limit` (up to 1,000) a page. Throws
   * StoreUnavailable.
   */
  list(query: {
    readonly table: TableName;
    readonly partitionKey: string;
    readonly after?: string;
    readonly before?: string;
    readonly from?: string;
    readonly to?: string;
    readonly limit: number;
    readonly continuation?: string;
  }): Promise<RowPage>;
  /** One transaction within one partition, 1 to 100 writes, each row once. Never throws for a conflict. */
  write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome>;
}

/** The store's own clock, which all hosts share. */
export interface StoreClock {
  /** How far the store's clock was ahead of ours at its last answer, in ms; negative if behind, undefined before the first answer. As exact as that
   * answer was quick, at best to a second. */
  aheadMs(): number | undefined;
}
