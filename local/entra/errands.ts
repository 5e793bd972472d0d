// What a person is at Entra's pages for: to sign in to an app, or to consent to it for the whole tenant. Reads the
// request that brought them there. What is refused without a safe way back is shown, everything else is told the app.
import { isChallenge } from '../oidc/pkce.ts';
import * as aadsts from './aadsts.ts';
import * as refusals from './aadsts-sign-in.ts';
import type { Directory } from './directory.ts';
import type { AppRegistration, Tenant, User } from './model.ts';

export interface Errand {
  readonly kind: 'sign-in' | 'admin-consent';
  readonly tenant: Tenant;
  readonly app: AppRegistration;
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly loginHint: string;
  readonly prompt: string | undefined;
  /** `max_age`: a session that is older does not count. Not documented by Microsoft, and heeded all the same. */
  readonly maxAgeSeconds: number | undefined;
  /** Once it is known who is there. */
  readonly user?: User;
  readonly signedInAtMs?: number;
}

export type ReadErrand =
  | { readonly errand: Errand }
  | { readonly shown: aadsts.EntraError }
  | { readonly told: aadsts.EntraError; readonly redirectUri: string; readonly state: string | undefined };

export function readErrand(
  kind: Errand['kind'],
  request: { readonly tenant: string; readonly query: URLSearchParams; readonly directory: Directory },
): ReadErrand {
  const { query, directory } = request;
  const tenant = directory.findTenant(request.tenant);
  // `common` and `organizations` are nobody's tenant here: an app that would take anyone is to notice.
  if (!tenant) return { shown: aadsts.unknownTenant(request.tenant, 'invalid_request') };
  const clientId = query.get('client_id');
  if (clientId === null) return { shown: aadsts.parameterMissing('client_id') };
  const app = directory.findApp(clientId);
  if (!app || !(app.multiTenant || app.homeTenantId === tenant.tenantId)) {
    return { shown: aadsts.appNotFound(clientId, tenant.displayName) };
  }
  const redirectUri = query.get('redirect_uri');
  if (redirectUri === null) return { shown: aadsts.parameterMissing('redirect_uri') };
  if (!app.redirectUris.has(redirectUri)) return { shown: refusals.redirectUriUnknown(redirectUri, app.appId) };
  const state = query.get('state') ?? undefined;
  const scope = query.get('scope');
  if (scope === null) return { told: aadsts.parameterMissing('scope'), redirectUri, state };
  const wrong = kind === 'sign-in' ? refuseSignIn(query, scope) : undefined;
  if (wrong) return { told: wrong, redirectUri, state };
  return {
    errand: {
      kind,
      tenant,
      app,
      redirectUri,
      scope,
      state,
      nonce: query.get('nonce') ?? undefined,
      codeChallenge: query.get('code_challenge') ?? undefined,
      loginHint: query.get('login_hint') ?? '',
      prompt: query.get('prompt') ?? undefined,
      maxAgeSeconds: readMaxAge(query.get('max_age')),
    },
  };
}

/** What Entra makes of one that is no number is not known: here it counts as none. */
const readMaxAge = (text: string | null): number | undefined =>
  /^\d{1,9}$/.test(text ?? '') ? Number(text) : undefined;

function refuseSignIn(query: URLSearchParams, scope: string): aadsts.EntraError | undefined {
  const responseType = query.get('response_type');
  if (responseType === null) return aadsts.parameterMissing('response_type');
  if (responseType !== 'code') return refusals.responseTypeUnsupported(responseType);
  const responseMode = query.get('response_mode') ?? 'query';
  if (responseMode !== 'query') return refusals.responseModeUnsupported(responseMode);
  if (!scope.split(' ').includes('openid')) return refusals.scopeWithoutOpenId();
  const challenge = query.get('code_challenge');
  if (challenge === null) return undefined;
  if (query.get('code_challenge_method') !== 'S256') return refusals.challengeMethodInvalid();
  return isChallenge(challenge) ? undefined : refusals.challengeSizeInvalid();
}
