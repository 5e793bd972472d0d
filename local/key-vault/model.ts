// What a Key Vault is made of in the embedded run: vaults, keys with their versions, grants. Types only.
import type { KeyObject } from 'node:crypto';

export type RsaKind = 'RSA' | 'RSA-HSM';
export type KeyKind = RsaKind | 'EC' | 'EC-HSM';

/** As key_ops and error texts write them (URLs are lower case). */
export type KeyOperation = 'encrypt' | 'decrypt' | 'sign' | 'verify' | 'wrapKey' | 'unwrapKey' | 'import';

export interface KeyVersion {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly kind: KeyKind;
  /** RSA: the modulus; EC: always 256. */
  readonly sizeBits: number;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly createdAt: number;
  readonly exportable: boolean;
  /** Made elsewhere: such keys are not rotated by the vault. */
  readonly imported?: boolean;
  updatedAt: number;
  enabled: boolean;
  /** Unix seconds, as the wire has them. */
  notBefore: number | undefined;
  expires: number | undefined;
  operations: readonly KeyOperation[];
  tags: Readonly<Record<string, string>>;
}

/** Durations are ISO 8601: a number of days, months or years. */
export interface RotationPolicy {
  readonly lifetimeActions: readonly {
    readonly trigger: { readonly timeAfterCreate?: string; readonly timeBeforeExpiry?: string };
    readonly action: { readonly type: 'Rotate' | 'Notify' };
  }[];
  readonly expiryTime?: string | undefined;
  /** Unix seconds; absent from the one that a key has by default. */
  readonly created?: number;
  readonly updated?: number;
}

export interface VaultKey {
  /** As it was created; looked up in any case. */
  readonly name: string;
  /** Oldest first; the last one is the latest. */
  readonly versions: KeyVersion[];
  rotationPolicy?: RotationPolicy;
  /** Recovering is asynchronous too: before that, the key is neither there nor deleted. */
  recoveredAtMs?: number;
}

export interface DeletedKey {
  readonly key: VaultKey;
  readonly deletedAt: number;
  /** Deleting is asynchronous: before that, `deletedkeys` does not know of it. */
  readonly visibleAtMs: number;
}

/** A grant or its removal that takes effect at a moment: Azure spreads role assignments over minutes. */
export interface Spreading {
  readonly effectiveAtMs: number;
  readonly removedAtMs: number;
}

export interface RoleAssignment extends Spreading {
  readonly principalId: string;
  /** Data actions of the role, `*` at the end stands for anything. */
  readonly dataActions: readonly string[];
  /** The key it is scoped to (lower case), or undefined for the whole vault. */
  readonly keyName: string | undefined;
}

export interface AccessPolicy extends Spreading {
  /** Lower case: `get`, `unwrapkey`, … or `all`. */
  readonly keyPermissions: readonly string[];
}

export type PermissionModel = 'rbac' | 'access-policy';

/** What may be told when a vault is made, and changed later. */
export interface VaultSettings {
  permissionModel: PermissionModel;
  /** The tenant named in the challenge, when it is not the vault's own. */
  challengeTenantId: string | undefined;
  /** Addresses that the firewall lets in; undefined when there is no firewall. */
  firewall: readonly string[] | undefined;
  privateOnly: boolean;
  purgeProtection: boolean;
  softDeleteDays: number;
  /** How long a deletion takes until `deletedkeys` shows it; a recovery until the key is there; a purge until the name is free. */
  deletionMs: number;
  /** A standard vault has no keys in hardware. */
  sku: 'standard' | 'premium';
  latencyMs: number;
  /** 1 is Azure's real limits, 0.01 a hundredth of them; undefined for none. */
  throttleScale: number | undefined;
  /** Whether GET of a disabled key is answered or refused: both are reported of Azure. */
  getOfDisabled: 'answered' | 'refused';
  /** Whether a role on a key alone lets its holder ask for the key once it is deleted: not known of Azure. */
  deletedByRoleOnKey: 'answered' | 'refused';
  /** Inner code of a refusal by access policies: both are seen. */
  policyInnerCode: 'AccessDenied' | 'ForbiddenByPolicy';
  /** The caller's address as this vault sees it. */
  clientAddress: string;
}

export interface Vault {
  readonly host: string;
  readonly name: string;
  /** Another once its subscription is moved. */
  tenantId: string;
  readonly location: string;
  readonly resourceId: string;
  readonly settings: VaultSettings;
  /** By lower-case name. */
  readonly keys: Map<string, VaultKey>;
  readonly deletedKeys: Map<string, DeletedKey>;
  /** Names whose key was purged just now, in lower case, and until when they are not free. */
  readonly purged?: Map<string, number>;
  readonly roleAssignments: Map<string, RoleAssignment>;
  /** Of a deleted vault: when, in Unix seconds. */
  deletedAt?: number;
  /** By principal. */
  readonly accessPolicies: Map<string, AccessPolicy>;
}

/** Whose token came with the request. */
export interface Caller {
  readonly appId: string;
  readonly objectId: string;
  readonly issuer: string;
  readonly tenantId: string;
}
