// Whether a JSON web token put on a connection is one that Service Bus would take: signed by the issuer's key, for
// Service Bus, not expired. Knows nothing of AMQP. Never puts the token into an answer.
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** Plain data, so that it can be handed to a worker thread. */
export interface IssuerKeys {
  readonly jwks: JSONWebKeySet;
  readonly issuers: readonly string[];
  /** Without a trailing slash; Entra writes one when the client asked for a scope with a double slash, as the SDK does. */
  readonly audience: string;
}

export type TokenVerdict =
  | { readonly ok: true; readonly expiresAtMs: number }
  /** `reason` is a text like those of Service Bus, safe to show. */
  | { readonly ok: false; readonly reason: string };

export type TokenCheck = (token: string) => Promise<TokenVerdict>;

/** A token of Entra is two or three kilobytes. */
const MAX_TOKEN_LENGTH = 16 * 1024;

export function createTokenCheck(keys: IssuerKeys): TokenCheck {
  const keySet = createLocalJWKSet(keys.jwks);
  return (token) => verify(token, keys, keySet);
}

async function verify(token: string, keys: IssuerKeys, keySet: JWTVerifyGetKey): Promise<TokenVerdict> {
  if (token.length > MAX_TOKEN_LENGTH) return refused('MalformedToken: The token is too long.');
  try {
    const { payload } = await jwtVerify(token, keySet, {
      issuer: [...keys.issuers],
      audience: [keys.audience, `${keys.audience}/`],
      algorithms: ['RS256'],
      requiredClaims: ['exp'],
    });
    return { ok: true, expiresAtMs: (payload.exp ?? 0) * 1000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return refused('ExpiredToken: The token is expired.');
    if (error instanceof errors.JWTClaimValidationFailed) return refused(claimFault(error.claim));
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
      return refused('InvalidSignature: The token has an invalid signature.');
    }
    if (error instanceof errors.JOSEError) return refused('MalformedToken: The token is malformed.');
    throw error;
  }
}

function claimFault(claim: string): string {
  if (claim === 'iss') return 'InvalidIssuer: Token issuer is invalid.';
  if (claim === 'aud') return 'InvalidAudience: Token audience is invalid.';
  if (claim === 'nbf') return 'InvalidToken: The token is not valid yet.';
  return 'MalformedToken: The token is malformed.';
}

function refused(reason: string): TokenVerdict {
  return { ok: false, reason };
}
