// GET https://admin.googleapis.com/admin/directory/v1/users/{userKey}: who asks, with which scope, as which kind of
// administrator, and what the directory says of the user asked for.
import type { EmulatorReply, EmulatorRequest } from '../http/emulator-http.ts';
import { DIRECTORY_SCOPES, DOMAIN_SCOPES } from './discovery.ts';
import type { GoogleUser } from './model.ts';
import type { GoogleState } from './state.ts';

export function getUser(state: GoogleState, request: EmulatorRequest, userKey: string): EmulatorReply {
  const caller = admit(state, request, DIRECTORY_SCOPES);
  if ('refused' in caller) return caller.refused;
  const user = state.accounts.findUser(userKey);
  const isPublic = (request.query.get('viewType') ?? 'admin_view').toLowerCase() === 'domain_public';
  if (caller.domain === undefined || !(isAdministrator(caller) || isPublic)) return refuse(NOT_AUTHORIZED);
  if (!user) return refuse({ code: 404, reason: 'notFound', message: 'Resource Not Found: userKey' });
  if (user.domain !== caller.domain) return refuse(NOT_AUTHORIZED);
  const { isAdmin, isDelegatedAdmin } = user;
  const customerId = state.accounts.workspaceOf(user.domain)?.customerId;
  const privileged = isPublic ? {} : { isAdmin, isDelegatedAdmin, isEnforcedIn2Sv: false, customerId };
  return { status: 200, body: { ...publicView(user), ...privileged } };
}

/**
 * GET …/customer/{customer}/domains/{domainName}: a domain of the caller's own Workspace. What a delegated administrator is answered depends on
 * privileges that are not here; the texts of refusals are not known.
 */
export function getDomain(
  state: GoogleState,
  request: EmulatorRequest,
  { customer, domain }: { readonly customer: string; readonly domain: string },
): EmulatorReply {
  const caller = admit(state, request, DOMAIN_SCOPES);
  if ('refused' in caller) return caller.refused;
  const own = state.accounts.workspaceOf(caller.domain);
  if (!own || !isAdministrator(caller)) return refuse(NOT_AUTHORIZED);
  if (customer !== 'my_customer' && customer !== own.customerId) return refuse(NOT_AUTHORIZED);
  if (domain.toLowerCase() !== own.domain) {
    return refuse({ code: 404, reason: 'notFound', message: 'Domain not found.' });
  }
  const { domain: domainName, isVerified: verified } = own;
  return { status: 200, body: { kind: 'admin#directory#domain', domainName, verified, isPrimary: true } };
}

const isAdministrator = ({ isAdmin, isDelegatedAdmin }: GoogleUser): boolean => isAdmin || isDelegatedAdmin;

function admit(
  state: GoogleState,
  request: EmulatorRequest,
  scopes: readonly string[],
): GoogleUser | { readonly refused: EmulatorReply } {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const found = state.accessTokens.find(token ?? '', Date.now());
  if (found.state !== 'valid') {
    return {
      refused: refuse({
        code: 401,
        status: 'UNAUTHENTICATED',
        reason: 'authError',
        message:
          'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid ' +
          'authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
      }),
    };
  }
  const { email, scope } = found.value;
  if (!scope.split(' ').some((one) => scopes.includes(one))) {
    return {
      refused: refuse({
        code: 403,
        status: 'PERMISSION_DENIED',
        reason: 'insufficientPermissions',
        message: 'Request had insufficient authentication scopes.',
      }),
    };
  }
  return state.accounts.findUser(email) ?? { refused: refuse(NOT_AUTHORIZED) };
}

interface Refusal {
  readonly code: number;
  readonly status?: string;
  readonly reason: string;
  readonly message: string;
}

const NOT_AUTHORIZED: Refusal = {
  code: 403,
  reason: 'forbidden',
  message: 'Not Authorized to access this resource/api',
};

function publicView({ id, email, name }: GoogleUser): object {
  return { kind: 'admin#directory#user', id, primaryEmail: email, name: { fullName: name } };
}

function refuse({ code, status, reason, message }: Refusal): EmulatorReply {
  const errors = [{ message, domain: 'global', reason }];
  const error = { code, message, errors, ...(status === undefined ? {} : { status }) };
  return { status: code, body: { error }, detail: { reason } };
}
