// One segment of a file, encrypted under a data key with AES-256-GCM: nonce, tag, ciphertext. Pure but for the nonce.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** How much longer a segment becomes. */
export const OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;

/** A segment that is moved to another place or file does not open. */
export const contextOf = (path: string, segment: number): Buffer => Buffer.from(`${path}\0${segment}`);

export function seal(
  key: Buffer,
  { segment, context }: { readonly segment: Buffer; readonly context: Buffer },
): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(segment), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]);
}

/** Undefined if it is not what was encrypted with this key for this place. */
export function unseal(
  key: Buffer,
  { sealed, context }: { readonly sealed: Buffer; readonly context: Buffer },
): Buffer | undefined {
  if (sealed.length < OVERHEAD_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(context).setAuthTag(sealed.subarray(NONCE_BYTES, OVERHEAD_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(OVERHEAD_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
