// Who depends on a connection: the marks on its row. Builds writes; decides nothing.
import type { Connection } from '../domain/connection.ts';
import type { SwitchPlace } from '../domain/switch.ts';
import type { Loaded } from './control-state.ts';
import { connectionRowKey, keyringRowKey, switchRowKey } from './rows/row-keys.ts';
import { connectionCells } from './rows/sealed-rows.ts';
import type { RowWrite } from './tables.ts';

export const userOfSwitch = (sw: { readonly keyringId: string; readonly switchId: string }): string =>
  switchRowKey(sw.keyringId, sw.switchId);

/** The switch that a mark of use names; undefined if it names a keyring. */
export function placeOfUser(companyId: string, user: string): SwitchPlace | undefined {
  const [kind, keyringId, switchId] = user.split('|');
  if (kind !== 'switch' || keyringId === undefined || switchId === undefined) return undefined;
  return { companyId, keyringId, switchId };
}

export const userOfKeyring = (keyringId: string): string => keyringRowKey(keyringId);

/** Marks who depends on a connection, or only guards it if nothing changes. */
export function markUse(
  connection: Loaded<Connection>,
  use: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): RowWrite {
  const { value, etag } = connection;
  const kept = value.usedBy.filter((user) => !use.remove?.includes(user));
  const usedBy = [...new Set([...kept, ...(use.add ?? [])])];
  const rowKey = connectionRowKey(value.connectionId);
  return { kind: 'merge', rowKey, cells: { usedBy: connectionCells({ ...value, usedBy })['usedBy'] }, etag };
}
