// A small secret at rest: AES-256-GCM under a key of its own, and that key wrapped by the vendor's key-encryption key, so that the tables alone open
// nothing. Pure; the nonce is passed in. The additional data is the secret's place, so a secret that is copied elsewhere does not open.
import { createHash, type KeyObject } from 'node:crypto';
import { openBlob, sealBlob } from './gcm-blob.ts';
import { lengthPrefixed } from './length-prefixed.ts';

/** A label for the kind of secret, then the ids of where it belongs. */
export type SecretPlace = readonly [label: `keyswitch.${string}`, ...ids: string[]];

export interface SealedSecret {
  /** Version of the vendor's key that wraps the secret's own key. */
  readonly keyId: string;
  readonly algorithm: string;
  /** The wrapped key, base64url. */
  readonly ciphertext: string;
  /** The secret under that key (gcm-blob.ts), base64url. */
  readonly blob: string;
}

export const SECRET_KEY_BYTES = 32;
export const SECRET_MAX_BYTES = 256;

/** The blob, base64url. `nonce` is BLOB_NONCE_BYTES of fresh entropy; `key` encrypts this one secret. */
export function encryptSecret(input: {
  readonly key: KeyObject;
  readonly place: SecretPlace;
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
}): string {
  const { key, place, nonce, plaintext } = input;
  const blob = sealBlob({ key, additionalData: lengthPrefixed(place), nonce, plaintext });
  return Buffer.from(blob).toString('base64url');
}

/** The secret, which the caller overwrites after use; undefined if the blob does not open under this key at this place. */
export function decryptSecret(input: {
  readonly key: KeyObject;
  readonly place: SecretPlace;
  readonly blob: string;
}): Buffer | undefined {
  const { key, place } = input;
  const blob = Buffer.from(input.blob, 'base64url');
  return openBlob({ key, additionalData: lengthPrefixed(place), blob, min: 1, max: SECRET_MAX_BYTES });
}

/** What the seal of the secret's row covers of it. */
export const sealedTextsOfSecret = ({ keyId, algorithm, ciphertext, blob }: SealedSecret): readonly string[] => [
  keyId,
  algorithm,
  sha256(ciphertext),
  sha256(blob),
];

const sha256 = (base64url: string): string =>
  createHash('sha256').update(Buffer.from(base64url, 'base64url')).digest('hex');
