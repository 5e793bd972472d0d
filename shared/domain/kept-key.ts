// The company key that a switch leaves behind, kept under the company key that stays: AES-256-GCM of the one by the other, and under no
// vault's key, so that nothing stored opens with a provider that was left (invariant 2). A copy of the tables of which the data keys are
// older than the control rows opens by it. Pure; the nonce is passed in.
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { COMPANY_KEY_BYTES, type CompanyKeyContext } from './company-key.ts';
import { lengthPrefixed } from './length-prefixed.ts';

/** How the switch ended that left it: at commit the lower version is kept under the higher one, at the end of a cancel the other way round. */
export type KeptReason = 'completed' | 'cancelled';

export interface KeptKey extends CompanyKeyContext {
  /** The version of the company key that it is kept under; that one may be kept itself. */
  readonly under: number;
  readonly blob: Uint8Array;
  readonly reason: KeptReason;
  readonly keptAt: string;
  /** Before then it is not deleted; after it only on proof that nothing needs it. */
  readonly until: string;
}

export const KEPT_KEY_NONCE_BYTES = 12;
const FORMAT = 1;
const TAG_BYTES = 16;
const BLOB_BYTES = 1 + KEPT_KEY_NONCE_BYTES + COMPANY_KEY_BYTES + TAG_BYTES;

/** Where a kept key belongs; all of it is authenticated. */
export type KeptKeyContext = CompanyKeyContext & { readonly under: number };

const additionalData = ({ companyId, keyringId, version, under }: KeptKeyContext): Buffer =>
  lengthPrefixed([`keyswitch.kept-key.${FORMAT}`, companyId, keyringId, String(version), String(under)]);

/** The blob: format byte, nonce, ciphertext, tag. `nonce` is KEPT_KEY_NONCE_BYTES of fresh entropy, used once. */
export function keepKey(input: {
  readonly going: KeyObject;
  readonly staying: KeyObject;
  readonly context: KeptKeyContext;
  readonly nonce: Uint8Array;
}): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', input.staying, input.nonce);
  cipher.setAAD(additionalData(input.context));
  const plaintext = input.going.export();
  try {
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return Buffer.concat([Buffer.of(FORMAT), input.nonce, ciphertext, cipher.getAuthTag()]);
  } finally {
    plaintext.fill(0);
  }
}

/** The company key, or undefined if the blob does not open under this one at this place. */
export function openKeptKey(input: {
  readonly under: KeyObject;
  readonly context: KeptKeyContext;
  readonly blob: Uint8Array;
}): KeyObject | undefined {
  const { blob } = input;
  if (blob.length !== BLOB_BYTES || blob[0] !== FORMAT) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', input.under, blob.subarray(1, 1 + KEPT_KEY_NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(input.context));
  decipher.setAuthTag(blob.subarray(BLOB_BYTES - TAG_BYTES));
  const plaintext = decipher.update(blob.subarray(1 + KEPT_KEY_NONCE_BYTES, BLOB_BYTES - TAG_BYTES));
  try {
    decipher.final();
    return createSecretKey(plaintext);
  } catch {
    return undefined;
  } finally {
    plaintext.fill(0);
  }
}
