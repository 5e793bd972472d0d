// Whether the name of a key is free for a new one, and when a key that was deleted, recovered or purged is what it will be: each takes Azure a while. Throws the
// vault's refusals. Not known of Azure: what a name is called that was purged just now (that it is refused for seconds is issue 26027 of azure-sdk-for-net).
import { keyId, latest } from './key-bundle.ts';
import type { Vault, VaultKey } from './model.ts';
import * as refuse from './vault-error.ts';

/** For a key or a version that is made or imported. */
export function needFreeName(vault: Vault, name: string, nowMs: number): void {
  const lower = name.toLowerCase();
  const deleted = vault.deletedKeys.get(lower);
  if (deleted)
    throw isOver(deleted.visibleAtMs, nowMs)
      ? refuse.nameTakenByDeleted(deleted.key.name)
      : refuse.nameBeingDeleted(name);
  if (!isOver(vault.purged?.get(lower), nowMs)) throw refuse.nameBeingDeleted(name);
  if (!isOver(vault.keys.get(lower)?.recoveredAtMs, nowMs)) throw refuse.nameBeingRecovered(name);
}

/** A backup comes back only where no key has its name. */
export function needNoKey(vault: Vault, backup: VaultKey, nowMs: number): void {
  needFreeName(vault, backup.name, nowMs);
  if (vault.keys.has(backup.name.toLowerCase())) throw refuse.nameTaken(keyId(vault, backup, latest(backup)));
}

/** Whether it is there again, if it was recovered. */
export const isThere = (key: VaultKey, nowMs: number): boolean => isOver(key.recoveredAtMs, nowMs);

const isOver = (atMs: number | undefined, nowMs: number): boolean => atMs === undefined || atMs <= nowMs;

export const needHardware = ({ settings }: Vault, kty: string): void => {
  if (kty.endsWith('-HSM') && settings.sku === 'standard') throw refuse.noHardware();
};
