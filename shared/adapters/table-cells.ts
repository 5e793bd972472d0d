// Cells as Table Storage writes them in JSON, and back. Pure, and on the hot path. A cell of a type that we never write (a date, a GUID, a 64-bit
// integer) becomes NaN, which no reader accepts: its row is then malformed, and neither row nor cell counts as absent.
import type { Cell, Cells, StoredRow } from '../store/tables.ts';

const TYPE = '@odata.type';
const SYSTEM_NAMES: readonly string[] = ['PartitionKey', 'RowKey', 'Timestamp'];

const isInt32 = (value: number): boolean => Number.isInteger(value) && (value | 0) === value && !Object.is(value, -0);

/** Legal in JSON, but some JSON readers treat them as line breaks. */
const LINE_SEPARATORS = /[\u2028\u2029]/g;

/**
 * The JSON of one entity. A lone surrogate becomes U+FFFD, because the service could not return it. Of bytes only the view is sent; the SDK would send
 * the whole buffer behind it.
 */
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
      entity[name] = typeof value === 'string' ? value.toWellFormed() : value;
    }
  }
  return JSON.stringify(entity).replace(LINE_SEPARATORS, (character) =>
    character === '\u2028' ? '\\u2028' : '\\u2029',
  );
}

/** An ETag by RFC 9110, but not `*`, which would make a write unconditional. */
export const isETag = (text: string): boolean => /^(W\/)?"[^"\r\n]+"$/.test(text);

/** The row in a parsed entity. Undefined if it is not of this partition, or its keys, ETag or values are not as the service writes them. */
export function storedRow(entity: unknown, partitionKey: string): StoredRow | undefined {
  if (typeof entity !== 'object' || entity === null) return undefined;
  const read = entity as Readonly<Record<string, unknown>>;
  const rowKey = read['RowKey'];
  const etag = read['odata.etag'];
  if (read['PartitionKey'] !== partitionKey || typeof rowKey !== 'string') return undefined;
  if (typeof etag !== 'string' || !isETag(etag)) return undefined;
  const cells: Record<string, Cell> = {};
  for (const name in read) {
    if (SYSTEM_NAMES.includes(name) || name.startsWith('odata.')) continue;
    if (name.endsWith(TYPE)) {
      // A type without its value: the answer is incomplete.
      if (!Object.hasOwn(read, name.slice(0, -TYPE.length))) return undefined;
      continue;
    }
    const cell = cellOf(read[name], read[`${name}${TYPE}`]);
    if (cell === undefined) return undefined;
    cells[name] = cell;
  }
  return { rowKey, etag, cells };
}

/** Undefined for what the service never sends: null, an object, a list, a value of another type, invalid base64. */
function cellOf(value: unknown, type: unknown): Cell | undefined {
  if (typeof value === 'number') return type === undefined || type === 'Edm.Double' ? value : undefined;
  if (typeof value === 'boolean') return type === undefined ? value : undefined;
  if (typeof value !== 'string') return undefined;
  // Types that JSON lacks come as a text with the type beside it.
  if (type === undefined || type === 'Edm.String') return value;
  return type === 'Edm.Binary' ? bytesOf(value) : Number.NaN;
}

function bytesOf(base64: string): Uint8Array | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  // Buffer.from skips invalid base64 characters, so compare the length.
  return base64.length % 4 === 0 && bytes.length === (base64.length / 4) * 3 - padding ? bytes : undefined;
}
