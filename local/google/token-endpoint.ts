// POST https://oauth2.googleapis.com/token: the client's secret is demanded, the code is redeemed once, and with the
// proof key that the request named. No refresh token for `access_type=online`.
import { createHash, randomBytes } from 'node:crypto';
import { type EmulatorReply, type EmulatorRequest } from '../http/emulator-http.ts';
import { challengeOf } from '../oidc/pkce.ts';
import { GOOGLE_ISSUER } from './discovery.ts';
import type { OAuthClient } from './model.ts';
import type { GoogleCode, GoogleState } from './state.ts';

const REFRESH_TOKEN_BYTES = 48;

export function redeem(state: GoogleState, request: EmulatorRequest): EmulatorReply {
  const form = new URLSearchParams(request.body);
  const nowMs = Date.now();
  const client = authenticate(state, form, request.headers.authorization);
  if ('status' in client) return client;
  const grantType = form.get('grant_type');
  if (grantType !== 'authorization_code')
    return refuse(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType}`);
  const grant = takeGrant({ state, form, client, nowMs });
  if ('status' in grant) return grant;
  const seconds = state.settings.tokenLifetimeSeconds;
  const { user, scope } = grant;
  const accessToken = state.accessTokens.put({ email: user.email, scope }, nowMs + seconds * 1000);
  const body = {
    access_token: accessToken,
    expires_in: seconds,
    scope,
    token_type: 'Bearer',
    id_token: state.idTokens.sign(idTokenClaims(grant, { accessToken, nowMs, seconds })),
    ...(grant.offline ? { refresh_token: `1//${randomBytes(REFRESH_TOKEN_BYTES).toString('base64url')}` } : {}),
  };
  return { status: 200, headers: { 'Cache-Control': 'no-store' }, body };
}

function authenticate(
  { accounts }: GoogleState,
  form: URLSearchParams,
  authorization: string | undefined,
): OAuthClient | EmulatorReply {
  const [basicId, basicSecret] = readBasic(authorization);
  const clientId = basicId ?? form.get('client_id');
  const secret = basicSecret ?? form.get('client_secret');
  if (clientId === null) return refuse(400, 'invalid_request', 'Could not determine client ID from request.');
  const client = accounts.findClient(clientId);
  if (!client) return refuse(401, 'invalid_client', 'The OAuth client was not found.');
  if (secret === null) return refuse(400, 'invalid_request', 'client_secret is missing.');
  return secret === client.secret ? client : refuse(401, 'invalid_client', 'The provided client secret is invalid.');
}

function readBasic(authorization: string | undefined): readonly [string?, string?] {
  const [, encoded] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return [];
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [decodeURIComponent(id), decodeURIComponent(secret)];
}

function takeGrant(redemption: {
  readonly state: GoogleState;
  readonly form: URLSearchParams;
  readonly client: OAuthClient;
  readonly nowMs: number;
}): GoogleCode | EmulatorReply {
  const { state, form, client, nowMs } = redemption;
  const code = form.get('code');
  if (code === null) return refuse(400, 'invalid_request', 'Missing required parameter: code');
  const found = state.codes.find(code, nowMs);
  if (found.state === 'unknown') return refuse(400, 'invalid_grant', 'Malformed auth code.');
  // Used and expired codes are not told apart.
  if (found.state !== 'valid') return refuse(400, 'invalid_grant', 'Bad Request');
  const grant = found.value;
  if (grant.client.clientId !== client.clientId) return refuse(400, 'invalid_grant', 'Bad Request');
  if (grant.redirectUri !== form.get('redirect_uri')) return refuse(400, 'redirect_uri_mismatch', 'Bad Request');
  const verifier = form.get('code_verifier');
  if (grant.codeChallenge !== undefined) {
    if (verifier === null) return refuse(400, 'invalid_grant', 'Missing code verifier.');
    if (challengeOf(verifier) !== grant.codeChallenge) return refuse(400, 'invalid_grant', 'Invalid code verifier.');
  }
  state.codes.take(code, nowMs);
  return grant;
}

function idTokenClaims(
  { client, user, nonce, scope, signedInAtMs }: GoogleCode,
  issued: { readonly accessToken: string; readonly nowMs: number; readonly seconds: number },
): Record<string, unknown> {
  const now = Math.floor(issued.nowMs / 1000);
  const scopes = scope.split(' ');
  const digest = createHash('sha256').update(issued.accessToken).digest();
  return {
    iss: GOOGLE_ISSUER,
    azp: client.clientId,
    aud: client.clientId,
    sub: user.id,
    ...(client.tellsSessionAge ? { auth_time: Math.floor(signedInAtMs / 1000) } : {}),
    ...(user.domain === undefined ? {} : { hd: user.domain }),
    ...(scopes.includes('email') ? { email: user.email, email_verified: true } : {}),
    ...(scopes.includes('profile') ? { name: user.name } : {}),
    at_hash: digest.subarray(0, digest.length / 2).toString('base64url'),
    ...(nonce === undefined ? {} : { nonce }),
    iat: now,
    exp: now + issued.seconds,
  };
}

function refuse(status: number, error: string, text: string): EmulatorReply {
  return { status, body: { error, error_description: text }, detail: { error } };
}
