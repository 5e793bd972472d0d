// The company key that a switch leaves behind, kept under the company key that stays: AES-256-GCM of one by the other, and under no vault's key, so
// that nothing stored opens with a provider that the company has left (invariant 2). Restored tables whose data keys are older than their control rows
// need it to open. Pure; the nonce is passed in.
import { createSecretKey, type KeyObject } from 'node:crypto';
import { COMPANY_KEY_BYTES, type CompanyKeyContext } from './company-key.ts';
import { BLOB_FORMAT, BLOB_NONCE_BYTES, openBlob, sealBlob } from './gcm-blob.ts';
import { lengthPrefixed } from './length-prefixed.ts';

/** How the switch ended: a commit keeps the lower version under the higher one, a cancel the higher under the lower. */
export type KeptReason = 'completed' | 'cancelled';

export interface KeptKey extends CompanyKeyContext {
  /** The version that it is kept under; that one may be a kept key itself. */
  readonly under: number;
  readonly blob: Uint8Array;
  readonly reason: KeptReason;
  readonly keptAt: string;
  /** Not deleted before then, and afterwards only on proof that nothing needs it. */
  readonly until: string;
}

export const KEPT_KEY_NONCE_BYTES = BLOB_NONCE_BYTES;

/** Where a kept key belongs; all of it is authenticated. */
export type KeptKeyContext = CompanyKeyContext & { readonly under: number };

const additionalData = ({ companyId, keyringId, version, under }: KeptKeyContext): Buffer =>
  lengthPrefixed([`keyswitch.kept-key.${BLOB_FORMAT}`, companyId, keyringId, String(version), String(under)]);

/** The blob (gcm-blob.ts). `nonce` is KEPT_KEY_NONCE_BYTES of fresh entropy, used once. */
export function keepKey(input: {
  readonly going: KeyObject;
  readonly staying: KeyObject;
  readonly context: KeptKeyContext;
  readonly nonce: Uint8Array;
}): Uint8Array {
  const { staying: key, context, nonce } = input;
  const plaintext = input.going.export();
  try {
    return sealBlob({ key, additionalData: additionalData(context), nonce, plaintext });
  } finally {
    plaintext.fill(0);
  }
}

/** The company key; undefined if the blob does not open under `under` at this place. */
export function openKeptKey(input: {
  readonly under: KeyObject;
  readonly context: KeptKeyContext;
  readonly blob: Uint8Array;
}): KeyObject | undefined {
  const { under: key, context, blob } = input;
  const [min, max] = [COMPANY_KEY_BYTES, COMPANY_KEY_BYTES];
  const plaintext = openBlob({ key, additionalData: additionalData(context), blob, min, max });
  if (!plaintext) return undefined;
  try {
    return createSecretKey(plaintext);
  } finally {
    plaintext.fill(0);
  }
}
