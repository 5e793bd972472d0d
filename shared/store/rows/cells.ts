// Reads cells that may have been tampered with. Pure: a wrong type becomes undefined, never a crash.

export type TableName = 'companies' | 'datakeys' | 'vaultkeys' | 'requests' | 'agenda' | 'events' | 'health';

/** Numbers are finite; times are ISO 8601 texts. A cell that is undefined is not written. */
export type Cell = string | number | boolean | Uint8Array;
export type Cells = Readonly<Record<string, Cell | undefined>>;

/** A row of ours that cannot be read. Rows that name a vault or a key become `row-forged` instead. */
export class MalformedRow extends Error {
  override readonly name = 'MalformedRow';
}

export const text = (cells: Cells, name: string): string | undefined => {
  const value = cells[name];
  return typeof value === 'string' ? value : undefined;
};

/** An absent text is stored as an empty one, so that a merge can remove it. */
export const optionalText = (cells: Cells, name: string): string | undefined => {
  const value = text(cells, name);
  return value === '' ? undefined : value;
};

export const count = (cells: Cells, name: string): number | undefined => {
  const value = cells[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};

/** A count that may be below zero: a wrong count must stay readable, so that it is seen. */
export const signed = (cells: Cells, name: string): number | undefined => {
  const value = cells[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
};

export const flag = (cells: Cells, name: string): boolean | undefined => {
  const value = cells[name];
  return typeof value === 'boolean' ? value : undefined;
};

export const bytes = (cells: Cells, name: string): Uint8Array | undefined => {
  const value = cells[name];
  return value instanceof Uint8Array ? value : undefined;
};

/** A cell that holds JSON. Undefined if it is absent, empty or no JSON. */
export function json(cells: Cells, name: string): unknown {
  const value = text(cells, name);
  if (value === undefined || value === '') return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

/** One of `allowed`, or undefined. */
export function oneOf<T extends string>(cells: Cells, name: string, allowed: readonly T[]): T | undefined {
  const value = text(cells, name);
  return allowed.find((candidate) => candidate === value);
}

/** `value`, or a MalformedRow that names the row. */
export function need<T>(value: T | undefined, rowKey: string, name: string): T {
  if (value === undefined) throw new MalformedRow(`row ${rowKey}: cell ${name} is missing or malformed`);
  return value;
}

/** Refuses a row of a later format instead of guessing what it means. */
export const needFormat = (cells: Cells, row: string, format = 1): unknown =>
  need(count(cells, 'format') === format ? format : undefined, row, 'format');

/** Of a JSON cell. */
export const textsOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) && value.every((one): one is string => typeof one === 'string') ? value : undefined;
