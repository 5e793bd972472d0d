// GET https://admin.googleapis.com/admin/directory/v1/users/{userKey}: who asks, with which scope, as which kind of
// administrator, and what the directory says of the user asked for.
import type { EmulatorReply, EmulatorRequest } from '../http/emulator-http.ts';
import { DIRECTORY_SCOPES } from './discovery.ts';
import type { GoogleUser } from './model.ts';
import type { GoogleState } from './state.ts';

export function getUser(state: GoogleState, request: EmulatorRequest, userKey: string): EmulatorReply {
  const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const found = state.accessTokens.find(token ?? '', Date.now());
  if (found.state !== 'valid') {
    return refuse({
      code: 401,
      status: 'UNAUTHENTICATED',
      reason: 'authError',
      message:
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid ' +
        'authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    });
  }
  const { email, scope } = found.value;
  if (!scope.split(' ').some((one) => DIRECTORY_SCOPES.includes(one))) {
    return refuse({
      code: 403,
      status: 'PERMISSION_DENIED',
      reason: 'insufficientPermissions',
      message: 'Request had insufficient authentication scopes.',
    });
  }
  const caller = state.accounts.findUser(email);
  const user = state.accounts.findUser(userKey);
  const isAdministrator = caller !== undefined && (caller.isAdmin || caller.isDelegatedAdmin);
  const isPublic = (request.query.get('viewType') ?? 'admin_view').toLowerCase() === 'domain_public';
  if (caller?.domain === undefined || !(isAdministrator || isPublic)) return refuse(NOT_AUTHORIZED);
  if (!user) return refuse({ code: 404, reason: 'notFound', message: 'Resource Not Found: userKey' });
  if (user.domain !== caller.domain) return refuse(NOT_AUTHORIZED);
  const { isAdmin, isDelegatedAdmin } = user;
  const privileged = isPublic ? {} : { isAdmin, isDelegatedAdmin, isEnforcedIn2Sv: false };
  return { status: 200, body: { ...publicView(user), ...privileged } };
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
