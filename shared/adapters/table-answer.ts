// Checks that an answer is Table Storage's, and to this very request. A gateway, a proxy or a fault may answer anything, and an answer mistaken for
// "no such row" can cost a key. Pure: the caller decides what an invalid answer means.
import type { RowPage, StoredRow } from '../store/tables.ts';
import { storedRow } from './table-cells.ts';

export interface TableAnswer {
  readonly status: number;
  readonly text: string;
  /** The body, if it says that it is JSON. */
  readonly json: unknown;
  header(name: string): string | undefined;
}

/** Something other than the store answered. Nothing may be decided by it. */
export class NotAnAnswer extends Error {
  override readonly name = 'NotAnAnswer';
}

const NEXT_PARTITION = 'x-ms-continuation-nextpartitionkey';
const NEXT_ROW = 'x-ms-continuation-nextrowkey';

/**
 * The service sends its version and the request's id with every answer, also with refusals and batches.
 * https://learn.microsoft.com/rest/api/storageservices/query-entities#response-headers
 */
export function isAnswerTo(answer: TableAnswer, requestId: string): boolean {
  return answer.header('x-ms-client-request-id') === requestId && answer.header('x-ms-version') !== undefined;
}

interface EntityPlace {
  readonly table: string;
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** The one row that was asked for. Throws NotAnAnswer for anything else. */
export function entityIn(answer: TableAnswer, { table, partitionKey, rowKey }: EntityPlace): StoredRow {
  const body = jsonOf(answer, `${table}/@Element`);
  const row = storedRow(body, partitionKey);
  if (row?.rowKey !== rowKey) throw new NotAnAnswer('no entity, or another one');
  return row;
}

interface Range {
  readonly table: string;
  readonly partitionKey: string;
  /** Exclusive, both. */
  readonly after?: string;
  readonly before?: string;
  /** Inclusive, both. */
  readonly from?: string;
  readonly to?: string;
  readonly top: number;
  /** Where this page began. */
  readonly position?: PagePosition;
}

/** Where the next page begins: behind one of our rows or, after an empty page, where the store says. */
export type PagePosition = { readonly after: string } | { readonly nextPartition: string; readonly nextRow?: string };

/** The requested page: rows of this partition and range only, in order, each once. Throws NotAnAnswer. */
export function pageIn(answer: TableAnswer, range: Range): RowPage {
  const { value } = jsonOf(answer, range.table);
  if (!Array.isArray(value) || value.length > range.top) throw new NotAnAnswer('no list, or too long a one');
  const rows: StoredRow[] = [];
  let last = range.after;
  for (const entity of value as readonly unknown[]) {
    const row = storedRow(entity, range.partitionKey);
    if (!row) throw new NotAnAnswer('a list of what are no entities of this partition');
    if (isOutOf(range, row.rowKey) || (last !== undefined && row.rowKey <= last))
      throw new NotAnAnswer('rows out of order or range');
    rows.push(row);
    last = row.rowKey;
  }
  const position = positionAfter(answer, range, rows.at(-1)?.rowKey);
  return position ? { rows, continuation: JSON.stringify(position) } : { rows };
}

const isOutOf = ({ before, from, to }: Range, rowKey: string): boolean =>
  (before !== undefined && rowKey >= before) ||
  (from !== undefined && rowKey < from) ||
  (to !== undefined && rowKey > to);

/**
 * The next page is asked for by the last row of this one, so that the store's token cannot skip any. An empty page that is not the last has only the
 * token.
 */
function positionAfter(answer: TableAnswer, range: Range, lastRowKey: string | undefined): PagePosition | undefined {
  const nextPartition = answer.header(NEXT_PARTITION);
  const nextRow = answer.header(NEXT_ROW);
  if (nextPartition === undefined) {
    if (nextRow !== undefined) throw new NotAnAnswer('half a continuation');
    return undefined;
  }
  if (lastRowKey !== undefined) return { after: lastRowKey };
  const { position: at, partitionKey } = range;
  const isRepeated =
    at !== undefined && 'nextPartition' in at && at.nextPartition === nextPartition && at.nextRow === nextRow;
  if (isRepeated) throw new NotAnAnswer('a continuation that leads back to itself');
  // Seen from the service: `1!24!` and the key in base64, with `-` for `=`. Other forms cannot be checked.
  const named = /^1!\d+!([A-Za-z0-9+/_-]+)$/.exec(nextPartition)?.[1];
  if (named !== undefined && Buffer.from(named.replaceAll('-', '='), 'base64').toString('utf8') !== partitionKey)
    throw new NotAnAnswer('a continuation of another partition');
  return { nextPartition, ...(nextRow === undefined ? {} : { nextRow }) };
}

/** The JSON of an answer, whose `odata.metadata` must name `what`. */
function jsonOf(answer: TableAnswer, what: string): Readonly<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(answer.header('content-type') ?? ''))
    throw new NotAnAnswer('an answer without JSON');
  if (typeof answer.json !== 'object' || answer.json === null) throw new NotAnAnswer('JSON that is no object');
  const body = answer.json as Readonly<Record<string, unknown>>;
  const metadata = body['odata.metadata'];
  if (typeof metadata !== 'string' || !metadata.toLowerCase().endsWith(`$metadata#${what.toLowerCase()}`))
    throw new NotAnAnswer('an answer about something else');
  return body;
}
