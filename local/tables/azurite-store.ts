// Makes Azurite's lookups use its indexes. As it comes, it finds an entity by walking the whole partition and answers
// a query by walking the whole table; what is found stays the same, only less is walked through.

interface Chain {
  find(query: object): Chain;
}

interface Collection {
  chain(): Chain;
  findOne(query: Readonly<Record<string, unknown>>): unknown;
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
  getEntityCollection(account: string, table: string, context: unknown): Collection;
  queryTableEntities: Query;
}

export function indexLookups(store: TableStore): void {
  const getCollection = store.getEntityCollection.bind(store);
  const query = store.queryTableEntities.bind(store);
  const improved = new WeakSet<Collection>();
  let partition: string | undefined;

  store.getEntityCollection = (...where) => {
    const collection = getCollection(...where);
    if (!improved.has(collection)) {
      improved.add(collection);
      findByRowKeyFirst(collection);
    }
    if (partition === undefined) return collection;
    const PartitionKey = partition;
    return Object.assign(Object.create(collection) as Collection, {
      chain: () => collection.chain().find({ PartitionKey }),
    });
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

/** Loki narrows by the first property given: row keys are many, so that leaves one or a few entities. */
function findByRowKeyFirst(collection: Collection): void {
  const findOne = collection.findOne.bind(collection);
  collection.findOne = ({ RowKey, ...rest }) => findOne({ RowKey, ...rest });
}

/** The partition that a filter is confined to: `PartitionKey eq '…'` first, then nothing but conditions joined by `and`. */
function singlePartition(filter: string): string | undefined {
  const found = /^\s*\(?\s*PartitionKey eq '((?:[^']|'')*)'\s*\)?(.*)$/s.exec(filter);
  if (!found) return undefined;
  const [, value = '', rest = ''] = found;
  const confined = rest === '' || (/^\s+and\s/.test(rest) && !/\s(or|not)\s|\bnot\b/.test(rest));
  return confined ? value.replaceAll("''", "'") : undefined;
}
