// A seal as it stands in a cell of JSON. Pure. Whether it verifies is told elsewhere.
import type { Seal } from '../../domain/company-key.ts';
import { isRecord } from '../../domain/plain-object.ts';

/** Of a row that carries none: no key version has this name, so it verifies nowhere. */
export const NOBODYS_SEAL: Seal = { keyVersion: '', signature: '' };

export function readSeal(value: unknown): Seal | undefined {
  if (!isRecord(value)) return undefined;
  const { keyVersion, signature } = value;
  return typeof keyVersion === 'string' && typeof signature === 'string' ? { keyVersion, signature } : undefined;
}
