// A company key at rest: wrapped by a KEK with RSA-OAEP-256, together with the hash of where it belongs. Pure, but for
// the randomness that OAEP draws inside node:crypto.
import {
  constants,
  createHash,
  createPublicKey,
  createSecretKey,
  publicEncrypt,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';
import type { ProviderRef } from './provider.ts';

export interface CompanyKeyContext {
  readonly companyId: string;
  readonly keyringId: string;
  readonly version: number;
}

export const COMPANY_KEY_BYTES = 32;
export const WRAP_ALGORITHM = 'RSA-OAEP-256';

/** A signature by the vendor's seal key; `keyVersion` is the version of that key. */
export interface Seal {
  readonly keyVersion: string;
  /** ES256, 64 bytes r || s, base64url. */
  readonly signature: string;
}

/** A company key under one KEK, as its row keeps it. */
export interface Wrap {
  readonly ref: ProviderRef;
  readonly host: string;
  readonly tenantId: string;
  /** Versioned key id: unwrapping always names the version that wrapped. */
  readonly keyId: string;
  readonly algorithm: typeof WRAP_ALGORITHM;
  /** base64url */
  readonly ciphertext: string;
  readonly seal: Seal;
}

/** One version of a keyring's company key. Two wraps during a switch, one otherwise. */
export interface CompanyKeyRow extends CompanyKeyContext {
  readonly wraps: readonly Wrap[];
  /** `providerName` of the wrap that callers use. Not sealed: commit moves it without a signature. */
  readonly inForce: string;
  readonly createdAt: string;
}

const contextHash = (context: CompanyKeyContext): Buffer =>
  createHash('sha256')
    .update(lengthPrefixed(['keyswitch.company-key.1', context.companyId, context.keyringId, String(context.version)]))
    .digest();

/** RSA-OAEP-256 of key || SHA-256(context), by the public key alone. The payload in memory is zeroed. */
export function wrapCompanyKey(input: {
  readonly n: string;
  readonly e: string;
  readonly companyKey: Uint8Array;
  readonly context: CompanyKeyContext;
}): Buffer {
  const key = createPublicKey({ key: { kty: 'RSA', n: input.n, e: input.e }, format: 'jwk' });
  const payload = Buffer.concat([input.companyKey, contextHash(input.context)]);
  try {
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, payload);
  } finally {
    payload.fill(0);
  }
}

/**
 * The company key inside an unwrapped payload, or undefined if the payload is another's: the context is compared in
 * constant time. The payload is zeroed either way; the key lives on in the KeyObject only.
 */
export function openCompanyKeyPayload(payload: Uint8Array, context: CompanyKeyContext): KeyObject | undefined {
  try {
    const expected = contextHash(context);
    if (payload.length !== COMPANY_KEY_BYTES + expected.length) return undefined;
    if (!timingSafeEqual(payload.subarray(COMPANY_KEY_BYTES), expected)) return undefined;
    return createSecretKey(payload.subarray(0, COMPANY_KEY_BYTES));
  } finally {
    payload.fill(0);
  }
}
