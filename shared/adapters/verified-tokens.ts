// Remembers for a minute that a token was good: a backend shows the same one with every call for an hour, and to check its
// signature costs more than to unwrap a data key. Shorter than the keys of an issuer are remembered anyway, and never beyond the
// token's own end. What was refused is not remembered, nor is the token itself: only its hash.
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock, TokenVerifier, VerifiedToken } from '../operations/ports.ts';

const MAX_TOKENS = 1_000;
const MAX_AGE_MS = 60_000;

interface Remembered {
  readonly token: VerifiedToken;
  readonly untilMs: number;
}

export function rememberVerified(verifier: TokenVerifier, clock: Clock): TokenVerifier {
  const known = new LRUCache<string, Remembered>({ max: MAX_TOKENS });
  return {
    verify: async (token) => {
      const name = hash('sha256', token, 'base64');
      const remembered = known.get(name);
      const nowMs = clock.now().getTime();
      if (remembered && nowMs < remembered.untilMs) return { ok: true, value: remembered.token };
      const verified = await verifier.verify(token);
      if (verified.ok) {
        const { exp } = verified.value.claims;
        const endMs = typeof exp === 'number' ? exp * 1000 : 0;
        known.set(name, { token: verified.value, untilMs: Math.min(nowMs + MAX_AGE_MS, endMs) });
      }
      return verified;
    },
  };
}
