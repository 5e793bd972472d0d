// Key Vault's calls of the control API: what the owner of a vault does in Azure, and what only a test may do.
import * as z from 'zod';
import type { Control } from '../control/control.ts';
import { named, RoutePatterns, type PathNames } from '../control/route-patterns.ts';
import { normaliseAction, ROLES } from './authorization.ts';
import { keyId, latest } from './key-bundle.ts';
import { unwrap } from './key-material.ts';
import type { Vault, VaultKey } from './model.ts';
import { addManagementCalls } from './vault-management.ts';
import type { Vaults } from './vaults.ts';

const settings = {
  permissionModel: z.enum(['rbac', 'access-policy']).optional(),
  challengeTenantId: z.string().nullish(),
  firewall: z.array(z.string()).nullish(),
  privateOnly: z.boolean().optional(),
  purgeProtection: z.boolean().optional(),
  softDeleteDays: z.number().int().min(7).max(90).optional(),
  deletionMs: z.number().min(0).optional(),
  sku: z.enum(['standard', 'premium']).optional(),
  latencyMs: z.number().min(0).optional(),
  throttleScale: z.number().positive().nullish(),
  getOfDisabled: z.enum(['answered', 'refused']).optional(),
  deletedByRoleOnKey: z.enum(['answered', 'refused']).optional(),
  policyInnerCode: z.enum(['AccessDenied', 'ForbiddenByPolicy']).optional(),
  clientAddress: z.string().optional(),
};
const settingsBody = z.strictObject(settings);
const vaultBody = z.strictObject({
  host: z.string().regex(/^[0-9A-Za-z-]{3,24}\.[a-z.]+$/i),
  tenantId: z.guid(),
  location: z.string().default('westeurope'),
  resourceGroup: z.string().default('rg-keys'),
  subscriptionId: z.guid().optional(),
  ...settings,
});
const operation = z.enum(['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']);
const version = {
  kty: z.enum(['RSA', 'RSA-HSM', 'EC', 'EC-HSM']).default('RSA'),
  size: z.number().int().default(2048),
  pem: z.string().optional(),
  exportable: z.boolean().optional(),
  enabled: z.boolean().optional(),
  notBefore: z.number().int().optional(),
  expires: z.number().int().optional(),
  keyOps: z.array(operation).optional(),
  tags: z.record(z.string(), z.string()).optional(),
};
const keyBody = z.strictObject({ name: z.string(), ...version });
const versionBody = z.strictObject(version);
const keyPatch = z.strictObject({
  /** Left out: every version. */
  version: z.string().optional(),
  enabled: z.boolean().optional(),
  notBefore: z.number().int().nullish(),
  expires: z.number().int().nullish(),
  keyOps: z.array(operation).optional(),
});
const roleBody = z
  .strictObject({
    principalId: z.guid(),
    role: z
      .string()
      .refine((name) => name in ROLES, 'unknown role')
      .optional(),
    dataActions: z.array(z.string()).optional(),
    keyName: z.string().optional(),
    effectiveAfterMs: z.number().min(0).default(0),
  })
  .refine((body) => (body.role === undefined) !== (body.dataActions === undefined), 'either role or dataActions');
const policyBody = z.strictObject({
  keys: z.array(z.string()),
  effectiveAfterMs: z.number().min(0).default(0),
});
const removalBody = z.strictObject({ effectiveAfterMs: z.number().min(0).default(0) });
const moveBody = z.strictObject({ tenantId: z.guid() });
const unwrapBody = z.strictObject({ ciphertexts: z.array(z.string()).max(10_000) });
const poolBody = z.strictObject({ size: z.number().int(), count: z.number().int() });

