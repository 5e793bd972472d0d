// Keeps Azurite's tables from run to run: what a request wrote, a whole batch at once, before it is answered.
import { StateFile, type StateChange } from '../state/state-file.ts';
import type { EntityListener, TableModel, TableStore } from './azurite-store.ts';
import type { Entity } from './entity-index.ts';

interface KeptTables {
  readonly listener: EntityListener;
  /** Puts back what an earlier run has left. */
  restore(): Promise<void>;
  save(): void;
  close(): void;
}

const TABLE = 'table';

export function keepTables(store: TableStore, path: string): KeptTables {
  const file = new StateFile(path);
  const createTable = store.createTable.bind(store);
  const deleteTable = store.deleteTable.bind(store);
  const beginBatch = store.beginBatchTransaction.bind(store);
  const endBatch = store.endBatchTransaction.bind(store);
  let pending: StateChange[] = [];
  let isInBatch = false;
  let isRestoring = false;

  /** A batch that is being carried out may still be taken back. */
  function save(): void {
    if (isInBatch) return;
    const changes = pending;
    pending = [];
    file.write(changes);
  }

  function note(change: StateChange): void {
    if (isRestoring) return;
    // For answers that never go out.
    if (pending.length === 0) setImmediate(save);
    pending.push(change);
  }

  store.createTable = async (context, table) => {
    await createTable(context, table);
    note({ kind: TABLE, key: collectionOf(table), value: JSON.stringify(withoutBookkeeping(table)) });
  };
  store.deleteTable = async (context, table, account) => {
    await deleteTable(context, table, account);
    save();
    file.write([{ kind: TABLE, key: collectionOf({ account, table }) }]);
    file.clear(collectionOf({ account, table }));
  };
  store.beginBatchTransaction = async (batchId) => {
    await beginBatch(batchId);
    isInBatch = true;
  };
  store.endBatchTransaction = async (...of) => {
    await endBatch(...of).finally(() => {
      isInBatch = false;
    });
  };

  return {
    listener: {
      put: (collection, entity) =>
        note({ kind: collection.toLowerCase(), key: keyOf(entity), value: JSON.stringify(withoutBookkeeping(entity)) }),
      removed: (collection, entity) => note({ kind: collection.toLowerCase(), key: keyOf(entity) }),
    },
    restore: async () => {
      isRestoring = true;
      for (const { key, value } of [...file.rows(TABLE)]) {
        const table = JSON.parse(value) as TableModel;
        await createTable({}, table);
        const collection = store.getEntityCollection(table.account, table.table, {});
        for (const row of file.rows(key)) collection.insert(JSON.parse(row.value) as Entity);
      }
      isRestoring = false;
    },
    save,
    close: () => {
      save();
      file.close();
    },
  };
}

/** As Azurite names it; names of tables differ in more than their case. */
const collectionOf = ({ account, table }: TableModel): string => `${account}$${table}`.toLowerCase();
const keyOf = ({ PartitionKey, RowKey }: Entity): string => JSON.stringify([PartitionKey, RowKey]);

/** Loki, which Azurite keeps its rows in, numbers and dates them, and takes none that has a number. */
function withoutBookkeeping<T extends object>(row: T): T {
  const { $loki: _number, meta: _dates, ...rest } = row as T & { $loki?: unknown; meta?: unknown };
  return rest as unknown as T;
}
