// Another app in place of that of a key in force: the connection takes it only once it has opened with that key what is in use.
import { isInForce, sameApp, targetOfConnection, type Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { isClaimedByTest } from '../../identity/registry/tenant-kinds.ts';
import { lookAtKeyInUse, type LookingAtKeys } from '../keys/look-in-use.ts';

/** Why the next app does not serve. `in-use`: consent to an app needs a connection of its own. Undefined if it does, or nothing is in use. */
export async function lackOfProof(
  deps: LookingAtKeys,
  companyId: string,
  { held, next }: { readonly held: Connection; readonly next: Omit<Connection, 'seal'> },
): Promise<Failure | 'in-use' | undefined> {
  if (!isInForce(held) || sameApp(held.credential, next.credential)) return undefined;
  if (!isClaimedByTest(next.credential)) return isClaimedByTest(held.credential) ? 'in-use' : undefined;
  const target = targetOfConnection({ ...next, seal: held.seal });
  const look = target && (await lookAtKeyInUse(deps, { companyId, connection: held }, { movedTo: target }));
  if (look?.outcome !== 'failed') return undefined;
  return deps.providers.of(next).explain(look.failure, { connection: held });
}
