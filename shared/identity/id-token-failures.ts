// What is wrong with an ID token. It comes from Microsoft or Google itself over TLS, for a code that was asked for here, so
// each of these takes tampering, a mix-up or a wrong clock: security events all. Pure.
import type { FailureEntry, FailureWords } from '../domain/failure.ts';
import { remedyOf } from '../domain/failure-words.ts';

const unusable = (message: string, cause: string): FailureEntry => {
  const words: FailureWords = {
    message,
    cause,
    remedy: remedyOf({
      text: 'Nothing was changed. Open the link again; if it happens again, tell the vendor the request id, and do not go on.',
    }),
  };
  return { kind: 'integrity', owner: 'vendor', words: () => words };
};

export const ID_TOKEN_FAILURES = {
  'id-token-wrong-audience': unusable(
    'The proof of sign-in was made for another application.',
    "The ID token's aud, or its azp, is not our application id.",
  ),
  'id-token-wrong-issuer': unusable(
    'The proof of sign-in comes from another issuer than the one that was asked.',
    "The ID token's iss is not that of the tenant or service where the user was sent to sign in, or its tid contradicts it.",
  ),
  'id-token-wrong-key': unusable(
    "The proof of sign-in does not carry its issuer's signature.",
    "The ID token's signature does not verify with any key that the issuer publishes.",
  ),
  'id-token-algorithm': unusable(
    'The proof of sign-in is not signed in the way that is accepted here.',
    'The ID token names another algorithm than RS256, or none.',
  ),
  'id-token-expired': unusable(
    'The proof of sign-in has expired.',
    "The ID token's exp has passed, though it was only just issued: it is an old one, or a clock is wrong.",
  ),
  'id-token-from-future': unusable(
    'The proof of sign-in is from the future.',
    "The ID token's nbf or iat lies ahead of our clock: it is made up, or a clock is wrong.",
  ),
  'id-token-wrong-nonce': unusable(
    'The proof of sign-in belongs to another sign-in.',
    "The ID token's nonce is not the one that this browser was sent with.",
  ),
  'id-token-invalid': unusable(
    'The proof of sign-in is missing or cannot be read.',
    'The answer holds no ID token, or one that is malformed or lacks claims that every one has.',
  ),
} as const satisfies Record<string, FailureEntry>;
