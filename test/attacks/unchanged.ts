// That what is stored is the same after an attempt, in every table.
import type { TokenCredential } from '@azure/identity';
import { expect } from 'vitest';
import { dumpTables } from '../../local/demo/table-dump.ts';

/** `mayChange`: places, as `table partition row`, that every call leaves something in. */
export async function unchanged<T>(
  credential: TokenCredential,
  mayChange: RegExp,
  attempts: () => Promise<T>,
): Promise<T> {
  const before = await stored(credential, mayChange);
  const result = await attempts();
  const after = await stored(credential, mayChange);
  const places = new Set([...Object.keys(before), ...Object.keys(after)]);
  expect([...places].filter((place) => before[place] !== after[place])).toEqual([]);
  return result;
}

async function stored(credential: TokenCredential, mayChange: RegExp): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for await (const { table, partitionKey, rowKey, cells } of dumpTables(credential)) {
    const place = `${table} ${partitionKey} ${rowKey}`;
    if (!mayChange.test(place)) found[place] = JSON.stringify(cells);
  }
  return found;
}
