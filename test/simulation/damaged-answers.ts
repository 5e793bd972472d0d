// Answers of the store that are none, read as the adapter reads them: by its own functions, so that a product that believes one is
// found out here. https://learn.microsoft.com/rest/api/storageservices/query-entities
import { entityIn, NotAnAnswer, pageIn, type TableAnswer } from '../../shared/adapters/table-answer.ts';
import { transactionOutcome } from '../../shared/adapters/table-transaction.ts';
import {
  type RowPage,
  type RowWrite,
  type StoredRow,
  type Tables,
  type WriteOutcome,
} from '../../shared/store/tables.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';

/** JSON that names what it is of, and has none of it: what an answer becomes whose list or row was lost on its way. */
const answerWithout = (what: string): TableAnswer => ({
  status: 200,
  text: '',
  json: { 'odata.metadata': `https://account.table.core.windows.net/$metadata#${what}` },
  header: (name) => (name === 'content-type' ? 'application/json;odata=minimalmetadata' : undefined),
});

function away<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotAnAnswer) throw new StoreUnavailable(`planted: ${error.message}`);
    throw error;
  }
}

export const damagedRow = (table: string, partitionKey: string, rowKey: string): StoredRow | undefined =>
  away(() => entityIn(answerWithout(`${table}/@Element`), { table, partitionKey, rowKey }));

export const damagedPage = ({ table, partitionKey, limit }: Parameters<Tables['list']>[0]): RowPage =>
  away(() => pageIn(answerWithout(table), { table, partitionKey, top: limit }));

/** Of a transaction that was done. */
export function damagedOutcome(writes: readonly RowWrite[]): WriteOutcome {
  const told = transactionOutcome(writes, { status: 202, contentType: 'text/html', text: '<html></html>' });
  if (told.outcome === 'refused') throw new Error('a page was taken for a refusal');
  return told;
}
