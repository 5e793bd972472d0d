// The limits of Table Storage, checked before anything is sent: a write beyond them is a bug of its caller and throws. Beside the port, so
// that the real Tables and those of tests refuse the same. Pure.
// https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
// https://learn.microsoft.com/azure/storage/tables/scalability-targets
import type { Cell, Cells, RowWrite } from './tables.ts';
import { MAX_WRITES_PER_TRANSACTION } from './tables.ts';

export const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;
const MAX_ENTITY_BYTES = 1024 * 1024;
/** Beside the partition key, the row key and the timestamp. */
const MAX_CELLS = 252;
const MAX_NAME_CHARS = 255;
const MAX_KEY_CHARS = 1_024;
const MAX_BINARY_BYTES = 64 * 1024;
/** In UTF-16. */
const MAX_TEXT_CHARS = 32 * 1024;
const FORBIDDEN_IN_KEYS = /[/\\#?\u0000-\u001f\u007f-\u009f]/;

/** A write that the store would not take. */
export class BeyondTableLimits extends Error {
  override readonly name = 'BeyondTableLimits';
}

export function assertTransactionLimits(partitionKey: string, writes: readonly RowWrite[]): void {
  if (writes.length < 1 || writes.length > MAX_WRITES_PER_TRANSACTION)
    throw new BeyondTableLimits(`${writes.length} writes in one transaction`);
  if (new Set(writes.map(({ rowKey }) => rowKey)).size !== writes.length)
    throw new BeyondTableLimits('a row twice in one transaction');
  assertKey(partitionKey);
  for (const write of writes) {
    assertKey(write.rowKey);
    if (write.kind !== 'delete') assertEntityLimits(partitionKey, write.rowKey, write.cells);
  }
}

/** The message may hold the row key: none of ours is a secret. */
function assertKey(key: string): void {
  if (key.length > MAX_KEY_CHARS) throw new BeyondTableLimits(`a key of ${key.length} characters`);
  if (FORBIDDEN_IN_KEYS.test(key)) throw new BeyondTableLimits(`a key that cannot be one: ${JSON.stringify(key)}`);
}

/** Checks a whole row as it is after the write, which for a merge is more than the write's cells. Names cells, never their content. */
export function assertEntityLimits(partitionKey: string, rowKey: string, cells: Cells): void {
  let count = 0;
  // Four bytes, the keys, and for each cell eight bytes, its name and its value; texts in UTF-16.
  let bytes = 4 + 2 * (partitionKey.length + rowKey.length);
  for (const name in cells) {
    const value = cells[name];
    if (value === undefined) continue;
    count += 1;
    if (name.length > MAX_NAME_CHARS) throw new BeyondTableLimits(`a cell with a name of ${name.length} characters`);
    const isTooLong = typeof value === 'string' ? value.length > MAX_TEXT_CHARS : sizeOf(value) > MAX_BINARY_BYTES + 4;
    if (isTooLong) throw new BeyondTableLimits(`row ${rowKey}: cell ${name} is too long`);
    bytes += 8 + 2 * name.length + sizeOf(value);
  }
  if (count > MAX_CELLS) throw new BeyondTableLimits(`row ${rowKey} has ${count} cells`);
  if (bytes > MAX_ENTITY_BYTES) throw new BeyondTableLimits(`row ${rowKey} has ${bytes} bytes`);
}

function sizeOf(value: Cell): number {
  if (typeof value === 'string') return 4 + 2 * value.length;
  if (value instanceof Uint8Array) return 4 + value.byteLength;
  return typeof value === 'boolean' ? 1 : 8;
}
