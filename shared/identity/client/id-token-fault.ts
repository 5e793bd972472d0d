// Which fault of an ID token openid-client refused it for. Read from the codes and causes of its errors, which the tests of
// the adapter hold against the pinned version; undefined for errors that are about no ID token.
import type { IdentityFailureCode } from '../failures.ts';
import { isRecord } from '../../domain/plain-object.ts';

export function idTokenFault(error: unknown): IdentityFailureCode | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const inner = error.cause;
  const found: unknown = inner instanceof Error ? inner.cause : undefined;
  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return BY_CLAIM[claimIn(found)] ?? 'id-token-invalid';
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return claimIn(found) === 'exp' ? 'id-token-expired' : 'id-token-from-future';
    case 'OAUTH_KEY_SELECTION_FAILED':
      return 'id-token-wrong-key';
    case 'OAUTH_INVALID_RESPONSE':
      return ofInvalid(found);
    case 'OAUTH_UNSUPPORTED_OPERATION':
      // Encrypted, or with critical extensions. What it does not support of an answer comes with its body.
      return isRecord(found) && 'body' in found ? undefined : 'id-token-invalid';
    case 'OAUTH_PARSE_ERROR':
      return inner instanceof Error && inner.message.includes('JWT') ? 'id-token-invalid' : undefined;
    default:
      return undefined;
  }
}

const BY_CLAIM: Readonly<Record<string, IdentityFailureCode>> = {
  aud: 'id-token-wrong-audience',
  azp: 'id-token-wrong-audience',
  iss: 'id-token-wrong-issuer',
  nonce: 'id-token-wrong-nonce',
};

const claimIn = (found: unknown): string =>
  isRecord(found) && typeof found['claim'] === 'string' ? found['claim'] : '';

function ofInvalid(found: unknown): IdentityFailureCode | undefined {
  // The text of the token itself: it does not have three parts.
  if (typeof found === 'string') return 'id-token-invalid';
  if (!isRecord(found)) return undefined;
  if ('parameters' in found) return 'sign-in-unknown';
  if ('signature' in found) return 'id-token-wrong-key';
  if ('header' in found) return 'id-token-algorithm';
  if ('claims' in found) return 'id-token-invalid';
  const { body } = found;
  return isRecord(body) && typeof body['access_token'] === 'string' && typeof body['id_token'] !== 'string'
    ? 'id-token-invalid'
    : undefined;
}
