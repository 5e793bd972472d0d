// Rows whose presence is all they say: two inserts of the same row do no harm.
import { at } from './found.ts';
import type { Row } from './rows/row.ts';
import type { Tables } from './tables.ts';

const MAX_SENDS = 3;

/** False if it stays unknown whether the row is there: call again. */
export async function insertIfAbsent<P, V, R>(
  tables: Pick<Tables, 'write'>,
  row: Row<P, V, R>,
  place: P,
  value: V,
): Promise<boolean> {
  const { table, partitionKey, rowKey } = at(row, place);
  const write = { kind: 'insert', rowKey, cells: row.cells(value) } as const;
  for (let sends = 0; sends < MAX_SENDS; sends += 1) {
    const written = await tables.write(table, partitionKey, [write]);
    if (written.outcome === 'committed' || (written.outcome === 'conflict' && written.reason === 'exists')) return true;
  }
  return false;
}
