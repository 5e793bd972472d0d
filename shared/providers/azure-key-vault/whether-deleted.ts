// Whether a key that its vault does not find was deleted. Azure's "not found" is the same for a key that never was, one that can be recovered and one that
// was purged (docs/azure.md); the list of deleted keys tells the second from the others, and who may read a key may ask it.
import type { Failure } from '../../domain/failure.ts';
import type { VaultTarget } from '../../domain/provider.ts';
import type { KeyVaults } from './vaults.ts';
import { failure, withFacts } from './words/failures.ts';

/** One `get`, for a key that is not found. Without a clear answer nothing more is known. */
export async function whetherDeleted(
  vaults: Pick<KeyVaults, 'readDeleted'>,
  target: VaultTarget,
  { found, signal }: { readonly found: Failure; readonly signal: AbortSignal | undefined },
): Promise<Failure> {
  if (found.code !== 'key-not-found') return found;
  const deleted = await vaults.readDeleted(target, signal);
  if (!deleted.ok) return found;
  if (!deleted.value) return withFacts(found, { notAmongDeleted: true });
  const { recoverableUntil } = deleted.value;
  const until = recoverableUntil === undefined ? {} : { recoverableUntil: recoverableUntil.toISOString() };
  return failure('key-deleted', { ...found.facts, ...until }, found.service);
}
