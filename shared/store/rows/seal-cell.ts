// A seal in a JSON cell. Pure. Does not verify it.
import type { Seal } from '../../domain/company-key.ts';
import { isRecord } from '../../domain/plain-object.ts';

/** For a row without a seal: no key version has an empty name, so it never verifies. */
export const NOBODYS_SEAL: Seal = { keyVersion: '', signature: '' };

export function readSeal(value: unknown): Seal | undefined {
  if (!isRecord(value)) return undefined;
  const { keyVersion, signature } = value;
  return typeof keyVersion === 'string' && typeof signature === 'string' ? { keyVersion, signature } : undefined;
}
