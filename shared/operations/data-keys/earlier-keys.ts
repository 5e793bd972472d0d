// Keys that an earlier call of the same request has made: opens their stored rows, so that a repeat answers the same keys.
import type { KeyringPlace } from '../../domain/keyring.ts';
import pLimit from 'p-limit';
import type { Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sameBytes } from '../../domain/same-bytes.ts';
import type { Tables } from '../../store/tables.ts';
import type { WritePlace } from './keyring-shards.ts';
import type { IdentifiedKey } from './new-data-keys.ts';
import { unwrapDataKeys, type UnwrapOutcome, type Unwrapping } from './unwrap.ts';
import { loadDataKey } from './view.ts';

const READS_IN_FLIGHT = 16;

type ExistingKey = IdentifiedKey & { readonly place: WritePlace };

/**
 * By id, without keys that other requests made. `idempotency-mismatch` if this request imported other material under one of the ids. Throws
 * StoreUnavailable.
 */
export async function openEarlier(
  deps: Unwrapping & { readonly tables: Pick<Tables, 'read'> },
  input: { readonly keyring: KeyringPlace; readonly existing: readonly ExistingKey[]; readonly requestId: string },
): Promise<Result<ReadonlyMap<string, UnwrapOutcome>, Refusal>> {
  const { keyring, existing, requestId } = input;
  const isOwn = await pLimit(READS_IN_FLIGHT).map(existing, async ({ place, keyId }) => {
    const row = await loadDataKey(deps.tables, place, keyId);
    return row?.value.createdBy === requestId;
  });
  const own = existing.filter((_, index) => isOwn[index]);
  if (own.length === 0) return ok(new Map());
  const opened = await unwrapDataKeys(deps, { ...keyring, keyIds: own.map(({ keyId }) => keyId) });
  if (!opened.ok) return opened;
  const byId = new Map(opened.value.map((outcome) => [outcome.keyId, outcome]));
  if (!own.some((key) => isAnotherKey(key, byId.get(key.keyId)))) return ok(byId);
  for (const outcome of opened.value) if (outcome.outcome === 'unwrapped') outcome.plaintext.fill(0);
  return err({ type: 'idempotency-mismatch' });
}

/** Whether a repeat imports other material under the same id. */
function isAnotherKey({ isImport, plaintext }: IdentifiedKey, stored: UnwrapOutcome | undefined): boolean {
  if (!isImport || stored?.outcome !== 'unwrapped') return false;
  return !sameBytes(stored.plaintext, plaintext);
}
