// Gives Azurite's tables an index that fits their keys. As it comes, it finds an entity by walking its partition, answers
// a query by walking the whole table, and keeps sorted arrays in order at every write: too slow beyond a few thousand
// entities. What is found stays exactly the same.
import { ArrayChain, EntityIndex, type Entity } from './entity-index.ts';

export interface TableModel {
  readonly account: string;
  readonly table: string;
}

/** Is told of every write, in its order, with the name of the collection. */
export interface EntityListener {
  put(collection: string, entity: Entity): void;
  removed(collection: string, entity: Entity): void;
}

interface Collection {
  readonly name: string;
  readonly data: readonly Entity[];
  binaryIndices: object;
  chain(): unknown;
  findOne(query: { readonly PartitionKey: string; readonly RowKey: string }): Entity | null;
  insert(entity: Entity): unknown;
  update(entity: Entity): unknown;
  remove(entity: Entity): unknown;
}

type Query = (
  context: unknown,
  account: string,
  table: string,
  options: { filter?: string },
  ...rest: unknown[]
) => unknown;

/** The part of Azurite's LokiTableMetadataStore that matters here. */
export interface TableStore {
  init(): Promise<void>;
  close(): Promise<void>;
  createTable(context: unknown, table: TableModel): Promise<void>;
  deleteTable(context: unknown, table: string, account: string): Promise<void>;
  beginBatchTransaction(batchId: string): Promise<void>;
  endBatchTransaction(...of: unknown[]): Promise<void>;
  getEntityCollection(account: string, table: string, context: unknown): Collection;
  queryTableEntities: Query;
}

export function indexLookups(store: TableStore, listener?: EntityListener): void {
  const getCollection = store.getEntityCollection.bind(store);
  const query = store.queryTableEntities.bind(store);
  const indexes = new WeakMap<Collection, EntityIndex>();
  let partition: string | undefined;

  store.getEntityCollection = (...where) => {
    const collection = getCollection(...where);
    let index = indexes.get(collection);
    if (!index) {
      index = takeOver(collection, listener);
      indexes.set(collection, index);
    }
    if (partition === undefined) return collection;
    const entities = index.partition(partition);
    return Object.assign(Object.create(collection) as Collection, { chain: () => new ArrayChain(entities) });
  };

  // The query takes its collection before it first waits, so `partition` never leaks into another request.
  store.queryTableEntities = (context, account, table, options, ...rest) => {
    partition = singlePartition(options.filter ?? '');
    try {
      return query(context, account, table, options, ...rest);
    } finally {
      partition = undefined;
    }
  };
}

/** Every write of the collection passes through these three; a batch that is rolled back uses them too. */
function takeOver(collection: Collection, listener?: EntityListener): EntityIndex {
  const index = new EntityIndex(collection.data);
  const insert = collection.insert.bind(collection);
  const update = collection.update.bind(collection);
  const remove = collection.remove.bind(collection);
  collection.binaryIndices = {};
  collection.findOne = ({ PartitionKey, RowKey }) => index.find(PartitionKey, RowKey) ?? null;
  collection.insert = (entity) => {
    const done = insert(entity);
    index.set(entity);
    listener?.put(collection.name, entity);
    return done;
  };
  collection.update = (entity) => {
    const done = update(entity);
    index.set(entity);
    listener?.put(collection.name, entity);
    return done;
  };
  collection.remove = (entity) => {
    const done = remove(entity);
    index.delete(entity);
    listener?.removed(collection.name, entity);
    return done;
  };
  return index;
}

/** The partition that a filter is confined to: `PartitionKey eq '…'` first, then only conditions joined by `and`. */
function singlePartition(filter: string): string | undefined {
  const found = /^\s*\(?\s*PartitionKey eq '((?:[^']|'')*)'\s*\)?(.*)$/s.exec(filter);
  if (!found) return undefined;
  const [, value = '', rest = ''] = found;
  const confined = rest === '' || (/^\s+and\s/.test(rest) && !/\b(or|not)\b/.test(rest));
  return confined ? value.replaceAll("''", "'") : undefined;
}
