// Which of Google's documents and verbs a request means: each host name has its own.
import type { EmulatorReply, EmulatorRequest, Understand } from '../http/emulator-http.ts';
import { getDomain, getUser } from './directory-api.ts';
import { googleConfiguration } from './discovery.ts';
import { answerConsent, authorize, identify } from './people-steps.ts';
import type { GoogleState } from './state.ts';
import { redeem } from './token-endpoint.ts';

const DOMAIN_PATH = /^GET admin\.googleapis\.com\/admin\/directory\/v1\/customer\/([^/]+)\/domains\/([^/]+)$/;
const DIRECTORY_PATH = 'GET admin.googleapis.com/admin/directory/v1/users/';

export const GOOGLE_OPERATIONS = [
  'discovery',
  'jwks',
  'authorize',
  'login',
  'consent',
  'token',
  'users.get',
  'domains.get',
  'unknown',
] as const;

export function understandGoogle(state: GoogleState): Understand {
  return (request) => {
    const verb = `${request.method} ${request.host}${request.path}`;
    const target = request.host;
    const form = (): URLSearchParams => new URLSearchParams(request.body);
    if (verb.startsWith(DIRECTORY_PATH)) return directory(state, request, verb.slice(DIRECTORY_PATH.length));
    const [, customer, domain] = DOMAIN_PATH.exec(verb)?.map(decodeURIComponent) ?? [];
    if (customer !== undefined && domain !== undefined) {
      return { operation: 'domains.get', target: domain, act: () => getDomain(state, request, { customer, domain }) };
    }
    switch (verb) {
      case 'GET accounts.google.com/.well-known/openid-configuration':
        return { operation: 'discovery', target, act: () => ok(googleConfiguration()) };
      case 'GET www.googleapis.com/oauth2/v3/certs':
        return { operation: 'jwks', target, act: () => ok(state.signer.jwks) };
      case 'GET accounts.google.com/o/oauth2/v2/auth': {
        const detail = { clientId: request.query.get('client_id') ?? '', hd: request.query.get('hd') ?? '' };
        return { operation: 'authorize', target, detail, act: () => authorize(state, request.query) };
      }
      case 'POST accounts.google.com/signin/identifier':
        return { operation: 'login', target, act: () => identify(state, request) };
      case 'POST accounts.google.com/signin/oauth/consent':
        return { operation: 'consent', target, act: () => answerConsent(state, form()) };
      case 'POST oauth2.googleapis.com/token': {
        const detail = { clientId: form().get('client_id') ?? '', grant: form().get('grant_type') ?? '' };
        return { operation: 'token', target, detail, act: () => redeem(state, request) };
      }
      default:
        return { operation: 'unknown', target, detail: { path: request.path }, act: () => ({ status: 404 }) };
    }
  };
}

function directory(state: GoogleState, request: EmulatorRequest, key: string): ReturnType<Understand> {
  const userKey = decodeURIComponent(key);
  return { operation: 'users.get', target: userKey, act: () => getUser(state, request, userKey) };
}

const ok = (body: unknown): EmulatorReply => ({ status: 200, body });
