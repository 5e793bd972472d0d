// The tables as somebody with access to them would use them: the real SDK, unconditional writes, no respect for the product's
// rules. Also what the product's own rows say when nobody is at work.
import type { TableClient, TableEntityResult } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import { openTable } from '../../local/demo/table-dump.ts';
import { dataKeysPartition, rowKeysUnder, switchRowKey } from '../../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY, shardOf } from '../../shared/domain/shard.ts';

export type Row = TableEntityResult<Record<string, unknown>>;
type TableName = 'companies' | 'datakeys';

const KEYRING = 'default';
/** As SHORT_SETTINGS has it. */
const SHARD_COUNT = 4;

export class StoredRows {
  readonly #tables: Readonly<Record<TableName, TableClient>>;
  readonly #shardCount: number;

  constructor(credential: TokenCredential, { shardCount = SHARD_COUNT } = {}) {
    this.#shardCount = shardCount;
    const open = (name: TableName): TableClient => openTable(credential, name);
    this.#tables = { companies: open('companies'), datakeys: open('datakeys') };
  }

  read(table: TableName, partitionKey: string, rowKey: string): Promise<Row> {
    return this.#tables[table].getEntity(partitionKey, rowKey);
  }

  dataKey(companyId: string, keyId: string): Promise<Row> {
    return this.read('datakeys', this.#partitionOfKey(companyId, keyId), keyId);
  }

  /** Over whatever is there. */
  async overwrite(table: TableName, place: { partitionKey: string; rowKey: string }, cells: object): Promise<void> {
    const { partitionKey, rowKey } = place;
    await this.#tables[table].upsertEntity({ ...cells, partitionKey, rowKey }, 'Merge');
  }

  async overwriteDataKey(companyId: string, keyId: string, cells: object): Promise<void> {
    await this.overwrite('datakeys', { partitionKey: this.#partitionOfKey(companyId, keyId), rowKey: keyId }, cells);
  }

  async list(table: TableName, partitionKey: string, prefix = ''): Promise<Row[]> {
    const rows: Row[] = [];
    const range = prefix === '' ? '' : rangeOf(prefix);
    const filter = `PartitionKey eq '${partitionKey}'${range}`;
    for await (const row of this.#tables[table].listEntities({ queryOptions: { filter } })) rows.push(row);
    return rows;
  }

  companyKeys(companyId: string): Promise<Row[]> {
    return this.list('companies', companyId, `companykey|${KEYRING}|`);
  }

  shards(companyId: string): Promise<Row[]> {
    return Promise.all(
      Array.from({ length: this.#shardCount }, (_, shard) =>
        this.read('datakeys', dataKeysPartition({ companyId, keyringId: KEYRING, shard }), SHARD_ROW_KEY),
      ),
    );
  }

  /** How far a switch is, in the words of the protocol. */
  async stageOf(companyId: string, switchId: string): Promise<string> {
    const sw = await this.read('companies', companyId, switchRowKey(KEYRING, switchId)).catch(() => undefined);
    if (!sw) return 'before it';
    const { state, generation } = sw;
    if (state === 'pending-verification' || state === 'preparing') return 'prepare';
    if (state !== 're-protecting' && state !== 'rolling-back') return 'after its end';
    const shards = await this.shards(companyId);
    const has = (phase: string): boolean => shards.some((shard) => shard['phase'] === phase);
    const direction = state === 're-protecting' ? 'forward' : 'back';
    if (shards.some((shard) => shard['generation'] !== generation)) return `${direction}: turn`;
    if (has('rewrap')) return `${direction}: first pass`;
    if (has('verify')) return `${direction}: second pass`;
    return direction === 'forward' ? 'commit' : 'end of cancel';
  }

  /** Every way in which what the shards count differs from the rows that there are. */
  async miscounts(companyId: string): Promise<string[]> {
    const wrong: string[] = [];
    for (let shard = 0; shard < this.#shardCount; shard += 1) {
      const rows = await this.list('datakeys', dataKeysPartition({ companyId, keyringId: KEYRING, shard }));
      const counter = rows.find(({ rowKey }) => rowKey === SHARD_ROW_KEY);
      const keys = rows.filter(({ rowKey }) => !(rowKey ?? '!').startsWith('!'));
      for (const state of ['live', 'deleted', 'quarantined', 'lost']) {
        const there = keys.filter((key) => key['state'] === state).length;
        if (counter?.[state] !== there) wrong.push(`shard ${shard}: ${state} ${String(counter?.[state])} for ${there}`);
      }
      for (const [cell, states] of [
        ['at', ['live', 'deleted']],
        ['aside', ['quarantined']],
      ] as const) {
        const there = keys.filter((key) => states.some((state) => state === key['state']));
        const counted = Object.entries(JSON.parse(String(counter?.[cell])) as Record<string, number>);
        const sum = counted.reduce((all, [, count]) => all + count, 0);
        const atVersion = (version: string): number =>
          there.filter((key) => String(key['companyKeyVersion']) === version).length;
        const isExact = sum === there.length && counted.every(([version, count]) => count === atVersion(version));
        if (!isExact) wrong.push(`shard ${shard}: ${cell} ${String(counter?.[cell])}`);
      }
    }
    return wrong;
  }

  #partitionOfKey(companyId: string, keyId: string): string {
    return dataKeysPartition({ companyId, keyringId: KEYRING, shard: shardOf(keyId, this.#shardCount) });
  }
}

function rangeOf(prefix: string): string {
  const { after, before } = rowKeysUnder(prefix);
  return ` and RowKey gt '${after}' and RowKey lt '${before}'`;
}
