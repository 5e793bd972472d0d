// What a Google Workspace's own directory says of the person who signed in, asked with that person's token: only an
// administrator gets an answer. Reads one user, once; keeps nothing.
import { createPipelineRequest, type HttpClient } from '@azure/core-rest-pipeline';
import { failure } from '../domain/failure-catalogue.ts';
import type { Failure } from '../domain/failure.ts';
import { isRecord } from '../domain/rows/cells.ts';
import { err, ok, type Result } from '../domain/result.ts';
import { NoAnswer } from './bounded-https.ts';
import { jsonIn, type GoogleTraffic } from './google-traffic.ts';

export const DIRECTORY_SCOPE = 'https://www.googleapis.com/auth/admin.directory.user.readonly';

interface AdminStanding {
  readonly isSuperAdmin: boolean;
  readonly isDelegatedAdmin: boolean;
}

const USERS = 'https://admin.googleapis.com/admin/directory/v1/users';
const NO_ADMIN: AdminStanding = { isSuperAdmin: false, isDelegatedAdmin: false };

export async function askDirectory(
  http: GoogleTraffic,
  { accessToken, subject }: { readonly accessToken: string; readonly subject: string },
): Promise<Result<AdminStanding, Failure>> {
  const request = createPipelineRequest({
    url: `${USERS}/${encodeURIComponent(subject)}?fields=id,isAdmin,isDelegatedAdmin`,
    method: 'GET',
  });
  request.headers.set('Authorization', `Bearer ${accessToken}`);
  let response: Awaited<ReturnType<HttpClient['sendRequest']>>;
  try {
    response = await http.sendRequest(request);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return err(http.explain(error));
  }
  const body = jsonIn(response.bodyAsText ?? '');
  // Only Google's own word says that somebody is no administrator: a proxy has such statuses too.
  const isOwnWord = isRecord(body['error']);
  if (response.status === 403 && isOwnWord) return ofForbidden(reasonsIn(body));
  if (response.status === 404 && isOwnWord) return ok(NO_ADMIN);
  if (response.status !== 200) return err(http.explain(new Error('the directory of users did not answer as expected')));
  // Not the user that was asked for: what it says of them is worth nothing.
  if (body['id'] !== subject) return err(failure('google-error', { detail: 'another user than the one asked for' }));
  return ok({ isSuperAdmin: body['isAdmin'] === true, isDelegatedAdmin: body['isDelegatedAdmin'] === true });
}

/** One status for many things; without a reason that says otherwise it is Google's answer to who is no administrator. */
function ofForbidden(reasons: readonly string[]): Result<AdminStanding, Failure> {
  const service = { status: 403, code: reasons.join(' ') };
  const has = (...names: string[]): boolean => names.some((name) => reasons.includes(name));
  if (has('accessNotConfigured', 'SERVICE_DISABLED')) {
    return err(failure('google-not-configured', { detail: 'the Admin SDK API is not enabled' }, service));
  }
  if (has('insufficientPermissions', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'))
    return err(failure('consent-declined', { identityProvider: 'google' }, service));
  if (has('rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded', 'dailyLimitExceeded', 'RATE_LIMIT_EXCEEDED')) {
    return err(failure('google-unreachable', { detail: 'a quota of its directory is used up' }, service));
  }
  return ok(NO_ADMIN);
}

function reasonsIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  const error = isRecord(body['error']) ? body['error'] : {};
  return [error['errors'], error['details']]
    .flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
    .map((entry) => (isRecord(entry) ? entry['reason'] : undefined))
    .filter((reason): reason is string => typeof reason === 'string');
}
