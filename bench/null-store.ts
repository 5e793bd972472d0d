// Tables that answer in memory and keep next to nothing: a data key's row is made from its number whenever it is read, and only
// how often it was written is remembered (one byte each). ETags, `!shard` rows and pages are for real, so that the operations
// meet what Table Storage demands of them. Knows one keyring and one switch of it, from company key 1 to 2.
import type { KeyObject } from 'node:crypto';
import { DATA_KEY_NONCE_BYTES, wrapDataKey } from '../shared/domain/data-key-blob.ts';
import { dataKeysPartition } from '../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../shared/domain/shard.ts';
import type { Cells, RowPage, RowWrite, StoredRow, TableName, Tables, WriteOutcome } from '../shared/store/tables.ts';
import { FakeTables } from '../test/fakes/fake-tables.ts';

export interface NullStoreOptions {
  readonly companyId: string;
  readonly keyringId: string;
  readonly shardCount: number;
  readonly dataKeyCount: number;
  /** Company key 1 or 2; the second is not there before the switch has made it. */
  readonly companyKey: (version: number) => Promise<KeyObject>;
}

interface ShardState {
  readonly partitionKey: string;
  readonly number: number;
  readonly rowCount: number;
  /** How often each row was written: once by each pass. */
  readonly writes: Uint8Array;
  shardRow: StoredRow | undefined;
}

const ROW_ETAGS = ['W/"unmoved"', 'W/"moved"', 'W/"checked"'] as const;
const EMPTY = new Uint8Array(0);
const CREATED_AT = '2026-01-01T00:00:00.000Z';
const PLAINTEXT = Buffer.alloc(32);
const NONCE = Buffer.alloc(DATA_KEY_NONCE_BYTES);
const PREFIX = 'key-';
const DIGITS = 8;

const FIRST_SHARD = 1_000;
const FIRST_ROW = 10_000_000;

/** Of equal length, so that they sort as numbers. */
const keyIdOf = (shard: number, row: number): string => `${PREFIX}${FIRST_SHARD + shard}-${FIRST_ROW + row}`;

