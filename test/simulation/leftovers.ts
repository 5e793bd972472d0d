// What is left on the agenda when all is over, straight from the store. A connection in force is looked at for ever, and a keyring with
// soft-deleted keys until they are purged; everything else must be gone.
import { json } from '../../shared/domain/rows/cells.ts';
import { connectionRowKey, keyringRowKey } from '../../shared/domain/rows/row-keys.ts';
import type { FakeTables } from '../fakes/fake-tables.ts';

/** Row keys of items that nothing stands behind. */
export function leftOnAgenda(store: FakeTables): string[] {
  return [...store.dump()].flatMap(({ table, partitionKey, rowKey }) => {
    const isItem = table === 'agenda' && /^\d\d$/.test(partitionKey);
    return isItem && !isNeeded(store, rowKey) ? [rowKey] : [];
  });
}

function isNeeded(store: FakeTables, item: string): boolean {
  const [kind, companyId = '', first = '', second = ''] = item.split('|');
  if (kind === 'purge')
    return first === 'keyring' && store.peek('companies', companyId, keyringRowKey(second)) !== undefined;
  if (kind !== 'check') return false;
  const connection = store.peek('companies', companyId, connectionRowKey(first));
  const usedBy = connection && json(connection.cells, 'usedBy');
  return Array.isArray(usedBy) && usedBy.length > 0;
}
