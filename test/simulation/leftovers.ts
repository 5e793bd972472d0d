// What is left on the agenda when all is over, straight from the store. A connection in force is looked at for ever, and a keyring with
// soft-deleted keys until they are purged; kept company keys stay while the counts of a shard, or its rows, which somebody has tampered with, prove
// nothing; everything else must be gone.
import { json } from '../../shared/store/rows/cells.ts';
import { readKeyring } from '../../shared/store/rows/keyring-rows.ts';
import { readDataKey, readShard } from '../../shared/store/rows/data-rows.ts';
import { connectionRowKey, dataKeysPartition, keyringRowKey } from '../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../../shared/domain/shard.ts';
import { areDoneAt } from '../../shared/domain/shard-counts.ts';
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
  if (kind === 'kept') return isAstray(store, companyId, first);
  // The next round over the keyrings of the vendor's key takes it off.
  if (kind === 'vendor-key')
    return (
      store.peek('companies', companyId, second === '' ? keyringRowKey(first) : `${first}|${second}`) !== undefined
    );
  if (kind !== 'check') return false;
  const connection = store.peek('companies', companyId, connectionRowKey(first));
  const usedBy = connection && json(connection.cells, 'usedBy');
  return Array.isArray(usedBy) && usedBy.length > 0;
}

/** Whether the counts of a shard do not add up, or a row is labelled otherwise: a recount is what brings the keyring's kept keys to their end. */
function isAstray(store: FakeTables, companyId: string, keyringId: string): boolean {
  const row = store.peek('companies', companyId, keyringRowKey(keyringId));
  if (!row) return false;
  const { shardCount, activeVersion } = readKeyring(row.cells);
  return Array.from({ length: shardCount }, (_, shard) => dataKeysPartition({ companyId, keyringId, shard })).some(
    (partition) => {
      const shard = store.peek('datakeys', partition, SHARD_ROW_KEY);
      if (shard && !areDoneAt(readShard(shard.cells), activeVersion)) return true;
      const rows = [...store.dump()].filter((row) => row.table === 'datakeys' && row.partitionKey === partition);
      const keys = rows.flatMap(({ rowKey, cells }) => (rowKey.startsWith('!') ? [] : [readDataKey(rowKey, cells)]));
      return keys.some(({ state, companyKeyVersion }) => LABELLED.has(state) && companyKeyVersion !== activeVersion);
    },
  );
}

const LABELLED: ReadonlySet<string> = new Set(['live', 'deleted', 'quarantined']);
