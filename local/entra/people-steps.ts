// A person's way through Entra: from the request that brought them, over its pages, back to the application with a code
// or a consent, or with the reason why not. Nothing is granted before the person has pressed the button for it.
import { randomUUID } from 'node:crypto';
import type { EmulatorReply, EmulatorRequest } from '../http/emulator-http.ts';
import type { BrowserSessions } from '../oidc/browser-sessions.ts';
import { redirectBack } from '../oidc/redirect-back.ts';
import type { ShortLived } from '../oidc/short-lived.ts';
import {
  blockedByConditionalAccess,
  describe,
  errorParameters,
  servicePrincipalDisabled,
  type EntraError,
} from './aadsts.ts';
import * as refusals from './aadsts-sign-in.ts';
import type { Directory } from './directory.ts';
import { readErrand, type Errand } from './errands.ts';
import type { User } from './model.ts';
import { doYouAccept, needAdminApproval, trouble, whoAreYou } from './people-pages.ts';
import { mayConsentForTenant } from './users.ts';

/** Someone who signed in to an app, until the app redeems the code. */
export interface CodeGrant extends Errand {
  readonly user: User;
  /** When they last showed who they are: now, or when their session began. */
  readonly signedInAtMs: number;
}

export interface PeopleState {
  readonly directory: Directory;
  readonly settings: { readonly codeLifetimeSeconds: number };
  readonly errands: ShortLived<Errand>;
  readonly codes: ShortLived<CodeGrant>;
  readonly sessions: BrowserSessions;
}

const ERRAND_LIFETIME_MS = 600_000;

/** GET of the authorization or of the admin consent endpoint. Only a sign-in that asks for no page goes on by a session alone. */
export function beginErrand(
  state: PeopleState,
  kind: Errand['kind'],
  { tenant, request }: { readonly tenant: string; readonly request: EmulatorRequest },
): EmulatorReply {
  const read = readErrand(kind, { tenant, query: request.query, directory: state.directory });
  if ('shown' in read) return show(read.shown);
  if ('told' in read) return tell({ ...read, kind }, read.told);
  const { errand } = read;
  const [only, ...others] = state.sessions.accounts(request);
  const account = only === undefined || others.length > 0 ? undefined : findAccount(state, errand, only);
  const isSilent = kind === 'sign-in' && (errand.prompt === undefined || errand.prompt === 'none');
  const since =
    isSilent && account?.tenant === errand.tenant ? sessionOf(state, errand, request, account.user) : undefined;
  if (account && since !== undefined) return proceed(state, { ...errand, user: account.user, signedInAtMs: since });
  if (errand.prompt === 'none') return tell(errand, refusals.noSession());
  return whoAreYou(errand, wait(state, errand));
}

/** POST of the page that asks who is there. Whoever has a session that counts is not asked for more than the name. */
export function signIn(state: PeopleState, request: EmulatorRequest): EmulatorReply {
  const form = new URLSearchParams(request.body);
  const errand = resume(state, form);
  if (!errand) return show(refusals.requestGone());
  if (form.get('answer') !== 'sign-in') return cancelled(errand);
  const { tenant, app } = errand;
  const account = findAccount(state, errand, form.get('loginfmt') ?? '');
  if (!account) {
    return whoAreYou(errand, wait(state, errand), "We couldn't find an account with that username.");
  }
  if (account.tenant !== tenant) return tell(errand, refusals.accountElsewhere(app, tenant, account.tenant));
  const { user } = account;
  const since = sessionOf(state, errand, request, user);
  if (since !== undefined) return proceed(state, { ...errand, user, signedInAtMs: since });
  const nowMs = Date.now();
  const reply = proceed(state, { ...errand, user, signedInAtMs: nowMs });
  return state.sessions.signIn(request, user.userName, { nowMs, reply });
}

/** When the session began by which this person need not show anew who they are; undefined if there is none. */
function sessionOf(
  { sessions }: PeopleState,
  { prompt, maxAgeSeconds = Infinity }: Errand,
  request: EmulatorRequest,
  user: User,
): number | undefined {
  const sinceMs = sessions.signedInAt(request, user.userName);
  const counts = prompt !== 'login' && sinceMs !== undefined && Date.now() - sinceMs <= maxAgeSeconds * 1000;
  return counts ? sinceMs : undefined;
}

