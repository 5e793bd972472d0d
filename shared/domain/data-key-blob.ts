// A data key at rest: AES-256-GCM under a company key. Pure; the nonce is always passed in and never chosen by a caller
// of the API. The additional data binds the blob to its place, so a blob that is moved or relabelled does not open.
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { lengthPrefixedWithin } from './length-prefixed.ts';

/** Where a blob belongs; all of it is authenticated. */
export interface DataKeyContext {
  readonly companyId: string;
  readonly keyringId: string;
  readonly keyId: string;
  readonly companyKeyVersion: number;
}

const FORMAT = 1;
const LABEL = `keyswitch.data-key.${FORMAT}`;
export const DATA_KEY_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD_BYTES = 1 + DATA_KEY_NONCE_BYTES + TAG_BYTES;

/** Bytes of an imported data key. Generated ones have 32. */
export const DATA_KEY_MIN_BYTES = 16;
export const DATA_KEY_MAX_BYTES = 64;

/** Ids have at most 64 and 128 characters. node:crypto copies it at once, and nothing here waits. */
const SPACE = Buffer.alloc(512);

const additionalData = ({ companyId, keyringId, keyId, companyKeyVersion }: DataKeyContext): Buffer =>
  lengthPrefixedWithin(SPACE, [LABEL, companyId, keyringId, keyId, String(companyKeyVersion)]);

/** The blob: format byte, nonce, ciphertext, tag. `nonce` is DATA_KEY_NONCE_BYTES of fresh entropy, used once. */
export function wrapDataKey(input: {
  readonly companyKey: KeyObject;
  readonly context: DataKeyContext;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
}): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', input.companyKey, input.nonce);
  cipher.setAAD(additionalData(input.context));
  const ciphertext = cipher.update(input.plaintext);
  cipher.final();
  return Buffer.concat([Buffer.of(FORMAT), input.nonce, ciphertext, cipher.getAuthTag()]);
}

/** The data key, or undefined if the blob does not open under this company key at this place. */
export function unwrapDataKey(input: {
  readonly companyKey: KeyObject;
  readonly context: DataKeyContext;
  readonly blob: Uint8Array;
}): Buffer | undefined {
  const { blob } = input;
  if (blob.length < OVERHEAD_BYTES + DATA_KEY_MIN_BYTES || blob.length > OVERHEAD_BYTES + DATA_KEY_MAX_BYTES)
    return undefined;
  if (blob[0] !== FORMAT) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', input.companyKey, blob.subarray(1, 1 + DATA_KEY_NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(input.context));
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(1 + DATA_KEY_NONCE_BYTES, blob.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  return plaintext;
}
