// A company key at rest: wrapped by a KEK with RSA-OAEP-256, beside a commitment to the key and to where it belongs. Pure, but for the
// randomness that OAEP draws inside node:crypto.
import { constants, createHash, createPublicKey, createSecretKey, publicEncrypt, type KeyObject } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed.ts';
import type { ProviderRef } from './provider.ts';
import { sameBytes } from './same-bytes.ts';

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

/** A company key wrapped by one KEK, as its row holds it. */
export interface Wrap {
  readonly ref: ProviderRef;
  readonly host: string;
  readonly keyName: string;
  readonly tenantId: string;
  /** Versioned key id: unwrapping always names the version that wrapped. */
  readonly keyId: string;
  /** As its provider names it. */
  readonly algorithm: string;
  /** base64url */
  readonly ciphertext: string;
  /** `commitmentTo` the company key inside. Sealed: no vault can pass another key off as it. */
  readonly commitment: string;
  /**
   * On the wrap of the vault that a switch leads to, until it ends: for the switch's workers, never for callers. Sealed, so that
   * only Keyswitch decides which vault serves.
   */
  readonly guard?: true;
  readonly seal: Seal;
}

/** One version of a keyring's company key: one wrap for callers, and during a switch a guard beside it. */
export interface CompanyKeyRow extends CompanyKeyContext {
  readonly wraps: readonly Wrap[];
  readonly createdAt: string;
}

/**
 * SHA-256 over label, context and company key, base64url. It reveals nothing of the key, which is 256 random bits, and fits no other key and no
 * other place.
 */
export function commitmentTo(companyKey: Uint8Array, context: CompanyKeyContext): string {
  const { companyId, keyringId, version } = context;
  return createHash('sha256')
    .update(lengthPrefixed(['keyswitch.company-key.commitment.1', companyId, keyringId, String(version)]))
    .update(companyKey)
    .digest('base64url');
}

/** RSA-OAEP-256 of the key, by the public key alone. `n` and `e` in base64url. Throws if they are no RSA key. */
export function wrapCompanyKey(input: {
  readonly n: string;
  readonly e: string;
  readonly companyKey: Uint8Array;
}): Buffer {
  const key = createPublicKey({ key: { kty: 'RSA', n: input.n, e: input.e }, format: 'jwk' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, input.companyKey);
}

/**
 * Turns what a vault unwrapped into the company key, if it fits the commitment at this place; undefined otherwise. The commitment is compared
 * in constant time. `unwrapped` is zeroed either way; the key lives on in the KeyObject only.
 */
export function openCompanyKey(
  unwrapped: Uint8Array,
  { commitment, ...context }: CompanyKeyContext & Pick<Wrap, 'commitment'>,
): KeyObject | undefined {
  try {
    if (unwrapped.length !== COMPANY_KEY_BYTES) return undefined;
    const expected = Buffer.from(commitment, 'base64url');
    const actual = Buffer.from(commitmentTo(unwrapped, context), 'base64url');
    if (!sameBytes(actual, expected)) return undefined;
    return createSecretKey(unwrapped);
  } finally {
    unwrapped.fill(0);
  }
}
