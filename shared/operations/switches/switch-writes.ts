// The connections that a switch depends on, and how its acts are named in the record.
import type { Act, Detail } from '../../domain/audit.ts';
import { refOfConnection, type Connection } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { ok, type Result } from '../../domain/result.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import { markUse, userOfKeyring, userOfSwitch } from '../../store/connection-use.ts';
import type { Loaded } from '../../store/control-state.ts';
import { switchRowKey } from '../../store/rows/row-keys.ts';
import type { RowWrite } from '../../store/tables.ts';
import { loadConnection, type ConnectionReading } from '../keys/verified-connection.ts';

export const actOnSwitch = (action: string, place: SwitchPlace, detail: Detail = {}): Act => ({
  action,
  companyId: place.companyId,
  target: switchRowKey(place.keyringId, place.switchId),
  detail,
});

/**
 * The connections behind providers, each once, verified. One that is gone is left out; so is a forged one behind a provider
 * that is merely being left: it must not hold what its forger would like to hold.
 */
export async function loadConnectionsOf(
  reading: ConnectionReading,
  companyId: string,
  refs: { readonly needed: readonly ProviderRef[]; readonly leaving?: readonly ProviderRef[] },
): Promise<Result<Loaded<Connection>[], Failure>> {
  const found = new Map<string, Loaded<Connection>>();
  for (const ref of [...refs.needed, ...(refs.leaving ?? [])]) {
    const { connectionId } = ref;
    if (connectionId === undefined || found.has(connectionId)) continue;
    const connection = await loadConnection(reading, { companyId, connectionId });
    if (!connection.ok && refs.needed.includes(ref)) return connection;
    if (connection.ok && connection.value) found.set(connectionId, connection.value);
  }
  return ok([...found.values()]);
}

/** The marks at the end of a switch: the keyring depends on what it ends with, and the switch on nothing. */
export function marksAtEnd(sw: Switch, connections: readonly Loaded<Connection>[], endsWith: ProviderRef): RowWrite[] {
  return connections.map((connection) => {
    const isEnd = sameProvider(endsWith, refOfConnection(connection.value));
    const keyring = userOfKeyring(sw.keyringId);
    return isEnd
      ? markUse(connection, { add: [keyring], remove: [userOfSwitch(sw)] })
      : markUse(connection, { remove: [keyring, userOfSwitch(sw)] });
  });
}
