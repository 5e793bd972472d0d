// What a check does about the client secrets of a connection in force: tells of their end, once for each threshold, and has the newer of two take the
// place of the older. Asks Entra only while there are two.
import { KEYSWITCH } from '../../domain/audit.ts';
import type { Connection, ConnectionPlace } from '../../domain/connection.ts';
import { asWarning, mayPass } from '../../domain/failure.ts';
import type { Look } from '../../domain/health.ts';
import { ok } from '../../domain/result.ts';
import { expiryOf } from '../../identity/registry/tenant-kinds.ts';
import { act } from '../../store/act.ts';
import type { Found } from '../../store/found.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import { hasArrived, proveNewerSecret, type ProvingSecrets } from '../connections/newer-secret.ts';
import { loadConnection } from '../keys/verified-connection.ts';

/** Whatever the vault says: the date is known without it. */
export async function tellExpiry(deps: ProvingSecrets, place: ConnectionPlace, known: Connection): Promise<void> {
  if (!isToBeTold(known, deps.clock.now())) return;
  const about = {
    actor: KEYSWITCH,
    action: 'secret.expiring',
    companyId: place.companyId,
    target: connectionRow.key(place),
  };
  await act<undefined>(deps, about, async (tx) => {
    const loaded = await loadConnection(deps, place);
    const held = loaded.ok ? loaded.value : undefined;
    const due = held && isToBeTold(held.value, deps.clock.now());
    if (!due) return ok(undefined);
    const { secretId, expiresAt, within } = due;
    tx.merge(held, { ...held.value, expiryTold: `${secretId} ${within}` }, ['expiryTold']);
    tx.detail({ secretId, expiresAt, days: within });
    return ok(undefined);
  });
}

/** Not of what is over, and not twice of one secret and threshold, also where a clock was set back. */
function isToBeTold({ credential, expiryTold = '' }: Connection, now: Date): ReturnType<typeof expiryOf> {
  const due = expiryOf(credential, now);
  if (!due || due.within === 0) return undefined;
  const [secretId, days] = expiryTold.split(' ');
  return secretId === due.secretId && Number(days) <= due.within ? undefined : due;
}

/** The look, with what is wrong with the newer secret while the older one serves. */
export async function lookAtNewerSecret(
  deps: ProvingSecrets,
  { companyId, held }: { readonly companyId: string; readonly held: Found<Connection> },
  look: Look,
): Promise<Look> {
  if (look.outcome === 'failed' || !hasArrived(held.value, deps.clock.now())) return look;
  const proof = await proveNewerSecret(deps, { companyId, held }, KEYSWITCH);
  const token = proof.ok ? proof.value?.token : undefined;
  if (!token || token.ok || mayPass(token.error)) return look;
  const failure = deps.providers.of(held.value).explain(token.error, { connection: held.value });
  return { ...look, warnings: [...look.warnings, asWarning(failure)] };
}
