// What it means that Google answers a sign-in with an error, in the redirect back or in place of tokens. Pure, and never fails.
import { failure, type GoogleFailureCode } from './words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { codeByKey, codeShown, quoted, type SignInError } from '../oauth-answer.ts';
import {
  INTERNAL_CLIENT,
  NOT_ALLOWED,
  UNKNOWN_CLIENT,
  UNKNOWN_REDIRECT,
  UNREGISTERED_SCOPE,
} from './words/workspace-failures.ts';

export function googleRefusal(told: SignInError): Failure {
  const { error } = told;
  const said = { code: codeShown(error), message: quoted(told) };
  const code = BY_OAUTH_CODE.get(error) ?? 'google-error';
  if (code === 'google-not-configured') {
    return failure(code, { detail: CLIENT_FAULTS.get(error) ?? UNKNOWN_CLIENT }, said);
  }
  const detail = code === 'google-error' || code === 'sign-in-refused' ? { detail: said.code } : {};
  return failure(code, detail, said);
}

const CLIENT_FAULTS: ReadonlyMap<string, string> = new Map([
  ['org_internal', INTERNAL_CLIENT],
  ['redirect_uri_mismatch', UNKNOWN_REDIRECT],
  ['origin_mismatch', UNKNOWN_REDIRECT],
  ['restricted_client', UNREGISTERED_SCOPE],
  ['invalid_scope', UNREGISTERED_SCOPE],
  ['invalid_request', NOT_ALLOWED],
]);

/** Google gives no numbers. */
const BY_OAUTH_CODE = codeByKey<GoogleFailureCode, string>([
  ['consent-declined', ['access_denied']],
  // The Workspace's own rules for apps, those of the account, and windows of apps.
  ['sign-in-refused', ['admin_policy_enforced', 'access_not_configured', 'policy_enforced', 'disallowed_useragent']],
  ['sign-in-refused', ['login_required', 'interaction_required', 'account_selection_required']],
  ['google-unreachable', ['server_error', 'temporarily_unavailable', 'internal_failure', 'rate_limit_exceeded']],
  ['google-not-configured', ['invalid_client', 'unauthorized_client', 'deleted_client', 'disabled_client']],
  ['google-not-configured', ['org_internal', 'redirect_uri_mismatch', 'origin_mismatch']],
  ['google-not-configured', ['restricted_client', 'invalid_scope', 'invalid_request']],
  // Used, expired, made up, of another sign-in: Google does not say which.
  ['sign-in-unknown', ['invalid_grant']],
]);
