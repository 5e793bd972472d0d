// The same reads, the same AES and the same transactions as the two passes of a switch, with nothing around them: what the machine
// could do at best. No decisions, no checks but those of AES-GCM itself, no counts.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { lengthPrefixed } from '../shared/domain/length-prefixed.ts';
import { BEFORE_DATA_KEYS } from '../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../shared/store/rows/row-keys.ts';
import { SHARD_ROW_KEY } from '../shared/domain/shard.ts';
import type { Cells, RowPage, RowWrite, StoredRow, Tables } from '../shared/store/tables.ts';
import { PAGE_ROWS } from '../shared/operations/switches/page-reader.ts';
import { KEYRING } from './seeded-company.ts';
import { SeededEntropy } from './seeded-entropy.ts';

export interface BarePassOptions {
  readonly tables: Tables;
  readonly companyId: string;
  readonly shardCount: number;
  readonly from: KeyObject;
  readonly to: KeyObject;
}

export const ROWS_PER_TRANSACTION = 99;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const EMPTY = new Uint8Array(0);

/** All shards at once, as sixteen messages are worked at once. */
export async function barePasses(options: BarePassOptions): Promise<void> {
  const shards = Array.from({ length: options.shardCount }, (_, shard) => bareShard(options, shard));
  await Promise.all(shards);
}

async function bareShard(options: BarePassOptions, shard: number): Promise<void> {
  const { tables, companyId } = options;
  const partitionKey = dataKeysPartition({ companyId, keyringId: KEYRING, shard });
  const change = new BareRows(options, shard);
  let etag = (await tables.read('datakeys', partitionKey, SHARD_ROW_KEY))?.etag ?? '';
  for (const pass of ['rewrap', 'verify'] as const) {
    let cursor = BEFORE_DATA_KEYS;
    let ahead: Promise<RowPage> | undefined;
    for (let more = true; more;) {
      await Promise.all([
        tables.read('companies', companyId, 'company'),
        tables.read('datakeys', partitionKey, SHARD_ROW_KEY),
      ]);
      const query = { table: 'datakeys', partitionKey, limit: PAGE_ROWS } as const;
      const { rows, continuation } = await (ahead ?? tables.list({ ...query, after: cursor }));
      const writes = rows.map((row) => (pass === 'rewrap' ? change.rewrap(row) : change.verify(row)));
      cursor = rows.at(-1)?.rowKey ?? cursor;
      more = continuation !== undefined;
      ahead = continuation === undefined ? undefined : tables.list({ ...query, after: cursor, continuation });
      for (let start = 0; start < writes.length; start += ROWS_PER_TRANSACTION) {
        const shardRow: RowWrite = { kind: 'merge', rowKey: SHARD_ROW_KEY, cells: { cursor }, etag };
        const transaction = [shardRow, ...writes.slice(start, start + ROWS_PER_TRANSACTION)];
        const written = await tables.write('datakeys', partitionKey, transaction);
        if (written.outcome !== 'committed') throw new Error('the bare loop lost a race');
        etag = written.etags[0] ?? '';
      }
    }
  }
}

class BareRows {
  readonly #from: KeyObject;
  readonly #to: KeyObject;
  readonly #entropy: SeededEntropy;
  readonly #head: Buffer;
  readonly #fromTail: Buffer;
  readonly #toTail: Buffer;

  constructor({ companyId, from, to }: BarePassOptions, shard: number) {
    this.#from = from;
    this.#to = to;
    this.#entropy = new SeededEntropy(`bare ${shard}`);
    this.#head = lengthPrefixed(['keyswitch.data-key.1', companyId, KEYRING]);
    this.#fromTail = lengthPrefixed(['1']);
    this.#toTail = lengthPrefixed(['2']);
  }

  rewrap(row: StoredRow): RowWrite {
    const previous = blobIn(row.cells, 'blob');
    const plaintext = unwrap(this.#from, previous, this.#aad(row.rowKey, this.#fromTail));
    const blob = this.#wrap(plaintext, this.#aad(row.rowKey, this.#toTail));
    plaintext.fill(0);
    return mergeOf(row, { blob, companyKeyVersion: 2, previous, previousVersion: 1, writtenBy: 'bare' });
  }

  verify(row: StoredRow): RowWrite {
    const now = unwrap(this.#to, blobIn(row.cells, 'blob'), this.#aad(row.rowKey, this.#toTail));
    const before = unwrap(this.#from, blobIn(row.cells, 'previous'), this.#aad(row.rowKey, this.#fromTail));
    if (!now.equals(before)) throw new Error('a row differs');
    return mergeOf(row, { previous: EMPTY, previousVersion: 0, writtenBy: 'bare' });
  }

  #wrap(plaintext: Buffer, aad: Buffer): Buffer {
    const nonce = this.#entropy.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#to, nonce);
    cipher.setAAD(aad);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return Buffer.concat([Buffer.of(1), nonce, ciphertext, cipher.getAuthTag()]);
  }

  #aad(keyId: string, tail: Buffer): Buffer {
    const head = this.#head;
    const aad = Buffer.allocUnsafe(head.length + 4 + keyId.length + tail.length);
    aad.set(head);
    aad.writeUInt32BE(keyId.length, head.length);
    aad.write(keyId, head.length + 4, 'latin1');
    aad.set(tail, head.length + 4 + keyId.length);
    return aad;
  }
}

function unwrap(key: KeyObject, blob: Uint8Array, aad: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, blob.subarray(1, 1 + NONCE_BYTES));
  decipher.setAAD(aad);
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(1 + NONCE_BYTES, blob.length - TAG_BYTES));
  decipher.final();
  return plaintext;
}

const mergeOf = (row: StoredRow, cells: Cells): RowWrite => ({
  kind: 'merge',
  rowKey: row.rowKey,
  cells,
  etag: row.etag,
});

function blobIn(cells: Cells, name: string): Uint8Array {
  const value = cells[name];
  if (!(value instanceof Uint8Array)) throw new Error(`no ${name} in a row`);
  return value;
}
