// Where a key-encryption key (KEK) lives, and the key itself as its vault describes it. Pure.

/** A KEK as a company's rows name it: its provider, and the company's connection to it. The vendor's own is reached without one. */
export interface ProviderRef {
  readonly provider: string;
  readonly connectionId?: string;
}

/** A text that names a provider within a company; the mark on a company key's wrap that is in force. */
export function providerName({ provider, connectionId }: ProviderRef): string {
  return connectionId === undefined ? provider : `${provider}:${connectionId}`;
}

export function sameProvider(a: ProviderRef, b: ProviderRef): boolean {
  return providerName(a) === providerName(b);
}

/** Where a key is, as its provider knows it. */
export interface KeyPlace {
  readonly host: string;
  readonly keyName: string;
}

/**
 * What makes a key this one and no other, in the one order in which it is sealed: of a wrap, a connection and a consent, and in the digest of an
 * approval. Whose it is stands empty until that is known.
 */
export const sealedTextsOf = (
  { provider, connectionId = '' }: ProviderRef,
  { host, keyName, tenantId = '' }: KeyPlace & { readonly tenantId?: string },
): readonly string[] => [provider, connectionId, host, keyName, tenantId];

/** A key as it is reached: by whom it is named, where it is, and whose it is. */
export type KeyTarget = VaultTarget;

/**
 * How a vault's key is reached. `tenantId` is the vault's own tenant, pinned: a vault whose challenge names
 * another gets no token.
 */
export interface VaultTarget {
  readonly ref: ProviderRef;
  /** Lower-case host name. */
  readonly host: string;
  readonly keyName: string;
  readonly tenantId: string;
  /** It is the vendor's seal key, which signs and wraps nothing. */
  readonly isSealKey?: true;
  /** Whose it was before it was moved: wraps that were made then name one of these. */
  readonly movedFrom?: readonly string[];
  /** When access was last granted, as far as we were told: a denial soon after it may be the cloud still passing the word. */
  readonly grantedAt?: string;
  /** When an administrator last consented, which is when our service principal was made. */
  readonly consentedAt?: string;
  /** Nothing but a switch that is not finished depends on it. */
  readonly onlyInSwitch?: boolean;
}

/** One version of a key as `GET /keys/{name}/{version}` describes it. */
export interface VaultKey {
  /** Versioned: `https://host/keys/name/version`. */
  readonly keyId: string;
  readonly keyType: string;
  /** Modulus and exponent, base64url without padding; empty for a key that is not RSA. */
  readonly n: string;
  readonly e: string;
  readonly sizeBits: number;
  readonly keyOps: readonly string[];
  readonly enabled: boolean;
  readonly notBefore?: Date;
  readonly expires?: Date;
  readonly recoveryLevel?: string;
}

/** The parts of a versioned key id, or undefined if it is none. Host in lower case; Key Vault ids are case-insensitive. */
export function parseKeyId(keyId: string): { host: string; keyName: string; version: string } | undefined {
  const match = /^https:\/\/([^/:@?#]+)\/keys\/([0-9A-Za-z-]{1,127})\/([0-9A-Za-z]{1,64})$/.exec(keyId);
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { host: match[1].toLowerCase(), keyName: match[2], version: match[3] };
}
