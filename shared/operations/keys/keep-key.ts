// Keeping the company key that a switch leaves behind: under the one that stays, and under no provider's key (invariant A5).
import type { KeyObject } from 'node:crypto';
import { keepKey, KEPT_KEY_NONCE_BYTES, openKeptKey, type KeptKey } from '../../domain/kept-key.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import type { Loaded } from '../../store/control-state.ts';
import { keptKeyCells } from '../../store/rows/kept-rows.ts';
import { keptKeyRowKey } from '../../store/rows/row-keys.ts';
import type { RowWrite } from '../../store/tables.ts';

/** Wrapped here, opened again and compared before the key itself goes. */
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

/** `planted`: a row that somebody put there past Keyswitch. The key itself is at hand, so that it is written over, and holds up no end. */
export const keptWrite = (kept: KeptKey, planted: Loaded<unknown> | undefined): RowWrite => {
  const row = { rowKey: keptKeyRowKey(kept.keyringId, kept.version), cells: keptKeyCells(kept) };
  return planted ? { kind: 'replace', ...row, etag: planted.etag } : { kind: 'insert', ...row };
};
