// Key Vault's calls of the control API that stand for Azure Resource Manager: what `az keyvault` asks beside the vault itself, refused in
// Azure's words where Azure refuses.
import { isIP } from 'node:net';
import * as z from 'zod';
import { named, type PathNames, type RoutePatterns } from '../control/route-patterns.ts';
import { ROLES } from './authorization.ts';
import type { Vault } from './model.ts';
import type { Vaults } from './vaults.ts';

/** Ids of the built-in roles (Microsoft Learn, "Azure built-in roles for security"). */
const ROLE_IDS: Readonly<Record<string, string>> = {
  'e147488a-f6f5-4113-8e2d-b22465e65bf6': 'Key Vault Crypto Service Encryption User',
  '14b46e9e-c2b7-41b4-b07b-48a6ebf60603': 'Key Vault Crypto Officer',
};

const updateBody = z.strictObject({
  enableRbacAuthorization: z.boolean().optional(),
  enablePurgeProtection: z.boolean().optional(),
  publicNetworkAccess: z.enum(['Enabled', 'Disabled']).optional(),
  defaultAction: z.enum(['Allow', 'Deny']).optional(),
});
const networkRuleBody = z.strictObject({ ipAddress: z.string() });
const assignmentBody = z.strictObject({ principalId: z.guid(), role: z.string(), scope: z.string() });
const policyBody = z.strictObject({ objectId: z.guid(), keyPermissions: z.array(z.string()) });

export function addManagementCalls(routes: RoutePatterns, { vaults }: { readonly vaults: Vaults }): void {
  const vault = (names: PathNames): Vault => vaults.vault(named(names, 'host'));
  routes
    .on('GET /management/vaults/:host', (names) => shown(vault(names)))
    .on('GET /management/deleted-vaults/:host', (names) => shownDeleted(vaults.deleted(named(names, 'host'))))
    .withBody('PATCH /management/vaults/:host', updateBody, (body, names) => update(vault(names), body))
    .withBody('POST /management/vaults/:host/network-rules', networkRuleBody, ({ ipAddress }, names) => {
      const { settings } = vault(names);
      refuseAddress(ipAddress);
      // Rules count only where the default is to refuse.
      if (settings.firewall) settings.firewall = [...settings.firewall, ipAddress];
    })
    .withBody('POST /management/vaults/:host/policies', policyBody, ({ objectId, keyPermissions }, names) => {
      const { settings, accessPolicies } = vault(names);
      if (settings.permissionModel === 'rbac')
        throw new Error("Cannot set policies to a vault with '--enable-rbac-authorization' specified");
      accessPolicies.set(objectId.toLowerCase(), {
        keyPermissions: keyPermissions.map((one) => one.toLowerCase()),
        effectiveAtMs: 0,
        removedAtMs: Infinity,
      });
    })
    .withBody('POST /management/role-assignments', assignmentBody, (body) => assign(vaults, body));
}

const shown = ({ host, name, resourceId, tenantId, settings }: Vault): object => ({
  id: resourceId,
  name,
  properties: {
    tenantId,
    vaultUri: `https://${host}/`,
    enableRbacAuthorization: settings.permissionModel === 'rbac',
    enablePurgeProtection: settings.purgeProtection,
    publicNetworkAccess: settings.privateOnly ? 'Disabled' : 'Enabled',
  },
});

const DAY_MS = 86_400_000;

const shownDeleted = ({ name, resourceId, deletedAt = 0, settings }: Vault): object => ({
  name,
  properties: {
    vaultId: resourceId,
    deletionDate: new Date(deletedAt * 1000).toISOString(),
    scheduledPurgeDate: new Date(deletedAt * 1000 + settings.softDeleteDays * DAY_MS).toISOString(),
    purgeProtectionEnabled: settings.purgeProtection,
  },
});

function update({ settings }: Vault, body: z.infer<typeof updateBody>): void {
  if (body.enablePurgeProtection === false && settings.purgeProtection)
    throw new Error(
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  settings.purgeProtection = body.enablePurgeProtection ?? settings.purgeProtection;
  if (body.enableRbacAuthorization !== undefined)
    settings.permissionModel = body.enableRbacAuthorization ? 'rbac' : 'access-policy';
  if (body.publicNetworkAccess !== undefined) settings.privateOnly = body.publicNetworkAccess === 'Disabled';
  if (body.defaultAction === 'Allow') settings.firewall = undefined;
  if (body.defaultAction === 'Deny') settings.firewall ??= [];
}

/** As in issues 28805 and 45471 of MicrosoftDocs/azure-docs: public addresses of IPv4 only. */
function refuseAddress(address: string): void {
  if (isIP(address) !== 4)
    throw new Error(`Invalid value found at properties.networkAcls.ipRules[0].value: ${address}`);
  const isForbidden =
    /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
      address,
    );
  if (isForbidden)
    throw new Error(
      `Invalid value found at properties.networkAcls.ipRules[0].value: ${address} belongs to forbidden range (private IP addresses)`,
    );
}

/** On a vault, or on one key of it. */
function assign(vaults: Vaults, { principalId, role, scope }: z.infer<typeof assignmentBody>): void {
  const [, resourceId = '', keyName] = /^(.*\/vaults\/[^/]+)(?:\/keys\/([^/]+))?$/i.exec(scope) ?? [];
  const vault = vaults.all().find((one) => one.resourceId.toLowerCase() === resourceId.toLowerCase());
  if (!vault) throw new Error(`The scope '${scope}' is not valid.`);
  const name = ROLE_IDS[role] ?? role;
  const dataActions = ROLES[name];
  if (!dataActions) throw new Error(`Role '${role}' doesn't exist.`);
  const id = `${principalId} ${name} ${keyName ?? ''}`.toLowerCase();
  const grant = { principalId: principalId.toLowerCase(), dataActions, keyName: keyName?.toLowerCase() };
  vault.roleAssignments.set(id, { ...grant, effectiveAtMs: 0, removedAtMs: Infinity });
}
