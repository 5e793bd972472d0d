// The versions of a customer's key: which wrap something now, and which of those before are no longer needed.
import type { ConnectionPlace } from '../../domain/connection.ts';
import { refOfConnection } from '../../domain/connection.ts';
import { stateOfVersion, type VersionState } from '../../domain/key-versions.ts';
import type { Clock } from '../../domain/ports.ts';
import type { ProviderRef } from '../../domain/provider.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { list } from '../../store/found.ts';
import { formerVersionsOf } from '../../store/rows/key-version-rows.ts';
import { loadKeyrings } from '../keyrings/keyrings.ts';
import { companyKeysOfKeyring } from '../keys/company-key-rows.ts';
import { wrapOf, type TargetReading } from '../keys/open-wrap.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface VersionView {
  readonly keyId: string;
  readonly state: VersionState;
  /** Whose company keys it wraps; empty unless it is in use. */
  readonly keyrings: readonly string[];
  /** Absent for one that was never left. */
  readonly leftAt?: string;
  readonly copiesUntil?: string;
}

export async function listKeyVersions(
  deps: TargetReading & { readonly clock: Clock },
  place: ConnectionPlace,
): Promise<Result<readonly VersionView[], Refusal>> {
  const connection = await loadConnection(deps, place);
  if (!connection.ok) return err(refusedBy(connection.error));
  if (!connection.value) return err(notFound('connection', place.connectionId));
  // Before the wraps: a version that is left meanwhile is then told as in use, and not the other way round.
  const left = await list(deps.tables, formerVersionsOf, place);
  const inUse = await versionsInUse(deps, { companyId: place.companyId, ref: refOfConnection(connection.value.value) });
  if (!inUse.ok) return inUse;
  const now = deps.clock.now();
  const used = [...inUse.value].map(([keyId, keyrings]): VersionView => ({ keyId, state: 'in-use', keyrings }));
  const former = left
    .filter(({ value }) => !inUse.value.has(value.keyId))
    .map(({ value }): VersionView => ({
      ...value,
      state: stateOfVersion(value, { isInUse: false, now }),
      keyrings: [],
    }));
  return ok([...used, ...former.toSorted((a, b) => ((a.leftAt ?? '') < (b.leftAt ?? '') ? 1 : -1))]);
}

/** By every keyring of the company, whatever the connection's own row says of who uses it: that is not sealed. */
async function versionsInUse(
  deps: TargetReading,
  { companyId, ref }: { readonly companyId: string; readonly ref: ProviderRef },
): Promise<Result<ReadonlyMap<string, readonly string[]>, Refusal>> {
  const found = new Map<string, string[]>();
  for (const { value: keyring } of await loadKeyrings(deps.tables, companyId)) {
    const { keyringId } = keyring;
    const listed = await companyKeysOfKeyring(deps, { companyId, keyringId });
    if (!listed.ok) return err(refusedBy(listed.error));
    if (!listed.value.isWhole) return err({ type: 'busy', retryAfterSeconds: 1 });
    for (const { value: row } of listed.value.rows) {
      const keyId = wrapOf(row, ref)?.keyId;
      const keyrings = keyId === undefined ? [] : (found.get(keyId) ?? []);
      if (keyId !== undefined) found.set(keyId, keyrings.includes(keyringId) ? keyrings : [...keyrings, keyringId]);
    }
  }
  return ok(found);
}
