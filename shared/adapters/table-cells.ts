// Cells as Table Storage writes them in JSON, and back. Pure, and on the hot path. What comes back with a type that we never
// write (a date, a GUID, a 64-bit integer) is left out: readers then find the cell missing, never of another type.
import type { Cells, StoredRow } from '../operations/ports.ts';

const TYPE = '@odata.type';
const SYSTEM_NAMES: readonly string[] = ['PartitionKey', 'RowKey', 'Timestamp'];

const isInt32 = (value: number): boolean => Number.isInteger(value) && (value | 0) === value && !Object.is(value, -0);

/** The JSON of one entity. Bytes are only those of the view: the SDK would send all of the buffer behind it. */
export function entityJson(partitionKey: string, rowKey: string, cells: Cells): string {
  const entity: Record<string, string | number | boolean> = { PartitionKey: partitionKey, RowKey: rowKey };
  for (const name in cells) {
    const value = cells[name];
    if (value === undefined) continue;
    if (SYSTEM_NAMES.includes(name) || name.includes('odata.')) throw new Error(`a cell cannot be named ${name}`);
    if (value instanceof Uint8Array) {
      entity[name] = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
      entity[`${name}${TYPE}`] = 'Edm.Binary';
    } else if (typeof value === 'number' && !isInt32(value)) {
      if (!Number.isFinite(value)) throw new Error(`cell ${name} is no finite number`);
      entity[name] = value;
      entity[`${name}${TYPE}`] = 'Edm.Double';
    } else {
      entity[name] = value;
    }
  }
  return JSON.stringify(entity);
}

/** The row in a parsed entity, or undefined if it is none. */
export function storedRow(entity: unknown): StoredRow | undefined {
  if (typeof entity !== 'object' || entity === null) return undefined;
  const read = entity as Readonly<Record<string, unknown>>;
  const rowKey = read['RowKey'];
  const etag = read['odata.etag'];
  if (typeof rowKey !== 'string' || typeof etag !== 'string') return undefined;
  const cells: Record<string, string | number | boolean | Uint8Array> = {};
  for (const name in read) {
    if (SYSTEM_NAMES.includes(name) || name.startsWith('odata.') || name.endsWith(TYPE)) continue;
    const value = read[name];
    if (typeof value === 'number' || typeof value === 'boolean') {
      cells[name] = value;
    } else if (typeof value === 'string') {
      // Only what JSON has no form of its own for comes as a text with a type beside it.
      const type = read[`${name}${TYPE}`];
      if (type === undefined || type === 'Edm.String') cells[name] = value;
      else if (type === 'Edm.Binary') cells[name] = Buffer.from(value, 'base64');
    }
  }
  return { rowKey, etag, cells };
}
