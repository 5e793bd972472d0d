// The connections that a switch depends on, and the names of its acts in the record.
import type { Act, Detail } from '../../domain/audit.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { markUse, userOfKeyring, userOfSwitch } from '../../store/connection-use.ts';
import type { Found } from '../../store/found.ts';
import { switchRow } from '../../store/rows/switch-rows.ts';
import type { Writes } from '../../store/tx.ts';
import { loadConnection, type ConnectionReading } from '../keys/verified-connection.ts';

export const actOnSwitch = (action: string, place: SwitchPlace, detail: Detail = {}): Act => ({
  action,
  companyId: place.companyId,
  target: switchRow.key(place),
  detail,
});

/**
 * The connections behind providers, each once, verified. Leaves out one that is gone, and a forged one behind a provider that the switch only leaves: a
 * forger must not be able to stop the company from leaving.
 */
export async function loadConnectionsOf(
  reading: ConnectionReading,
  companyId: string,
  refs: { readonly needed: readonly ProviderRef[]; readonly leaving?: readonly ProviderRef[] },
): Promise<Result<Found<Connection>[], Failure>> {
  const found = new Map<string, Found<Connection>>();
  for (const ref of [...refs.needed, ...(refs.leaving ?? [])]) {
    const { connectionId } = ref;
    if (connectionId === undefined || found.has(connectionId)) continue;
    const connection = await loadConnection(reading, { companyId, connectionId });
    if (!connection.ok && refs.needed.includes(ref)) return connection;
    if (connection.ok && connection.value) found.set(connectionId, connection.value);
  }
  return ok([...found.values()]);
}

/** At the end of a switch, marks that the keyring depends on its final connection and the switch on none. */
export function markEnd(
  tx: Pick<Writes, 'merge'>,
  sw: Switch,
  { connections, endsWith }: { readonly connections: readonly Found<Connection>[]; readonly endsWith: ProviderRef },
): void {
  const keyring = userOfKeyring(sw.keyringId);
  for (const connection of connections) {
    if (sameProvider(endsWith, refOfConnection(connection.value)))
      markUse(tx, connection, { add: [keyring], remove: [userOfSwitch(sw)] });
    else markUse(tx, connection, { remove: [keyring, userOfSwitch(sw)] });
  }
}
