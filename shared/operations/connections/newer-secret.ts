// The newer of a connection's two client secrets, tried by itself: once Entra takes it, and has had the time to know it everywhere, the older is dropped.
import type { Actor } from '../../domain/audit.ts';
import { sameCredential, targetOfConnection, type Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Sealer } from '../../domain/ports.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfConnection } from '../../domain/seal.ts';
import type { Providers } from '../../providers/provider.ts';
import { act } from '../../store/act.ts';
import type { Auditing } from '../../store/append.ts';
import type { Found } from '../../store/found.ts';
import { connectionRow } from '../../store/rows/sealed-rows.ts';
import type { SealCheck } from '../keys/seals.ts';
import { loadConnection } from '../keys/verified-connection.ts';

export interface ProvingSecrets extends SealCheck, Auditing {
  readonly providers: Pick<Providers, 'of'>;
  readonly sealer: Sealer;
}

interface SecretProof {
  readonly token: Result<{ readonly principalId: string }, Failure>;
  /** Without the older secret if it was dropped. */
  readonly held: Found<Connection>;
}

/** One server of Entra's may take a new secret while another does not know it yet. For so long the older one stands beside it. */
const ARRIVED_AFTER_MS = 10 * 60_000;

export const hasArrived = ({ credential }: Pick<Connection, 'credential'>, now: Date): boolean =>
  now.getTime() - Date.parse(credential.secrets?.[0]?.enteredAt ?? '') >= ARRIVED_AFTER_MS;

/** Undefined if there are not two secrets, or the tenant is not known. */
export async function proveNewerSecret(
  deps: ProvingSecrets,
  { companyId, held }: { readonly companyId: string; readonly held: Found<Connection> },
  actor: Actor,
): Promise<Result<SecretProof | undefined, Refusal>> {
  const next = withNewerAlone(held.value);
  const target = next && targetOfConnection(next);
  if (!target) return ok(undefined);
  const token = await deps.providers.of(held.value).probe.enter(target);
  if (!token.ok || !hasArrived(held.value, deps.clock.now())) return ok({ token, held });
  const dropped = await dropOlder(deps, { companyId, proven: held.value }, actor);
  return dropped.ok ? ok({ token, held: dropped.value }) : dropped;
}

/** The connection as it is then. Where its secrets were changed meanwhile, nothing is dropped. */
function dropOlder(
  deps: ProvingSecrets,
  { companyId, proven }: { readonly companyId: string; readonly proven: Connection },
  actor: Actor,
): Promise<Result<Found<Connection>, Refusal>> {
  const place = { companyId, connectionId: proven.connectionId };
  const older = proven.credential.secrets?.[1];
  const detail = { secretId: older?.secretId, enteredAt: older?.enteredAt };
  const about = { actor, action: 'connection.drop-secret', companyId, target: connectionRow.key(place), detail };
  const again = async (): Promise<Result<Found<Connection>, Refusal>> => {
    const loaded = await loadConnection(deps, place);
    if (!loaded.ok) return err(refusedBy(loaded.error));
    return loaded.value ? ok(loaded.value) : err(notFound('connection', place.connectionId));
  };
  return act<Found<Connection>>(deps, about, async (tx) => {
    const held = await again();
    if (!held.ok || !sameCredential(held.value.value.credential, proven.credential)) return held;
    const next = withNewerAlone(held.value.value);
    if (!next) return held;
    const seal = await deps.sealer.sign(sealedBytesOfConnection(companyId, next));
    if (!seal.ok) return err(refusedBy(seal.error));
    return { done: tx.merge(held.value, { ...next, seal: seal.value }, ['secrets', 'seal']), ifLanded: again };
  });
}

function withNewerAlone(connection: Connection): Connection | undefined {
  const [newer, older] = connection.credential.secrets ?? [];
  return newer && older && { ...connection, credential: { ...connection.credential, secrets: [newer] } };
}
