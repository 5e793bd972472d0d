// The same reads and transactions as the two passes of a switch, through @azure/data-tables as it comes, with bytes made beforehand:
// no AES, no decisions.
import { TableClient, type TableEntityResult, type TransactionAction } from '@azure/data-tables';
import { BEFORE_DATA_KEYS } from '../shared/store/rows/data-rows.ts';
import { COMPANY_ROW_KEY, dataKeysPartition } from '../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../shared/domain/shard.ts';
import { PAGE_ROWS } from '../shared/operations/switches/page-reader.ts';
import { storageCredential } from '../test/local/tables/bearer-token.ts';
import { ROWS_PER_TRANSACTION } from './bare-passes.ts';
import { KEYRING } from './seeded-company.ts';
import { TABLES_ENDPOINT } from './tables-service.ts';

type Entity = TableEntityResult<Record<string, unknown>>;

interface Page {
  readonly rows: readonly Entity[];
  readonly continuation: string | undefined;
}

/** Of the length of a wrapped data key. */
const BLOB = Buffer.alloc(61, 7);
const EMPTY = new Uint8Array(0);
/** What a pass changes in a row, and in the shard's. */
const WRITER = '00000000-0000-7000-8000-000000000001.00000000-0000-7000-8000-000000000001';
const CHANGES = {
  rewrap: { blob: BLOB, companyKeyVersion: 2, previous: BLOB, previousVersion: 1, writtenBy: WRITER },
  verify: { previous: EMPTY, previousVersion: 0, writtenBy: WRITER },
};
const SHARD_CHANGE = { phase: 'rewrap', generation: 1, live: 1250, at: '{"1":1250}', checked: 0, writtenBy: WRITER };

export class BareTables {
  readonly #companyId: string;
  readonly #shardCount: number;
  readonly #companies = new TableClient(TABLES_ENDPOINT, 'companies', storageCredential());
  readonly #dataKeys = new TableClient(TABLES_ENDPOINT, 'datakeys', storageCredential());

  constructor(options: { readonly companyId: string; readonly shardCount: number }) {
    this.#companyId = options.companyId;
    this.#shardCount = options.shardCount;
  }

  /** All shards at once. */
  async bothPasses(): Promise<void> {
    await Promise.all(Array.from({ length: this.#shardCount }, (_, shard) => this.#shard(shard)));
  }

  async #shard(shard: number): Promise<void> {
    const partitionKey = dataKeysPartition({ companyId: this.#companyId, keyringId: KEYRING, shard });
    let { etag } = await this.#dataKeys.getEntity(partitionKey, SHARD_ROW_KEY);
    for (const pass of ['rewrap', 'verify'] as const) {
      let ahead: Promise<Page> | undefined;
      for (let more = true; more;) {
        await Promise.all([
          this.#companies.getEntity(this.#companyId, COMPANY_ROW_KEY),
          this.#dataKeys.getEntity(partitionKey, SHARD_ROW_KEY),
        ]);
        const { rows, continuation } = await (ahead ?? this.#page(partitionKey));
        more = continuation !== undefined;
        ahead = continuation === undefined ? undefined : this.#page(partitionKey, continuation);
        for (let start = 0; start < rows.length; start += ROWS_PER_TRANSACTION) {
          const chunk = rows.slice(start, start + ROWS_PER_TRANSACTION);
          etag = await this.#write(partitionKey, { etag, chunk, change: CHANGES[pass] });
        }
      }
    }
  }

  async #page(partitionKey: string, continuationToken?: string): Promise<Page> {
    const filter = `PartitionKey eq '${partitionKey}' and RowKey gt '${BEFORE_DATA_KEYS}'`;
    const pages = this.#dataKeys
      .listEntities({ queryOptions: { filter } })
      .byPage({ maxPageSize: PAGE_ROWS, ...(continuationToken === undefined ? {} : { continuationToken }) });
    for await (const page of pages) return { rows: page, continuation: page.continuationToken };
    return { rows: [], continuation: undefined };
  }

  async #write(
    partitionKey: string,
    what: { readonly etag: string; readonly chunk: readonly Entity[]; readonly change: object },
  ): Promise<string> {
    const { etag, chunk, change } = what;
    const cursor = chunk.at(-1)?.rowKey ?? '';
    const actions: TransactionAction[] = [
      ['update', { partitionKey, rowKey: SHARD_ROW_KEY, ...SHARD_CHANGE, cursor }, 'Merge', { etag }],
      ...chunk.map((row): TransactionAction => [
        'update',
        { partitionKey, rowKey: row.rowKey ?? '', ...change },
        'Merge',
        { etag: row.etag },
      ]),
    ];
    const { status, subResponses } = await this.#dataKeys.submitTransaction(actions);
    const [first] = subResponses;
    if (status !== 202 || first?.etag === undefined) throw new Error(`the transaction failed: ${status}`);
    return first.etag;
  }
}