/** An answer comes in a later turn of the event loop, as from any store; a loop that never turns frees nothing of what is native. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class NullStore implements Tables {
  readonly #options: NullStoreOptions;
  readonly #control = new FakeTables();
  readonly #shards: ReadonlyMap<string, ShardState>;
  #second: Promise<KeyObject> | undefined;
  #keys: { readonly from: KeyObject; readonly to: KeyObject | undefined } | undefined;
  #etag = 0;
  /** Milliseconds spent in here: making rows is no part of what is measured. */
  ownMs = 0;

  constructor(options: NullStoreOptions) {
    this.#options = options;
    const { companyId, keyringId, shardCount, dataKeyCount } = options;
    const shards = Array.from({ length: shardCount }, (_, number): ShardState => {
      const rowCount = Math.floor(dataKeyCount / shardCount) + (number < dataKeyCount % shardCount ? 1 : 0);
      const partitionKey = dataKeysPartition({ companyId, keyringId, shard: number });
      return { partitionKey, number, rowCount, writes: new Uint8Array(rowCount), shardRow: undefined };
    });
    this.#shards = new Map(shards.map((shard) => [shard.partitionKey, shard]));
  }

  rowCount(shard: number): number {
    return [...this.#shards.values()][shard]?.rowCount ?? 0;
  }

  /** How many rows went through both passes. */
  checkedRows(): number {
    return [...this.#shards.values()].reduce(
      (sum, { writes }) => sum + writes.filter((count) => count === 2).length,
      0,
    );
  }

  async read(table: TableName, partitionKey: string, rowKey: string): Promise<StoredRow | undefined> {
    await turn();
    if (table !== 'datakeys') return this.#control.read(table, partitionKey, rowKey);
    return rowKey === SHARD_ROW_KEY ? this.#shard(partitionKey).shardRow : undefined;
  }

  async list(query: Parameters<Tables['list']>[0]): Promise<RowPage> {
    await turn();
    if (query.table !== 'datakeys') return this.#control.list(query);
    const shard = this.#shard(query.partitionKey);
    const keys = this.#keys?.to ? this.#keys : await this.#loadKeys(shard);
    const begun = performance.now();
    const first = query.continuation === undefined ? rowAfter(query.after ?? '') : Number(query.continuation);
    const end = Math.min(first + query.limit, shard.rowCount);
    const rows: StoredRow[] = [];
    for (let row = first; row < end; row += 1) rows.push(this.#row(shard, row, keys));
    this.ownMs += performance.now() - begun;
    return end < shard.rowCount ? { rows, continuation: String(end) } : { rows };
  }

  async write(table: TableName, partitionKey: string, writes: readonly RowWrite[]): Promise<WriteOutcome> {
    await turn();
    if (table !== 'datakeys') return this.#control.write(table, partitionKey, writes);
    const begun = performance.now();
    const outcome = this.#writeShard(this.#shard(partitionKey), writes);
    this.ownMs += performance.now() - begun;
    return outcome;
  }

  #writeShard(shard: ShardState, writes: readonly RowWrite[]): WriteOutcome {
    const [first] = writes;
    if (first?.rowKey !== SHARD_ROW_KEY || writes.length > 100) throw new Error('no transaction of a shard');
    if (first.kind === 'delete') throw new Error('a shard is never deleted');
    if (first.kind !== 'insert' && first.etag !== shard.shardRow?.etag)
      return { outcome: 'conflict', index: 0, reason: 'changed' };
    const numbers: number[] = [];
    for (let index = 1; index < writes.length; index += 1) {
      const write = writes[index];
      if (write?.kind !== 'merge') throw new Error('a pass only merges data keys');
      const row = rowNumber(write.rowKey);
      const times = shard.writes[row] ?? 0;
      if (write.etag !== ROW_ETAGS[times]) return { outcome: 'conflict', index, reason: 'changed' };
      assertMoved(times, write.cells);
      numbers.push(row);
    }
    this.#etag += 1;
    const etag = `W/"${this.#etag}"`;
    shard.shardRow = { rowKey: SHARD_ROW_KEY, etag, cells: { ...shard.shardRow?.cells, ...first.cells } };
    const etags: string[] = [etag];
    for (const row of numbers) {
      const times = (shard.writes[row] ?? 0) + 1;
      shard.writes[row] = times;
      etags.push(ROW_ETAGS[times] ?? '');
    }
    return { outcome: 'committed', etags };
  }

  #row(
    shard: ShardState,
    row: number,
    keys: { readonly from: KeyObject; readonly to: KeyObject | undefined },
  ): StoredRow {
    const times = shard.writes[row] ?? 0;
    const keyId = keyIdOf(shard.number, row);
    const isMoved = times > 0 && keys.to !== undefined;
    const before = times < 2 ? this.#blob(shard, row, { keyId, version: 1, key: keys.from }) : EMPTY;
    const cells: Cells = {
      format: 1,
      state: 'live',
      origin: 'generated',
      blob: isMoved ? this.#blob(shard, row, { keyId, version: 2, key: keys.to }) : before,
      companyKeyVersion: isMoved ? 2 : 1,
      previous: times === 1 ? before : EMPTY,
      previousVersion: times === 1 ? 1 : 0,
      stateBefore: '',
      quarantineReason: '',
      createdBy: 'seed',
      writtenBy: 'seed',
      createdAt: CREATED_AT,
      deletedAt: '',
      purgeAfter: '',
    };
    return { rowKey: keyId, etag: ROW_ETAGS[times] ?? '', cells };
  }

  #blob(
    shard: ShardState,
    row: number,
    at: { readonly keyId: string; readonly version: number; readonly key: KeyObject },
  ): Uint8Array {
    const { companyId, keyringId } = this.#options;
    PLAINTEXT.fill(shard.number).writeUInt32BE(row);
    NONCE.fill(shard.number).writeUInt32BE(row);
    NONCE.writeUInt8(at.version, NONCE.length - 1);
    const context = { companyId, keyringId, keyId: at.keyId, companyKeyVersion: at.version };
    return wrapDataKey({ companyKey: at.key, context, nonce: NONCE, plaintext: PLAINTEXT });
  }

  /** The second company key is there once the first row has been written under it. */
  async #loadKeys(shard: ShardState): Promise<{ readonly from: KeyObject; readonly to: KeyObject | undefined }> {
    if (shard.writes[0] !== 0) this.#second ??= this.#options.companyKey(2);
    const to = await this.#second;
    const keys = { from: this.#keys?.from ?? (await this.#options.companyKey(1)), to };
    if (to || !this.#keys?.to) this.#keys = keys;
    return keys;
  }

  #shard(partitionKey: string): ShardState {
    const shard = this.#shards.get(partitionKey);
    if (!shard) throw new Error(`no such shard: ${partitionKey}`);
    return shard;
  }
}

const rowNumber = (keyId: string): number => Number(keyId.slice(-DIGITS)) - FIRST_ROW;
const rowAfter = (after: string): number => (after.startsWith(PREFIX) ? rowNumber(after) + 1 : 0);

/** What each pass must write: nobody may be fast by leaving it out. */
function assertMoved(times: number, cells: Cells): void {
  const { blob, companyKeyVersion, previous, previousVersion } = cells;
  const asFirstPass = blob instanceof Uint8Array && companyKeyVersion === 2 && previousVersion === 1;
  const asSecondPass = previous instanceof Uint8Array && previous.length === 0 && previousVersion === 0;
  if (times === 0 ? !asFirstPass : !asSecondPass) throw new Error('a row was not written as its pass must');
}
