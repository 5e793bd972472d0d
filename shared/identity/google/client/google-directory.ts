// What a Google Workspace's own directory says of the person who signed in, asked with that person's token: only an
// administrator gets an answer. Reads one user, and of a Super Admin the domain; keeps nothing.
import { createPipelineRequest, type HttpClient } from '@azure/core-rest-pipeline';
import { failure } from '../words/failures.ts';
import type { Failure } from '../../../domain/failure.ts';
import { isRecord } from '../../../domain/plain-object.ts';
import { err, ok, type Result } from '../../../domain/result.ts';
import type { GoogleWorkspace } from '../admin.ts';
import { NoAnswer } from '../../../adapters/https/bounded-https.ts';
import { jsonIn, type GoogleTraffic } from './google-traffic.ts';

/** Of the person, and of the domain of their Workspace. */
export const DIRECTORY_SCOPES: readonly string[] = [
  'https://www.googleapis.com/auth/admin.directory.user.readonly',
  'https://www.googleapis.com/auth/admin.directory.domain.readonly',
];

interface AdminStanding {
  readonly isSuperAdmin: boolean;
  readonly isDelegatedAdmin: boolean;
  readonly workspace?: GoogleWorkspace;
}

interface Asking {
  readonly accessToken: string;
  /** `sub` of the ID token. */
  readonly subject: string;
  /** `hd` of the ID token, in lower case. */
  readonly domain: string;
}

const DIRECTORY = 'https://admin.googleapis.com/admin/directory/v1';
const NO_ADMIN: AdminStanding = { isSuperAdmin: false, isDelegatedAdmin: false };

export async function askDirectory(http: GoogleTraffic, asking: Asking): Promise<Result<AdminStanding, Failure>> {
  const { subject, accessToken } = asking;
  const path = `users/${encodeURIComponent(subject)}?fields=id,isAdmin,isDelegatedAdmin,customerId`;
  const user = await ask(http, { accessToken, path });
  if (!user.ok) return user;
  if (!user.value) return ok(NO_ADMIN);
  const { id, isAdmin, isDelegatedAdmin, customerId } = user.value;
  // Not the user that was asked for: what it says of them is worth nothing.
  if (id !== subject) return err(failure('google-error', { detail: 'another user than the one asked for' }));
  const standing = { isSuperAdmin: isAdmin === true, isDelegatedAdmin: isDelegatedAdmin === true };
  if (!standing.isSuperAdmin) return ok(standing);
  if (typeof customerId !== 'string' || customerId === '') {
    return err(failure('google-error', { detail: 'a user of no customer' }));
  }
  const isDomainProved = await askForDomain(http, { ...asking, customerId });
  return isDomainProved.ok
    ? ok({ ...standing, workspace: { customerId, isDomainProved: isDomainProved.value } })
    : isDomainProved;
}

/** Whether the Workspace has proved to Google that the domain is its own. Of a domain that it does not list it has not. */
async function askForDomain(
  http: GoogleTraffic,
  { accessToken, domain, customerId }: Asking & { readonly customerId: string },
): Promise<Result<boolean, Failure>> {
  const at = `customer/${encodeURIComponent(customerId)}/domains/${encodeURIComponent(domain)}`;
  const found = await ask(http, { accessToken, path: `${at}?fields=domainName,verified` });
  if (!found.ok) return found;
  if (!found.value) return ok(false);
  const { domainName, verified } = found.value;
  if (typeof domainName !== 'string') return err(failure('google-error', { detail: 'an answer about no domain' }));
  return ok(domainName.toLowerCase() === domain && verified === true);
}

/** Undefined if Google says itself that there is no such thing, or that it is told to administrators only. */
async function ask(
  http: GoogleTraffic,
  { accessToken, path }: { readonly accessToken: string; readonly path: string },
): Promise<Result<Readonly<Record<string, unknown>> | undefined, Failure>> {
  const request = createPipelineRequest({ url: `${DIRECTORY}/${path}`, method: 'GET' });
  request.headers.set('Authorization', `Bearer ${accessToken}`);
  let response: Awaited<ReturnType<HttpClient['sendRequest']>>;
  try {
    response = await http.sendRequest(request);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return err(http.explain(error));
  }
  const body = jsonIn(response.bodyAsText ?? '');
  // Only Google's own answer says that a person is no administrator: a proxy answers with such statuses too.
  const isOwnWord = isRecord(body['error']);
  if (response.status === 403 && isOwnWord) return ofForbidden(reasonsIn(body));
  if (response.status === 404 && isOwnWord) return ok(undefined);
  if (response.status !== 200) return err(http.explain(new Error('the directory did not answer as expected')));
  return ok(body);
}

/** Google's answer to who is no administrator. */
const OF_NO_ADMIN: ReadonlySet<string> = new Set(['forbidden', 'notAuthorized']);
/** Of the project that the vendor's OAuth client belongs to (google.api.ErrorReason). */
const OF_PROJECT = ['BILLING_DISABLED', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED', 'USER_PROJECT_DENIED'];

/** One status for many things; without any reason it is Google's answer to who is no administrator. */
function ofForbidden(reasons: readonly string[]): Result<undefined, Failure> {
  const service = { status: 403, code: reasons.join(' ') };
  const has = (...names: string[]): boolean => names.some((name) => reasons.includes(name));
  if (has('accessNotConfigured', 'SERVICE_DISABLED')) {
    return err(failure('google-not-configured', { detail: 'the Admin SDK API is not enabled' }, service));
  }
  if (has('insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'))
    return err(failure('consent-declined', {}, service));
  // The Workspace's administrators let no app use its directory (what tools for administrators meet, GAM among them).
  if (has('domainCannotUseApis', 'domainPolicy')) {
    return err(failure('sign-in-refused', { detail: 'domainCannotUseApis' }, service));
  }
  if (has('rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded', 'dailyLimitExceeded', 'RATE_LIMIT_EXCEEDED')) {
    return err(failure('google-unreachable', { detail: 'a quota of its directory is used up' }, service));
  }
  if (has(...OF_PROJECT))
    return err(
      failure('google-not-configured', { detail: `Google refuses its project: ${reasons.join(' ')}` }, service),
    );
  const unknown = reasons.filter((reason) => !OF_NO_ADMIN.has(reason));
  return unknown.length === 0 ? ok(undefined) : err(failure('google-error', { detail: unknown.join(' ') }, service));
}

function reasonsIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  const error = isRecord(body['error']) ? body['error'] : {};
  return [error['errors'], error['details']]
    .flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
    .map((entry) => (isRecord(entry) ? entry['reason'] : undefined))
    .filter((reason): reason is string => typeof reason === 'string' && /^[A-Za-z][\w]{1,63}$/.test(reason));
}
