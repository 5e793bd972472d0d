// AES-256-GCM at rest: format byte, nonce, ciphertext, tag. Pure, and on the hot path. The nonce is passed in; the additional data names the blob's
// place, so a blob that is moved or relabelled does not open.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

/** Also part of the label in each additional data. */
export const BLOB_FORMAT = 1;
export const BLOB_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = 1 + BLOB_NONCE_BYTES + TAG_BYTES;

/** `nonce` is BLOB_NONCE_BYTES of fresh entropy, used once. */
export function sealBlob(input: {
  readonly key: KeyObject;
  readonly additionalData: Buffer;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
}): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', input.key, input.nonce);
  cipher.setAAD(input.additionalData);
  const ciphertext = cipher.update(input.plaintext);
  cipher.final();
  return Buffer.concat([Buffer.of(BLOB_FORMAT), input.nonce, ciphertext, cipher.getAuthTag()]);
}

/** The plaintext, of `min` to `max` bytes; undefined if the bytes are no blob or do not open. The caller overwrites it after use. */
export function openBlob(input: {
  readonly key: KeyObject;
  readonly additionalData: Buffer;
  readonly blob: Uint8Array;
  readonly min: number;
  readonly max: number;
}): Buffer | undefined {
  const { blob } = input;
  if (blob.length < OVERHEAD_BYTES + input.min || blob.length > OVERHEAD_BYTES + input.max) return undefined;
  if (blob[0] !== BLOB_FORMAT) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', input.key, blob.subarray(1, 1 + BLOB_NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(input.additionalData);
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(1 + BLOB_NONCE_BYTES, blob.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
