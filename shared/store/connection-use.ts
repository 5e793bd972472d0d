// Who depends on a connection: the marks on its row. Decides nothing.
import type { Connection } from '../domain/connection.ts';
import type { KeyringPlace } from '../domain/keyring.ts';
import type { SwitchPlace } from '../domain/switch.ts';
import type { Found } from './found.ts';
import { keyringRowKey, switchRowKey } from './rows/row-keys.ts';
import type { Writes } from './tx.ts';

export const userOfSwitch = (sw: { readonly keyringId: string; readonly switchId: string }): string =>
  switchRowKey(sw.keyringId, sw.switchId);

/** The switch that a mark of use names; undefined if it names a keyring. */
export function placeOfUser(companyId: string, user: string): SwitchPlace | undefined {
  const [kind, keyringId, switchId] = user.split('|');
  if (kind !== 'switch' || keyringId === undefined || switchId === undefined) return undefined;
  return { companyId, keyringId, switchId };
}

/** The keyring that a mark of use names; undefined if it names a switch. */
export function keyringOfUser(companyId: string, user: string): KeyringPlace | undefined {
  const [kind, keyringId] = user.split('|');
  return kind === 'keyring' && keyringId !== undefined ? { companyId, keyringId } : undefined;
}

export const userOfKeyring = (keyringId: string): string => keyringRowKey(keyringId);

/** Marks who depends on a connection, or only guards it if nothing changes. */
export function markUse(
  tx: Pick<Writes, 'merge'>,
  connection: Found<Connection>,
  use: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
): void {
  const { value } = connection;
  const kept = value.usedBy.filter((user) => !use.remove?.includes(user));
  const usedBy = [...new Set([...kept, ...(use.add ?? [])])];
  tx.merge(connection, { ...value, usedBy }, ['usedBy']);
}
