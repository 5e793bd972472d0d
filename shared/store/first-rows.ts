// The rows of a partition that is being deleted, of all kinds.
import { foundIn, type Found } from './found.ts';
import { SHARD_ROW_KEY } from '../domain/shard.ts';
import { listAll, pagesOf } from './list-pages.ts';
import { COMPANY_ROW_KEY, OUTBOX_PREFIX, SHARD_OUTBOX_PREFIX } from './rows/row-keys.ts';
import { MAX_WRITES_PER_TRANSACTION, type Cells, type StoredRow, type TableName, type Tables } from './tables.ts';

/**
 * The first rows of a partition, or of a range of it, past empty pages; an empty list is asked for twice. Leaves out the shard's own row, which is deleted by
 * itself after the last of them, and events on their way to the record, which are delivered.
 */
export async function firstRows(
  tables: Pick<Tables, 'list'>,
  where: {
    readonly table: TableName;
    readonly partitionKey: string;
    readonly after?: string;
    readonly before?: string;
  },
): Promise<readonly Found<Cells>[]> {
  for (let asked = 0; asked < 2; asked += 1)
    for await (const page of pagesOf(tables, { ...where, limit: MAX_WRITES_PER_TRANSACTION })) {
      const isMeant = ({ rowKey }: StoredRow): boolean =>
        rowKey !== SHARD_ROW_KEY && !rowKey.startsWith(SHARD_OUTBOX_PREFIX);
      const rows = page.rows.filter(isMeant);
      if (rows.length > 0) return rows.map((row) => foundIn(where, row));
    }
  return [];
}

/** All rows in a company's partition but its own, and but events on their way. */
export async function listControlRows(tables: Pick<Tables, 'list'>, companyId: string): Promise<Found<Cells>[]> {
  const where = { table: 'companies', partitionKey: companyId } as const;
  const rows = await listAll(tables, { ...where, after: '', before: '~' });
  return rows
    .filter(({ rowKey }) => rowKey !== COMPANY_ROW_KEY && !rowKey.startsWith(OUTBOX_PREFIX))
    .map((row) => foundIn(where, row));
}