/** Once it is known who is there. */
function proceed(state: PeopleState, known: CodeGrant): EmulatorReply {
  const { kind, tenant, app, user, prompt } = known;
  const refused = refuseUser(known);
  if (refused) return tell(known, refused);
  if (kind === 'admin-consent' && !mayConsentForTenant(user)) {
    return needAdminApproval(known, wait(state, known), refusals.adminApprovalNeeded(app));
  }
  const consented = kind === 'sign-in' && tenant.servicePrincipals.has(app.appId) && prompt !== 'consent';
  return consented ? returnWithCode(state, known) : doYouAccept(known, wait(state, known));
}

/** POST of the page that asks whether the person accepts. */
export function answerConsent(state: PeopleState, form: URLSearchParams): EmulatorReply {
  const errand = resume(state, form);
  const user = errand?.user;
  if (!errand || !user) return show(refusals.requestGone());
  const { kind, tenant, app, scope } = errand;
  if (form.get('answer') === 'return') return cancelled(errand);
  if (kind === 'admin-consent' && !mayConsentForTenant(user)) return tell(errand, refusals.adminApprovalNeeded(app));
  if (form.get('answer') !== 'accept') {
    return tell(errand, refusals.declined(kind === 'admin-consent' ? 'access_denied' : 'consent_required'));
  }
  state.directory.putServicePrincipal(tenant.tenantId, app.appId, {});
  if (kind === 'sign-in')
    return returnWithCode(state, { ...errand, user, signedInAtMs: errand.signedInAtMs ?? Date.now() });
  const consent = { admin_consent: 'True', tenant: tenant.tenantId, state: errand.state, scope };
  return redirectBack(errand.redirectUri, consent, { by: user.userName });
}

/** Found by the name entered, in the errand's tenant first: a guest is there under the name of another tenant. */
function findAccount(
  { directory }: PeopleState,
  { tenant }: Errand,
  userName: string,
): ReturnType<Directory['findAccount']> {
  const user = tenant.users.get(userName.trim().toLowerCase());
  return user ? { tenant, user } : directory.findAccount(userName.trim());
}

function refuseUser({ kind, tenant, app, user }: CodeGrant): EntraError | undefined {
  if (tenant.blockedApps.has(app.appId)) return { ...blockedByConditionalAccess(), error: 'access_denied' };
  const principal = tenant.servicePrincipals.get(app.appId);
  if (kind === 'admin-consent' || !principal) return undefined;
  if (!principal.enabled) return servicePrincipalDisabled(app.appId, app.displayName);
  const assigned = !principal.assignmentRequired || user.assignedApps.includes(app.appId);
  return assigned ? undefined : refusals.notAssigned(app);
}

function returnWithCode(state: PeopleState, grant: CodeGrant): EmulatorReply {
  const code = state.codes.put(grant, Date.now() + state.settings.codeLifetimeSeconds * 1000);
  const answer = { code, state: grant.state, session_state: randomUUID() };
  return redirectBack(grant.redirectUri, answer, { by: grant.user.userName });
}

const wait = (state: PeopleState, errand: Errand): string => state.errands.put(errand, Date.now() + ERRAND_LIFETIME_MS);

function resume({ errands }: PeopleState, form: URLSearchParams): Errand | undefined {
  const found = errands.take(form.get('ctx') ?? '', Date.now());
  return found.state === 'valid' ? found.value : undefined;
}

const cancelled = ({ redirectUri, state }: Errand): EmulatorReply =>
  redirectBack(redirectUri, { error: 'access_denied', error_subcode: 'cancel', state }, { cancelled: true });

const ids = () => ({ traceId: randomUUID(), correlationId: randomUUID(), nowMs: Date.now() });

const show = (error: EntraError): EmulatorReply => trouble(error, describe(error, ids(), ' '));

function tell(errand: Pick<Errand, 'kind' | 'redirectUri' | 'state'>, error: EntraError): EmulatorReply {
  const { kind, redirectUri, state } = errand;
  // Entra says `admin_consent=True` with an error too, and then no tenant.
  const consent = kind === 'admin-consent' ? { admin_consent: 'True' } : {};
  return redirectBack(redirectUri, { ...errorParameters(error, ids()), ...consent, state }, { code: error.code });
}
