// A person's way through Google: from /o/oauth2/v2/auth over choosing an account and allowing the access, back to the
// application. What has no safe way back ends on a page of Google's.
import type { EmulatorReply, EmulatorRequest } from '../http/emulator-http.ts';
import { button, hiddenField, html, NOTHING, pageReply, type Html } from '../oidc/html.ts';
import { isChallenge } from '../oidc/pkce.ts';
import { redirectBack } from '../oidc/redirect-back.ts';
import type { AuthRequest, GoogleCode, GoogleState } from './state.ts';

const REQUEST_LIFETIME_MS = 600_000;

/** GET of the authorization endpoint. */
export function authorize(state: GoogleState, query: URLSearchParams): EmulatorReply {
  const clientId = query.get('client_id');
  const client = clientId === null ? undefined : state.accounts.findClient(clientId);
  if (clientId === null) return blocked(400, 'invalid_request', 'Missing required parameter: client_id');
  if (!client) return blocked(401, 'invalid_client', 'The OAuth client was not found.');
  const redirectUri = query.get('redirect_uri');
  if (redirectUri === null) return blocked(400, 'invalid_request', 'Missing required parameter: redirect_uri');
  if (!client.redirectUris.has(redirectUri)) {
    const text = "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy.";
    return blocked(400, 'redirect_uri_mismatch', text);
  }
  const wrong = whatIsWrong(query);
  if (wrong !== undefined) return blocked(400, 'invalid_request', wrong);
  const request: AuthRequest = {
    client,
    redirectUri,
    scope: query.get('scope') ?? '',
    state: query.get('state') ?? undefined,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? undefined,
    offline: query.get('access_type') === 'offline',
    domainHint: query.get('hd') ?? undefined,
    loginHint: query.get('login_hint') ?? '',
  };
  if (query.get('prompt') === 'none') {
    return redirectBack(redirectUri, { error: 'interaction_required', state: request.state });
  }
  return chooseAccount(state, request);
}

/**
 * POST of the page that asks for the account. Whoever is signed in to it is not asked for more: Google knows neither `prompt=login` nor
 * `max_age`. What it makes of them is not known; here they count as not said.
 */
export function identify(state: GoogleState, from: EmulatorRequest): EmulatorReply {
  const form = new URLSearchParams(from.body);
  const request = resume(state, form);
  if (!request) return blocked(400, 'invalid_request', 'This page has expired.');
  const user = state.accounts.findUser((form.get('identifier') ?? '').trim());
  if (!user) return chooseAccount(state, request, "Couldn't find your Google Account");
  const nowMs = Date.now();
  const signedInAtMs = state.sessions.signedInAt(from, user.email);
  const reply = mayWeLook(state, { ...request, user, signedInAtMs: signedInAtMs ?? nowMs });
  return signedInAtMs === undefined ? state.sessions.signIn(from, user.email, { nowMs, reply }) : reply;
}

function mayWeLook(state: GoogleState, request: GoogleCode): EmulatorReply {
  const { user } = request;
  const body = html`
    <p>${user.email}</p>
    <p>This will allow ${request.client.name} to: ${request.scope}</p>
    <form method="post" action="/signin/oauth/consent">
      ${hiddenField('ctx', wait(state, request))} ${button('allow', 'Continue')} ${button('cancel', 'Cancel')}
    </form>
  `;
  return pageReply({ title: `${request.client.name} wants access to your Google Account`, body });
}

/** POST of the page that asks whether the access is allowed. */
export function answerConsent(state: GoogleState, form: URLSearchParams): EmulatorReply {
  const request = resume(state, form);
  const user = request?.user;
  if (!request || !user) return blocked(400, 'invalid_request', 'This page has expired.');
  if (form.get('answer') !== 'allow') {
    return redirectBack(request.redirectUri, { error: 'access_denied', state: request.state }, { by: user.email });
  }
  const grant: GoogleCode = { ...request, user, signedInAtMs: request.signedInAtMs ?? Date.now() };
  const code = state.codes.put(grant, Date.now() + state.settings.codeLifetimeSeconds * 1000);
  const answer = {
    state: request.state,
    code,
    scope: request.scope,
    authuser: '0',
    hd: user.domain,
    prompt: 'consent',
  };
  return redirectBack(request.redirectUri, answer, { by: user.email });
}

function whatIsWrong(query: URLSearchParams): string | undefined {
  const responseType = query.get('response_type');
  if (responseType === null) return 'Missing required parameter: response_type';
  if (responseType !== 'code') return `Invalid response_type: ${responseType}`;
  if (!query.has('scope')) return 'Missing required parameter: scope';
  const accessType = query.get('access_type') ?? 'online';
  if (accessType !== 'online' && accessType !== 'offline')
    return `Invalid parameter value for access_type: ${accessType}`;
  const challenge = query.get('code_challenge');
  if (challenge === null) return undefined;
  if (query.get('code_challenge_method') !== 'S256') return 'Invalid code_challenge_method';
  return isChallenge(challenge) ? undefined : 'Invalid code_challenge';
}

function chooseAccount(state: GoogleState, request: AuthRequest, problem?: string): EmulatorReply {
  const { client, domainHint, loginHint } = request;
  const known = domainHint === undefined ? [] : state.accounts.usersOf(domainHint);
  const options: readonly Html[] = known.map((user) => html`<option value="${user.email}">${user.name}</option>`);
  const body = html`
    ${problem === undefined ? NOTHING : html`<p role="alert">${problem}</p>`}
    <p>to continue to ${client.name}</p>
    ${domainHint === undefined ? NOTHING : html`<p>with your ${domainHint} account</p>`}
    <form method="post" action="/signin/identifier">
      ${hiddenField('ctx', wait(state, request))}
      <label for="identifier">Email or phone</label>
      <input id="identifier" name="identifier" type="email" list="accounts" value="${loginHint}" />
      <datalist id="accounts">${options}</datalist>
      ${button('next', 'Next')}
    </form>
  `;
  return pageReply({ title: 'Sign in with Google', body });
}

function blocked(status: number, error: string, text: string): EmulatorReply {
  const body = html`<p>${text}</p>
    <p>Error ${String(status)}: ${error}</p>`;
  return pageReply({ title: 'Access blocked: Authorization Error', body, status, detail: { error } });
}

const wait = ({ requests }: GoogleState, request: AuthRequest): string =>
  requests.put(request, Date.now() + REQUEST_LIFETIME_MS);

function resume({ requests }: GoogleState, form: URLSearchParams): AuthRequest | undefined {
  const found = requests.take(form.get('ctx') ?? '', Date.now());
  return found.state === 'valid' ? found.value : undefined;
}
