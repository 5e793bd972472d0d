// How keys look on the wire: key bundles, list items and deleted keys. Pure.
import type { DeletedKey, KeyVersion, Vault, VaultKey } from './model.ts';

const DAY_SECONDS = 86_400;
const MAX_SOFT_DELETE_DAYS = 90;

export const latest = (key: VaultKey): KeyVersion => {
  const version = key.versions.at(-1);
  if (!version) throw new Error('a key has at least one version');
  return version;
};

export function keyId(vault: Vault, key: VaultKey, version?: KeyVersion): string {
  const base = `https://${vault.host}/keys/${key.name}`;
  return version ? `${base}/${version.id}` : base;
}

export function keyBundle(vault: Vault, key: VaultKey, version: KeyVersion): object {
  const { kty = '', n, e, crv, x, y } = version.publicKey.export({ format: 'jwk' });
  const material = kty === 'RSA' ? { n, e } : { crv, x, y };
  return {
    key: { kid: keyId(vault, key, version), kty: version.kind, key_ops: version.operations, ...material },
    attributes: attributes(vault, version),
    ...(Object.keys(version.tags).length > 0 ? { tags: version.tags } : {}),
  };
}

export function listItem(vault: Vault, key: VaultKey, version: KeyVersion, withVersion: boolean): object {
  return {
    kid: keyId(vault, key, withVersion ? version : undefined),
    attributes: attributes(vault, version),
    ...(Object.keys(version.tags).length > 0 ? { tags: version.tags } : {}),
  };
}

export function deletedBundle(vault: Vault, deleted: DeletedKey): object {
  return { ...deletion(vault, deleted), ...keyBundle(vault, deleted.key, latest(deleted.key)) };
}

/** As the list of deleted keys has it: no key material. */
export function deletedItem(vault: Vault, deleted: DeletedKey): object {
  return { ...deletion(vault, deleted), ...listItem(vault, deleted.key, latest(deleted.key), false) };
}

const deletion = (vault: Vault, { key, deletedAt }: DeletedKey): object => ({
  recoveryId: `https://${vault.host}/deletedkeys/${key.name}`,
  deletedDate: deletedAt,
  scheduledPurgeDate: deletedAt + vault.settings.softDeleteDays * DAY_SECONDS,
});

/** "Purgeable" is left out under purge protection, "Customized" stands for less than 90 days of retention. */
function recoveryLevel({ purgeProtection, softDeleteDays }: Vault['settings']): string {
  const level = softDeleteDays < MAX_SOFT_DELETE_DAYS ? 'CustomizedRecoverable' : 'Recoverable';
  return purgeProtection ? level : `${level}+Purgeable`;
}

function attributes(vault: Vault, version: KeyVersion): object {
  return {
    enabled: version.enabled,
    ...(version.notBefore === undefined ? {} : { nbf: version.notBefore }),
    ...(version.expires === undefined ? {} : { exp: version.expires }),
    created: version.createdAt,
    updated: version.updatedAt,
    recoveryLevel: recoveryLevel(vault.settings),
    recoverableDays: vault.settings.softDeleteDays,
    exportable: version.exportable,
    hsmPlatform: version.kind.endsWith('-HSM') ? '2' : '0',
  };
}
