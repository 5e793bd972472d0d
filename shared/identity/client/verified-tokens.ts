// Remembers for a minute that a token was good: a backend shows the same one with every call for an hour, and to check its
// signature costs more than to unwrap a data key. Shorter than the keys of an issuer are remembered anyway, and never beyond the
// token's own end. What was refused is not remembered, nor is the token itself: only its hash.
import { hash } from 'node:crypto';
import { ExpiringCache } from '../../domain/expiring-cache.ts';
import type { Clock } from '../../domain/ports.ts';
import type { TokenProblem, TokenVerifier, VerifiedToken } from '../identity.ts';

const MAX_TOKENS = 1_000;
const MAX_AGE_MS = 60_000;

export function rememberVerified(verifier: TokenVerifier, clock: Clock): TokenVerifier {
  const known = new ExpiringCache<VerifiedToken, TokenProblem>(clock, { ttlMs: MAX_AGE_MS, maxEntries: MAX_TOKENS });
  return {
    verify: (token) =>
      known.get(hash('sha256', token, 'base64'), async (endBy) => {
        const verified = await verifier.verify(token);
        if (verified.ok) endBy(clock.steadyMs() + endOf(verified.value) - clock.now().getTime());
        return verified;
      }),
  };
}

/** In milliseconds since 1970. */
const endOf = ({ claims: { exp } }: VerifiedToken): number => (typeof exp === 'number' ? exp * 1000 : 0);
