// POST /{tenant}/oauth2/v2.0/token with the authorization_code grant: the code of a person who signed in, redeemed once
// by the app that it was made for, with the proof key that the request named. The client has proved itself before.
import { randomBytes, randomUUID } from 'node:crypto';
import { challengeOf } from '../oidc/pkce.ts';
import type { PlannedTokens } from '../oidc/planned-tokens.ts';
import type { ShortLived } from '../oidc/short-lived.ts';
import { parameterMissing, type EntraError } from './aadsts.ts';
import * as refusals from './aadsts-sign-in.ts';
import { idTokenClaims } from './claims.ts';
import type { AppRegistration, Tenant } from './model.ts';
import type { CodeGrant } from './people-steps.ts';
import { rolesInToken } from './users.ts';

const ACCESS_TOKEN_BYTES = 48;

interface Redemption {
  readonly app: AppRegistration;
  readonly tenant: Tenant;
  readonly form: URLSearchParams;
  readonly codes: ShortLived<CodeGrant>;
  readonly idTokens: PlannedTokens;
  readonly nowMs: number;
  readonly lifetimeSeconds: number;
}

export function redeemCode(redemption: Redemption): { readonly body: object } | { readonly refused: EntraError } {
  const { app, tenant, form, nowMs, lifetimeSeconds } = redemption;
  const grant = takeGrant(redemption);
  if ('refused' in grant) return grant;
  const claims = idTokenClaims({
    tenantId: tenant.tenantId,
    appId: app.appId,
    user: grant.user,
    nonce: grant.nonce,
    roles: rolesInToken(grant.user, app),
    tokenId: randomUUID(),
    lifetime: { nowMs, seconds: idTokenSeconds(grant, redemption) },
    ...(app.optionalIdTokenClaims.includes('auth_time') ? { authTimeMs: grant.signedInAtMs } : {}),
  });
  return {
    body: {
      token_type: 'Bearer',
      scope: form.get('scope') ?? grant.scope,
      expires_in: lifetimeSeconds,
      ext_expires_in: lifetimeSeconds,
      // For Microsoft Graph, which is not there: nothing in it is an app's business.
      access_token: randomBytes(ACCESS_TOKEN_BYTES).toString('base64url'),
      id_token: redemption.idTokens.sign(claims),
    },
  };
}

/** After `max_age` the ID token has expired, counted from the sign-in: AzureAD/microsoft-authentication-library-for-python#444. */
const idTokenSeconds = (
  { signedInAtMs, maxAgeSeconds }: CodeGrant,
  { nowMs, lifetimeSeconds }: Pick<Redemption, 'nowMs' | 'lifetimeSeconds'>,
): number =>
  maxAgeSeconds === undefined
    ? lifetimeSeconds
    : Math.min(lifetimeSeconds, Math.floor((signedInAtMs - nowMs) / 1000) + maxAgeSeconds);

function takeGrant(redemption: Redemption): CodeGrant | { readonly refused: EntraError } {
  const { app, tenant, form, codes, nowMs } = redemption;
  const code = form.get('code');
  const redirectUri = form.get('redirect_uri');
  if (code === null) return { refused: parameterMissing('code') };
  if (redirectUri === null) return { refused: parameterMissing('redirect_uri') };
  const found = codes.find(code, nowMs);
  if (found.state === 'unknown') return { refused: refusals.codeMalformed() };
  if (found.state === 'used') return { refused: refusals.codeRedeemed() };
  if (found.state === 'expired') return { refused: refusals.codeExpired() };
  const grant = found.value;
  if (grant.tenant !== tenant) return { refused: refusals.codeOfOtherTenant() };
  if (grant.app.appId !== app.appId) return { refused: refusals.codeOfOtherApp() };
  if (grant.redirectUri !== redirectUri) {
    return { refused: refusals.replyAddressDiffers(redirectUri, grant.redirectUri) };
  }
  const verifier = form.get('code_verifier');
  if (grant.codeChallenge !== undefined) {
    if (verifier === null) return { refused: refusals.verifierMissing() };
    if (challengeOf(verifier) !== grant.codeChallenge) return { refused: refusals.verifierWrong() };
  }
  codes.take(code, nowMs);
  return grant;
}