export function addVaultCalls(
  control: Control,
  { vaults, disconnect }: { readonly vaults: Vaults; readonly disconnect: (host: string) => void },
): void {
  const vault = (names: PathNames): Vault => vaults.vault(named(names, 'host'));
  const key = (names: PathNames): VaultKey => findKey(vault(names), named(names, 'key'));
  const routes = new RoutePatterns(control);
  addManagementCalls(routes, { vaults });
  routes
    .on('GET /dns/:host', (names) => ({ exists: vaults.find(named(names, 'host')) !== undefined }))
    .withBody('POST /vaults', vaultBody, (body) => {
      const { host, tenantId, location, resourceGroup, subscriptionId, ...rest } = body;
      const added = vaults.add({ host, tenantId, location, resourceGroup, subscriptionId, settings: {} });
      applySettings(added, rest);
      return { host: added.host, resourceId: added.resourceId };
    })
    .withBody('PATCH /vaults/:host', settingsBody, (body, names) => applySettings(vault(names), body))
    .on('DELETE /vaults/:host', (names) => {
      const { host } = vault(names);
      vaults.delete(host);
      disconnect(host);
    })
    .on('DELETE /deleted-vaults/:host', (names) => vaults.purge(named(names, 'host')))
    .on('POST /vaults/:host/recover', (names) => vaults.recover(named(names, 'host')))
    .withBody('POST /vaults/:host/move', moveBody, ({ tenantId }, names) => vaults.move(named(names, 'host'), tenantId))
    .withBody('POST /vaults/:host/keys', keyBody, ({ name, ...spec }, names) => {
      const { keys, deletedKeys } = vault(names);
      if (keys.has(name.toLowerCase()) || deletedKeys.has(name.toLowerCase())) throw new Error(`key ${name} exists`);
      return addVersion(vaults, vault(names), name, spec);
    })
    .withBody('POST /vaults/:host/keys/:key/versions', versionBody, (spec, names) =>
      addVersion(vaults, vault(names), key(names).name, spec),
    )
    .withBody('PATCH /vaults/:host/keys/:key', keyPatch, (body, names) => patchKey(key(names), body))
    .on('DELETE /vaults/:host/keys/:key', (names) => {
      const { keys, deletedKeys } = vault(names);
      const gone = key(names);
      keys.delete(gone.name.toLowerCase());
      const nowMs = Date.now();
      deletedKeys.set(gone.name.toLowerCase(), { key: gone, deletedAt: Math.floor(nowMs / 1000), visibleAtMs: nowMs });
    })
    .on('DELETE /vaults/:host/deleted-keys/:key', (names) => {
      const name = named(names, 'key').toLowerCase();
      if (!vault(names).deletedKeys.delete(name)) throw new Error(`no deleted key ${name}`);
    })
    .withBody('POST /vaults/:host/keys/:key/try-unwrap', unwrapBody, ({ ciphertexts }, names) => ({
      opened: tryUnwrap(key(names), ciphertexts),
    }))
    .withBody('PUT /vaults/:host/role-assignments/:id', roleBody, (body, names) => {
      const dataActions = body.dataActions?.map(normaliseAction) ?? ROLES[body.role ?? ''] ?? [];
      vault(names).roleAssignments.set(named(names, 'id'), {
        principalId: body.principalId.toLowerCase(),
        dataActions,
        keyName: body.keyName?.toLowerCase(),
        effectiveAtMs: Date.now() + body.effectiveAfterMs,
        removedAtMs: Infinity,
      });
    })
    .withBody('DELETE /vaults/:host/role-assignments/:id', removalBody, (body, names) =>
      remove(vault(names).roleAssignments, named(names, 'id'), body.effectiveAfterMs),
    )
    .withBody('PUT /vaults/:host/access-policies/:principal', policyBody, (body, names) => {
      vault(names).accessPolicies.set(named(names, 'principal').toLowerCase(), {
        keyPermissions: body.keys.map((permission) => permission.toLowerCase()),
        effectiveAtMs: Date.now() + body.effectiveAfterMs,
        removedAtMs: Infinity,
      });
    })
    .withBody('DELETE /vaults/:host/access-policies/:principal', removalBody, (body, names) =>
      remove(vault(names).accessPolicies, named(names, 'principal').toLowerCase(), body.effectiveAfterMs),
    )
    .withBody('POST /key-pool', poolBody, (body) => vaults.pool.fill(body.size, body.count));
}

/** `null` takes a setting back to "none". */
function applySettings(vault: Vault, body: z.infer<typeof settingsBody>): void {
  const given = Object.entries(body).filter(([, value]) => value !== undefined);
  Object.assign(vault.settings, Object.fromEntries(given.map(([name, value]) => [name, value ?? undefined])));
}

async function addVersion(
  vaults: Vaults,
  vault: Vault,
  name: string,
  { kty, size, keyOps, ...rest }: z.infer<typeof versionBody>,
): Promise<{ kid: string; version: string }> {
  const made = await vaults.putKeyVersion(vault, name, { kind: kty, sizeBits: size, operations: keyOps, ...rest });
  return { kid: keyId(vault, made.key, made.version), version: made.version.id };
}

function patchKey(key: VaultKey, body: z.infer<typeof keyPatch>): void {
  const chosen = key.versions.filter(({ id }) => body.version === undefined || id === body.version);
  if (chosen.length === 0) throw new Error(`no version ${body.version ?? latest(key).id}`);
  for (const one of chosen) {
    one.enabled = body.enabled ?? one.enabled;
    if (body.notBefore !== undefined) one.notBefore = body.notBefore ?? undefined;
    if (body.expires !== undefined) one.expires = body.expires ?? undefined;
    one.operations = body.keyOps ?? one.operations;
  }
}

/** Which of the ciphertexts open with any version of the key, whatever the vault would say. Nothing is logged. */
function tryUnwrap(key: VaultKey, ciphertexts: readonly string[]): boolean[] {
  return ciphertexts.map((text) => {
    const bytes = Buffer.from(text, 'base64url');
    return key.versions.some(({ privateKey }) => unwrap(privateKey, 'RSA-OAEP-256', bytes) !== undefined);
  });
}

function findKey(vault: Vault, name: string): VaultKey {
  const key = vault.keys.get(name.toLowerCase()) ?? vault.deletedKeys.get(name.toLowerCase())?.key;
  if (!key) throw new Error(`no key ${name} in ${vault.host}`);
  return key;
}

/** Takes a grant away, at once or after the time that Azure needs to spread it. */
function remove<T extends { readonly removedAtMs: number }>(
  grants: Map<string, T>,
  id: string,
  effectiveAfterMs: number,
): void {
  const grant = grants.get(id);
  if (!grant) throw new Error(`no grant ${id}`);
  if (effectiveAfterMs === 0) grants.delete(id);
  else grants.set(id, { ...grant, removedAtMs: Date.now() + effectiveAfterMs });
}
