// The claims of every kind of token in the embedded run, as Azure writes them. Pure: the clock and ids are passed in.
import { createHash } from 'node:crypto';
import { API_APP_ID, FEDERATION_AUDIENCE, issuerV1, issuerV2 } from '../identities.ts';
import type { User } from './model.ts';
import type { Claims } from './token-signer.ts';

interface Lifetime {
  readonly nowMs: number;
  readonly seconds: number;
}

/** v1.0 access token of an application, for a resource such as Key Vault or Storage. */
export function applicationClaims(options: {
  readonly tenantId: string;
  readonly audience: string;
  readonly appId: string;
  readonly objectId: string;
  /** How the app proved itself: 1 by a secret, 2 by an assertion. */
  readonly proof: '1' | '2';
  readonly tokenId: string;
  readonly lifetime: Lifetime;
}): Claims {
  const { tenantId, objectId } = options;
  return {
    aud: options.audience,
    iss: issuerV1(tenantId),
    ...times(options.lifetime),
    appid: options.appId,
    appidacr: options.proof,
    idp: issuerV1(tenantId),
    idtyp: 'app',
    oid: objectId,
    sub: objectId,
    tid: tenantId,
    uti: options.tokenId,
    ver: '1.0',
  };
}

/** What a managed identity shows to Entra in place of a secret: issuer and subject are what a credential names. */
export function federationClaims(options: {
  readonly tenantId: string;
  readonly clientId: string;
  readonly principalId: string;
  readonly tokenId: string;
  readonly lifetime: Lifetime;
}): Claims {
  return {
    aud: FEDERATION_AUDIENCE,
    iss: issuerV2(options.tenantId),
    ...times(options.lifetime),
    azp: options.clientId,
    azpacr: '2',
    idtyp: 'app',
    oid: options.principalId,
    sub: options.principalId,
    tid: options.tenantId,
    uti: options.tokenId,
    ver: '2.0',
  };
}

/** v2.0 token for calling Keyswitch's own API. */
export function apiClaims(options: {
  readonly tenantId: string;
  readonly objectId: string;
  readonly callerAppId: string;
  readonly roles: readonly string[];
  readonly company: string | undefined;
  readonly tokenId: string;
  readonly lifetime: Lifetime;
}): Claims {
  return {
    aud: API_APP_ID,
    iss: issuerV2(options.tenantId),
    ...times(options.lifetime),
    azp: options.callerAppId,
    azpacr: '1',
    oid: options.objectId,
    roles: options.roles,
    sub: options.objectId,
    tid: options.tenantId,
    uti: options.tokenId,
    ver: '2.0',
    ...(options.company === undefined ? {} : { extension_company: options.company }),
  };
}

/** v2.0 ID token of a person who signed in. */
export function idTokenClaims(options: {
  readonly tenantId: string;
  readonly appId: string;
  readonly user: User;
  readonly nonce: string | undefined;
  /** Role templates; left out when the app's manifest does not ask for them. */
  readonly roles: readonly string[];
  /** When they signed in; left out when the app's manifest does not ask for it. */
  readonly authTimeMs?: number;
  readonly tokenId: string;
  readonly lifetime: Lifetime;
}): Claims {
  const { tenantId, appId, user, nonce, roles, authTimeMs } = options;
  return {
    aud: appId,
    iss: issuerV2(tenantId),
    ...times(options.lifetime),
    ...(authTimeMs === undefined ? {} : { auth_time: Math.floor(authTimeMs / 1000) }),
    name: user.displayName,
    ...(nonce === undefined ? {} : { nonce }),
    oid: user.objectId,
    preferred_username: user.userName,
    // Another one for every app, so that two apps cannot compare their users by it.
    sub: createHash('sha256').update(`${appId}/${user.objectId}`).digest('base64url'),
    tid: tenantId,
    uti: options.tokenId,
    ver: '2.0',
    ...(roles.length === 0 ? {} : { wids: roles }),
  };
}

/** `overrides` laid over the claims; `null` takes a claim out. For tokens that are wrong in one way. */
export function withOverrides(claims: Claims, overrides: Readonly<Record<string, unknown>>): Claims {
  return Object.fromEntries(Object.entries({ ...claims, ...overrides }).filter(([, value]) => value !== null));
}

function times({ nowMs, seconds }: Lifetime): { iat: number; nbf: number; exp: number } {
  const now = Math.floor(nowMs / 1000);
  return { iat: now, nbf: now, exp: now + seconds };
}
