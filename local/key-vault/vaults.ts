// The vaults of the embedded run by host name, and making keys in them. State only: no HTTP, no permissions.
import { randomUUID } from 'node:crypto';
import { SUBSCRIPTION_ID } from '../identities.ts';
import { importPem, KeyPool, type KeyPair } from './key-material.ts';
import type { KeyKind, KeyOperation, KeyVersion, Vault, VaultKey, VaultSettings } from './model.ts';
import { badParameter } from './vault-error.ts';

const MAX_VAULTS = 10_000;
const MAX_KEYS_PER_VAULT = 10_000;
const RSA_SIZES_BITS: readonly number[] = [2048, 3072, 4096];
const ALL_RSA: readonly KeyOperation[] = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'];
const ALL_EC: readonly KeyOperation[] = ['sign', 'verify'];

const DEFAULT_SETTINGS: VaultSettings = {
  permissionModel: 'rbac',
  challengeTenantId: undefined,
  firewall: undefined,
  privateOnly: false,
  purgeProtection: true,
  softDeleteDays: 90,
  deletionMs: 0,
  sku: 'premium',
  latencyMs: 0,
  throttleScale: undefined,
  getOfDisabled: 'answered',
  deletedByRoleOnKey: 'answered',
  policyInnerCode: 'ForbiddenByPolicy',
  clientAddress: '192.0.2.10',
};

interface NewKeyVersion {
  readonly kind: KeyKind;
  readonly sizeBits: number;
  readonly pem?: string | undefined;
  readonly exportable?: boolean | undefined;
  readonly imported?: boolean | undefined;
  readonly enabled?: boolean | undefined;
  readonly notBefore?: number | undefined;
  readonly expires?: number | undefined;
  readonly operations?: readonly KeyOperation[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** By host name. */
export interface KeptVaults {
  readonly vaults: Map<string, Vault>;
  readonly deleted: Map<string, Vault>;
}

export class Vaults {
  readonly pool = new KeyPool();
  readonly #vaults: Map<string, Vault>;
  /** Deleted ones, which may be recovered. */
  readonly #deleted: Map<string, Vault>;

  constructor(kept?: KeptVaults) {
    this.#vaults = kept?.vaults ?? new Map<string, Vault>();
    this.#deleted = kept?.deleted ?? new Map<string, Vault>();
  }

  /** All that there is, to be kept. */
  kept(): KeptVaults {
    return { vaults: this.#vaults, deleted: this.#deleted };
  }

  all(): readonly Vault[] {
    return [...this.#vaults.values()];
  }

  find(host: string): Vault | undefined {
    return this.#vaults.get(host.toLowerCase());
  }

  vault(host: string): Vault {
    const vault = this.find(host);
    if (!vault) throw new Error(`no vault ${host}`);
    return vault;
  }

  add(options: {
    readonly host: string;
    readonly tenantId: string;
    readonly location: string;
    readonly resourceGroup: string;
    readonly subscriptionId?: string | undefined;
    readonly settings: Partial<VaultSettings>;
  }): Vault {
    const host = options.host.toLowerCase();
    if (this.#vaults.has(host) || this.#deleted.has(host)) throw new Error(`vault ${host} exists`);
    if (this.#vaults.size >= MAX_VAULTS) throw new Error('too many vaults');
    const name = host.slice(0, host.indexOf('.'));
    const scope = `/subscriptions/${options.subscriptionId ?? SUBSCRIPTION_ID}/resourcegroups/${options.resourceGroup}`;
    const vault: Vault = {
      host,
      name,
      tenantId: options.tenantId,
      location: options.location,
      resourceId: `${scope}/providers/microsoft.keyvault/vaults/${name}`,
      settings: { ...DEFAULT_SETTINGS, ...options.settings },
      keys: new Map(),
      deletedKeys: new Map(),
      purged: new Map(),
      roleAssignments: new Map(),
      accessPolicies: new Map(),
    };
    this.#vaults.set(host, vault);
    return vault;
  }

  /** The name stops resolving. Role assignments are gone for good, as in Azure; keys are kept for a recovery. */
  delete(host: string): void {
    const vault = this.vault(host);
    vault.roleAssignments.clear();
    vault.deletedAt = Math.floor(Date.now() / 1000);
    this.#vaults.delete(vault.host);
    this.#deleted.set(vault.host, vault);
  }

  deleted(host: string): Vault {
    const vault = this.#deleted.get(host.toLowerCase());
    if (!vault) throw new Error(`no deleted vault ${host}`);
    return vault;
  }

  /** For good, with its keys; its name is free again. */
  purge(host: string): void {
    const vault = this.deleted(host);
    if (vault.settings.purgeProtection) throw new Error(`vault ${host} is protected from being purged`);
    this.#deleted.delete(vault.host);
  }

  /** Moves a vault to another tenant, as Azure does with its subscription: name, keys and versions stay, role assignments and access policies go. */
  move(host: string, tenantId: string): void {
    const vault = this.vault(host);
    vault.tenantId = tenantId.toLowerCase();
    vault.roleAssignments.clear();
    vault.accessPolicies.clear();
  }

  recover(host: string): void {
    const vault = this.deleted(host);
    delete vault.deletedAt;
    this.#deleted.delete(vault.host);
    this.#vaults.set(vault.host, vault);
  }

  /** A new key, or the next version of the one of that name. */
  async putKeyVersion(
    vault: Vault,
    name: string,
    spec: NewKeyVersion,
  ): Promise<{ readonly key: VaultKey; readonly version: KeyVersion }> {
    if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`);
    if (vault.keys.size >= MAX_KEYS_PER_VAULT) throw new Error('too many keys');
    const version = newVersion(spec, await this.#material(spec));
    // Looked up only now: another request may have made the key while the material was being made.
    const key: VaultKey = vault.keys.get(name.toLowerCase()) ?? { name, versions: [] };
    key.versions.push(version);
    vault.keys.set(name.toLowerCase(), key);
    return { key, version };
  }

  async #material({ kind, sizeBits, pem }: NewKeyVersion): Promise<KeyPair & { readonly sizeBits: number }> {
    const rsa = kind.startsWith('RSA');
    if (pem !== undefined) {
      const imported = importPem(pem);
      if (imported.isRsa !== rsa) throw new Error(`the PEM is not of kind ${kind}`);
      return imported;
    }
    if (rsa && !RSA_SIZES_BITS.includes(sizeBits)) {
      throw badParameter(`The specified RSA key size value is invalid: ${sizeBits}`);
    }
    return { ...(await this.pool.take(kind, sizeBits)), sizeBits: rsa ? sizeBits : 256 };
  }
}

function newVersion(spec: NewKeyVersion, material: KeyPair & { readonly sizeBits: number }): KeyVersion {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return {
    id: randomUUID().replaceAll('-', ''),
    kind: spec.kind,
    sizeBits: material.sizeBits,
    privateKey: material.privateKey,
    publicKey: material.publicKey,
    createdAt: nowSeconds,
    exportable: spec.exportable ?? false,
    imported: spec.imported ?? false,
    updatedAt: nowSeconds,
    enabled: spec.enabled ?? true,
    notBefore: spec.notBefore,
    expires: spec.expires,
    operations: spec.operations ?? (spec.kind.startsWith('RSA') ? ALL_RSA : ALL_EC),
    tags: spec.tags ?? {},
  };
}
