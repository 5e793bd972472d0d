// A data key at rest: AES-256-GCM under a company key. Pure; the nonce is passed in and never chosen by a caller of the API. The additional data
// binds the blob to its place: a blob that is moved or relabelled does not open.
import type { KeyObject } from 'node:crypto';
import { BLOB_FORMAT, BLOB_NONCE_BYTES, openBlob, sealBlob } from './gcm-blob.ts';
import { lengthPrefixedWithin } from './length-prefixed.ts';

/** Where a blob belongs; all of it is authenticated. */
export interface DataKeyContext {
  readonly companyId: string;
  readonly keyringId: string;
  readonly keyId: string;
  readonly companyKeyVersion: number;
}

const LABEL = `keyswitch.data-key.${BLOB_FORMAT}`;
export const DATA_KEY_NONCE_BYTES = BLOB_NONCE_BYTES;

/** Bytes of an imported data key. Generated ones have 32. */
export const DATA_KEY_MIN_BYTES = 16;
export const DATA_KEY_MAX_BYTES = 64;

/** Large enough for ids of 64 and 128 characters. Reused without harm: node:crypto copies it at once, and nothing here awaits. */
const SPACE = Buffer.alloc(512);

// invariant 6
const additionalData = ({ companyId, keyringId, keyId, companyKeyVersion }: DataKeyContext): Buffer =>
  lengthPrefixedWithin(SPACE, [LABEL, companyId, keyringId, keyId, String(companyKeyVersion)]);

/** The blob (gcm-blob.ts). `nonce` is DATA_KEY_NONCE_BYTES of fresh entropy, used once. */
export function wrapDataKey(input: {
  readonly companyKey: KeyObject;
  readonly context: DataKeyContext;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
}): Uint8Array {
  const { companyKey: key, context, nonce, plaintext } = input;
  return sealBlob({ key, additionalData: additionalData(context), nonce, plaintext });
}

/** The data key, or undefined if the blob does not open under this company key at this place. */
export function unwrapDataKey(input: {
  readonly companyKey: KeyObject;
  readonly context: DataKeyContext;
  readonly blob: Uint8Array;
}): Buffer | undefined {
  const { companyKey: key, context, blob } = input;
  return openBlob({
    key,
    additionalData: additionalData(context),
    blob,
    min: DATA_KEY_MIN_BYTES,
    max: DATA_KEY_MAX_BYTES,
  });
}
