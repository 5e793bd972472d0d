// May this caller do this here? Network rules first, then roles or access policies, as the vault is set up. Throws the
// vault's own refusal; knows no key material.
import { BlockList, isIP } from 'node:net';
import type { VaultOperation } from './key-path.ts';
import type { Caller, Spreading, Vault } from './model.ts';
import { blockedByConnection, blockedByFirewall, deniedByPolicy, deniedByRbac } from './vault-error.ts';

const PREFIX = 'Microsoft.KeyVault/vaults/';

/** What an operation is called by roles and by access policies; the spelling is that of the refusals. */
const RIGHTS: Readonly<Record<VaultOperation, { readonly action: string; readonly permission: string }>> = {
  create: { action: 'keys/create/action', permission: 'create' },
  get: { action: 'keys/read', permission: 'get' },
  list: { action: 'keys/read', permission: 'list' },
  'list-versions': { action: 'keys/read', permission: 'list' },
  update: { action: 'keys/update/action', permission: 'update' },
  delete: { action: 'keys/delete', permission: 'delete' },
  wrapkey: { action: 'keys/wrap/action', permission: 'wrapKey' },
  unwrapkey: { action: 'keys/unwrap/action', permission: 'unwrapKey' },
  sign: { action: 'keys/sign/action', permission: 'sign' },
  encrypt: { action: 'keys/encrypt/action', permission: 'encrypt' },
  decrypt: { action: 'keys/decrypt/action', permission: 'decrypt' },
  import: { action: 'keys/import/action', permission: 'import' },
  'get-rotation-policy': { action: 'keyrotationpolicies/read', permission: 'getrotationpolicy' },
  'put-rotation-policy': { action: 'keyrotationpolicies/write', permission: 'setrotationpolicy' },
  backup: { action: 'keys/backup/action', permission: 'backup' },
  restore: { action: 'keys/restore/action', permission: 'restore' },
  rotate: { action: 'keys/rotate/action', permission: 'rotate' },
  'list-deleted': { action: 'keys/read', permission: 'list' },
  'get-deleted': { action: 'keys/read', permission: 'get' },
  recover: { action: 'keys/recover/action', permission: 'recover' },
  purge: { action: 'keys/purge/action', permission: 'purge' },
};

const CRYPTO_USER = [
  'keys/read',
  'keys/update/action',
  'keys/backup/action',
  'keys/encrypt/action',
  'keys/decrypt/action',
  'keys/wrap/action',
  'keys/unwrap/action',
  'keys/sign/action',
  'keys/verify/action',
];

/** Azure's built-in roles, as far as they concern keys. */
export const ROLES: Readonly<Record<string, readonly string[]>> = {
  'Key Vault Administrator': ['*'],
  'Key Vault Crypto Officer': ['keys/*', 'keyrotationpolicies/*'],
  'Key Vault Crypto User': CRYPTO_USER,
  'Key Vault Crypto Service Encryption User': ['keys/read', 'keys/wrap/action', 'keys/unwrap/action'],
  'Key Vault Reader': ['*/read', 'keys/read'],
  'Key Vault Secrets User': ['secrets/getSecret/action', 'secrets/readMetadata/action'],
};

/** `keys/unwrap`, `keys/unwrap/action` and the whole name all mean the same data action. */
export function normaliseAction(action: string): string {
  const short = action.startsWith(PREFIX) ? action.slice(PREFIX.length) : action;
  const known = Object.values(RIGHTS).find((right) => right.action === `${short}/action`);
  return known?.action ?? short;
}

export function authorize(options: {
  readonly vault: Vault;
  readonly caller: Caller;
  readonly operation: VaultOperation;
  readonly keyName: string;
  readonly nowMs: number;
}): void {
  const { vault, caller, operation, keyName, nowMs } = options;
  const { settings } = vault;
  if (settings.privateOnly) throw blockedByConnection(vault, caller);
  if (settings.firewall && !letsIn(settings.firewall, settings.clientAddress)) throw blockedByFirewall(vault, caller);
  const right = RIGHTS[operation];
  if (settings.permissionModel === 'access-policy') {
    const policy = vault.accessPolicies.get(caller.objectId);
    const allowed = policy && inForce(policy, nowMs) ? policy.keyPermissions : [];
    if (allowed.includes('all') || allowed.includes(right.permission.toLowerCase())) return;
    throw deniedByPolicy(vault, caller, right.permission);
  }
  const reachesKey = operation !== 'get-deleted' || settings.deletedByRoleOnKey !== 'refused';
  const assigned = [...vault.roleAssignments.values()].some(
    (role) =>
      role.principalId === caller.objectId &&
      inForce(role, nowMs) &&
      (role.keyName === undefined || (role.keyName === keyName.toLowerCase() && reachesKey)) &&
      role.dataActions.some((action) => covers(action, right.action)),
  );
  if (!assigned) throw deniedByRbac(vault, caller, `${PREFIX}${right.action}`, keyName);
}

function covers(granted: string, wanted: string): boolean {
  return granted === wanted || (granted.endsWith('*') && wanted.startsWith(granted.slice(0, -1)));
}

function inForce({ effectiveAtMs, removedAtMs }: Spreading, nowMs: number): boolean {
  return nowMs >= effectiveAtMs && nowMs < removedAtMs;
}

function letsIn(rules: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const rule of rules) {
    const [network = '', bits] = rule.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(bits), family);
  }
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
