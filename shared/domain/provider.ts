// Where a key-encryption key (KEK) is, and the key as its vault describes it. Pure.
import type { ClientSecret } from './client-secret.ts';

/** A KEK as a company's rows name it: its provider and the company's connection to it. The vendor's own has no connection. */
export interface ProviderRef {
  readonly provider: string;
  readonly connectionId?: string;
}

/** Names a provider within a company. */
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
 * What identifies a key, in the one order in which it is sealed: in a wrap, a connection and a consent, and in the digest of an approval. The tenant
 * is empty until it is known.
 */
export const sealedTextsOf = (
  { provider, connectionId = '' }: ProviderRef,
  { host, keyName, tenantId = '' }: KeyPlace & { readonly tenantId?: string },
): readonly string[] => [provider, connectionId, host, keyName, tenantId];

/** How the app proves to a tenant who it is. Identity knows which kinds there are. */
export interface Credential {
  readonly kind: string;
  /** Application (client) id that the app signs in as. */
  readonly clientId: string;
  /** Of a kind that shows a secret: at most two, the newest first. */
  readonly secrets?: readonly ClientSecret[];
}

/** Names a credential with the secrets that it shows, as they are stored: what one got serves no other, and one that was wrapped anew is another. */
export const credentialName = ({ kind, clientId, secrets = [] }: Credential): string =>
  JSON.stringify([
    kind,
    clientId,
    ...secrets.flatMap(({ companyId, secretId, keyId }) => [companyId, secretId, keyId]),
  ]);

/** A key with all that it takes to reach it. */
export type KeyTarget = VaultTarget;

/**
 * How a vault's key is reached. `tenantId` is the vault's own tenant, pinned: a vault whose challenge names another
 * gets no token.
 */
export interface VaultTarget {
  readonly ref: ProviderRef;
  /** Lower-case host name. */
  readonly host: string;
  readonly keyName: string;
  readonly tenantId: string;
  /** The connection's. The vendor's own key is reached without one, by the app's own identity. */
  readonly credential?: Credential;
  /** It is the vendor's seal key, which signs and wraps nothing. */
  readonly isSealKey?: true;
  /** Tenants that it belonged to before it was moved: wraps made then name one of these. */
  readonly movedFrom?: readonly string[];
  /** When access was last granted, as far as we were told: a denial soon after may only mean that the grant has not arrived. */
  readonly grantedAt?: string;
  /** When an administrator last consented, which creates our service principal. */
  readonly consentedAt?: string;
  /** Only an unfinished switch depends on it. */
  readonly onlyInSwitch?: boolean;
}

/** Of one version of a key, as its provider tells them. ISO 8601. */
export interface KeyDates {
  readonly createdAt?: string;
  readonly notBefore?: string;
  readonly expiresAt?: string;
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
  readonly created?: Date;
  readonly notBefore?: Date;
  readonly expires?: Date;
  readonly recoveryLevel?: string;
}

/** A key that was deleted and is kept for a while. */
export interface Deletion {
  /** Until then it can be recovered, unless it is purged before. */
  readonly recoverableUntil?: Date;
}

/** The parts of a versioned key id, or undefined if it is none. The host in lower case: Key Vault ids are case-insensitive. */
export function parseKeyId(keyId: string): { host: string; keyName: string; version: string } | undefined {
  const match = /^https:\/\/([^/:@?#]+)\/keys\/([0-9A-Za-z-]{1,127})\/([0-9A-Za-z]{1,64})$/.exec(keyId);
  if (!match?.[1] || !match[2] || !match[3]) return undefined;
  return { host: match[1].toLowerCase(), keyName: match[2], version: match[3] };
}
