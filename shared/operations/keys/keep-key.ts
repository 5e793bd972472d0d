// Keeping the company key that a switch leaves behind: under the one that stays, and under no provider's key (invariant A5).
import type { KeyObject } from 'node:crypto';
import { keepKey, KEPT_KEY_NONCE_BYTES, openKeptKey, type KeptKey } from '../../domain/kept-key.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';

/** Wraps the key, opens it again and compares before the key itself goes. */
export function keepUnder(
  { entropy, clock }: { readonly entropy: Pick<Entropy, 'bytes'>; readonly clock: Clock },
  context: Pick<KeptKey, 'companyId' | 'keyringId' | 'version' | 'under'>,
  input: {
    readonly going: KeyObject;
    readonly staying: KeyObject;
    readonly reason: KeptKey['reason'];
    readonly keepMs: number;
  },
): KeptKey {
  const { going, staying, reason, keepMs } = input;
  const blob = keepKey({ going, staying, context, nonce: entropy.bytes(KEPT_KEY_NONCE_BYTES) });
  if (openKeptKey({ under: staying, context, blob })?.equals(going) !== true)
    throw new Error('a company key that was just kept does not open');
  const now = clock.now();
  const until = new Date(now.getTime() + keepMs).toISOString();
  return { ...context, blob, reason, keptAt: now.toISOString(), until };
}
