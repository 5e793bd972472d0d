// Which Entra document or verb a request means, and its answer. The state behind it is the Directory's.
import { randomUUID } from 'node:crypto';
import type { EmulatorCall, EmulatorReply, EmulatorRequest, Understand } from '../http/emulator-http.ts';
import type { PlannedTokens } from '../oidc/planned-tokens.ts';
import { errorBody, unknownTenant, type EntraError } from './aadsts.ts';
import { instanceDiscovery, openidConfiguration, SHARED_AUTHORITIES } from './discovery.ts';
import type { Errand } from './errands.ts';
import { answerConsent, beginErrand, signIn, type PeopleState } from './people-steps.ts';
import { issueToken } from './token-endpoint.ts';
import type { TokenSigner } from './token-signer.ts';

export interface EntraState extends PeopleState {
  readonly signer: TokenSigner;
  readonly idTokens: PlannedTokens;
  readonly settings: { tokenLifetimeSeconds: number; codeLifetimeSeconds: number };
}

const NO_STORE = { 'Cache-Control': 'no-store, no-cache', Pragma: 'no-cache' } as const;

export const ENTRA_OPERATIONS = [
  'instance-discovery',
  'discovery',
  'jwks',
  'token',
  'authorize',
  'admin-consent',
  'login',
  'consent',
  'unknown',
] as const;

export function understandEntra(state: EntraState): Understand {
  return (request) => {
    const [, tenant = '', ...rest] = request.path.split('/');
    const target = decodeURIComponent(tenant).toLowerCase();
    const verb = `${request.method} ${rest.join('/')}`;
    switch (verb) {
      case 'GET discovery/instance':
        return { operation: 'instance-discovery', target, act: () => ok(instanceDiscovery('organizations')) };
      case 'GET v2.0/.well-known/openid-configuration':
        return discovery(state, request, target, 'v2.0');
      case 'GET .well-known/openid-configuration':
        return discovery(state, request, target, 'v1.0');
      case 'GET discovery/v2.0/keys':
      case 'GET discovery/keys':
        return { operation: 'jwks', target, act: () => ok(state.signer.jwks) };
      case 'POST oauth2/v2.0/token':
        return token(state, request, target);
      case 'GET oauth2/v2.0/authorize':
        return begin(state, request, target, 'sign-in');
      case 'GET v2.0/adminconsent':
        return begin(state, request, target, 'admin-consent');
      case 'POST login':
        return { operation: 'login', target, act: () => signIn(state, request) };
      case 'POST Consent/Set':
        return { operation: 'consent', target, act: () => answerConsent(state, new URLSearchParams(request.body)) };
      default:
        return { operation: 'unknown', target, detail: { path: request.path }, act: () => ({ status: 404 }) };
    }
  };
}

function discovery(
  { directory }: EntraState,
  request: EmulatorRequest,
  target: string,
  version: 'v1.0' | 'v2.0',
): EmulatorCall {
  const act = (): EmulatorReply => {
    const shared = SHARED_AUTHORITIES.includes(target) ? target : undefined;
    const tenantId = shared ?? directory.findTenant(target)?.tenantId;
    if (tenantId === undefined) return refuse(unknownTenant(target, 'invalid_tenant'), request);
    return ok(openidConfiguration(tenantId, version));
  };
  return { operation: 'discovery', target, act };
}

function begin(state: EntraState, request: EmulatorRequest, target: string, kind: Errand['kind']): EmulatorCall {
  const { query } = request;
  const detail = { appId: query.get('client_id') ?? '', redirectUri: query.get('redirect_uri') ?? '' };
  const operation = kind === 'sign-in' ? 'authorize' : kind;
  return { operation, target, detail, act: () => beginErrand(state, kind, { tenant: target, request }) };
}

function token(state: EntraState, request: EmulatorRequest, target: string): EmulatorCall {
  const form = new URLSearchParams(request.body);
  const lifetimeSeconds = state.settings.tokenLifetimeSeconds;
  const detail = {
    appId: form.get('client_id') ?? '',
    grant: form.get('grant_type') ?? '',
    scope: form.get('scope') ?? '',
    proof: form.has('client_secret') ? 'secret' : form.has('client_assertion') ? 'assertion' : 'none',
  };
  const act = (): EmulatorReply => {
    const outcome = issueToken({ ...state, tenant: target, form, nowMs: Date.now(), lifetimeSeconds });
    if ('refused' in outcome) return refuse(outcome.refused, request);
    return { status: 200, headers: NO_STORE, body: outcome.body };
  };
  return { operation: 'token', target, detail, act };
}

const ok = (body: unknown): EmulatorReply => ({ status: 200, body });

function refuse(error: EntraError, request: EmulatorRequest): EmulatorReply {
  const given = request.query.get('client-request-id') ?? request.headers['client-request-id'];
  const correlationId = typeof given === 'string' ? given : randomUUID();
  const traceId = randomUUID();
  return {
    status: error.status,
    headers: { ...NO_STORE, 'x-ms-request-id': traceId, 'client-request-id': correlationId },
    body: errorBody(error, { traceId, correlationId, nowMs: Date.now() }),
    detail: { code: error.code },
  };
}
