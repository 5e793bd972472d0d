// A small secret in a JSON cell (domain/sealed-secret.ts). Pure. Where it belongs comes from the row's place, not from the cell.
import { isRecord } from '../../domain/plain-object.ts';
import type { SealedSecret } from '../../domain/sealed-secret.ts';

/** Undefined if it is no such secret. */
export function readSealedSecret(value: unknown): SealedSecret | undefined {
  if (!isRecord(value)) return undefined;
  const { keyId, algorithm, ciphertext, blob } = value;
  if (typeof keyId !== 'string' || typeof algorithm !== 'string') return undefined;
  if (typeof ciphertext !== 'string' || typeof blob !== 'string') return undefined;
  return { keyId, algorithm, ciphertext, blob };
}
