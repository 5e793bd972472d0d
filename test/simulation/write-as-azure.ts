// The fake knows no `*`, which the product never sends; a planted bug does.
import type { RowWrite, TableName, WriteOutcome } from '../../shared/store/tables.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';

/** `*` matches any row, as in Azure. */
export function writeAsAzure(
  store: FakeTables,
  table: TableName,
  partitionKey: string,
  writes: readonly RowWrite[],
): Promise<WriteOutcome> {
  const exact = writes.map((write): RowWrite => {
    if (write.kind === 'insert' || write.etag !== '*') return write;
    return { ...write, etag: store.peek(table, partitionKey, write.rowKey)?.etag ?? '*' };
  });
  return store.write(table, partitionKey, exact);
}
