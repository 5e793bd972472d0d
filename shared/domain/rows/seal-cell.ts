// A seal as it stands in a cell of JSON. Pure. Whether it verifies is told elsewhere.
import type { Seal } from '../company-key.ts';
import { isRecord } from './cells.ts';

export function readSeal(value: unknown): Seal | undefined {
  if (!isRecord(value)) return undefined;
  const { keyVersion, signature } = value;
  return typeof keyVersion === 'string' && typeof signature === 'string' ? { keyVersion, signature } : undefined;
}
