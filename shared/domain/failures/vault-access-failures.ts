// Failures of reaching a vault and of being let in. Pure.
import {
  allowAddress,
  assignRole,
  commandLines,
  ENCRYPTION_USER_ROLE,
  ENCRYPTION_USER_ROLE_ID,
  openPublicEndpoint,
  recoverVault,
  setAccessPolicy,
  showVault,
  switchVaultToRbac,
} from './azure-commands.ts';
import type { FailureEntry } from './failure-entry.ts';
import { because, capital, inKeyPortal, inVaultPortal, remedyOf, theKey, thePrincipal, theVault } from './remedy.ts';

export const VAULT_ACCESS_FAILURES = {
  'vault-not-found': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The vault does not exist, or has been deleted.',
      cause: `No address is known for ${theVault(facts)}.`,
      remedy: remedyOf({
        text:
          'Check the spelling of the vault URI. If the vault was deleted, recover it, and then assign the role again: ' +
          'Azure does not restore role assignments with a vault.',
        azureCli: recoverVault(facts),
        portal: 'Azure portal > Key vaults > Manage deleted vaults',
      }),
    }),
  },
  'vault-unreachable': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: 'The vault cannot be reached at the moment.',
      cause: `There was no usable answer from ${theVault(facts)}${because(facts)}.`,
      remedy: remedyOf({
        text: 'Nothing has been revoked, and we try again by ourselves. If it lasts, look at the health of Azure and of the vault.',
        azureCli: showVault(facts),
        portal: inVaultPortal(facts, 'Help > Resource health'),
      }),
    }),
  },
  throttled: {
    kind: 'transient',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The vault is busy: it answered that it received too many requests.',
      cause: `The limits of ${theVault(facts)} are used up. All applications that use one vault share them.`,
      remedy: remedyOf({
        text: 'We try again by ourselves, more slowly. If it lasts, find out what else uses the vault, or give this key a vault of its own.',
        portal: inVaultPortal(facts, 'Monitoring > Metrics > Service API hits'),
      }),
    }),
  },
  'vault-firewall': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message:
        facts.clientAddress === undefined
          ? "The vault's firewall refuses our address."
          : `The vault's firewall refuses our address ${facts.clientAddress}.`,
      cause: `${capital(theVault(facts))} accepts only chosen networks. We are not one of Azure's trusted services, so our address must be allowed.`,
      remedy: remedyOf({
        text:
          facts.clientAddress === undefined
            ? "Allow our outgoing address in the vault's firewall."
            : `Allow ${facts.clientAddress} in the vault's firewall.`,
        azureCli: allowAddress(facts),
        portal: inVaultPortal(facts, 'Settings > Networking > Firewalls and virtual networks > IP address'),
      }),
    }),
  },
  'vault-private-only': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The vault accepts private endpoints only.',
      cause: `Public network access to ${theVault(facts)} is disabled, and we do not come through one of its private endpoints.`,
      remedy: remedyOf({
        text: 'Allow public access from selected networks, and our outgoing address among them; or agree a private endpoint with the vendor.',
        azureCli: commandLines(openPublicEndpoint(facts), allowAddress(facts)),
        portal: inVaultPortal(
          facts,
          'Settings > Networking > Allow public access from specific virtual networks and IP addresses',
        ),
      }),
    }),
  },
  'access-denied-rbac': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'Access denied: the role is not assigned on the vault or key.',
      cause: `${capital(theVault(facts))} uses Azure role-based access control, and no role allows us what we asked for${because(facts)}.`,
      remedy: remedyOf({
        text:
          `Assign the role ${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}) on ${theKey(facts)} to ` +
          `${thePrincipal(facts)}. It takes effect after 1 to 5 minutes, sometimes 10.`,
        azureCli: assignRole(facts),
        portal:
          `${inKeyPortal(facts, 'Access control (IAM)', 'Add > Add role assignment')}; role: ${ENCRYPTION_USER_ROLE}; ` +
          `member: ${thePrincipal(facts)} (compare the ids: a display name can be copied)`,
      }),
    }),
  },
  'access-denied-policy': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The vault uses access policies, and none gives us get and unwrapKey.',
      cause: `${capital(theVault(facts))} is on the older permission model, in which a policy of the vault must name us${because(facts)}.`,
      remedy: remedyOf({
        text:
          `Either add an access policy with the key permissions Get and Unwrap Key for ${thePrincipal(facts)}, or switch the ` +
          `vault to Azure role-based access control and assign the role ${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}). ` +
          'Switching ends every access policy of the vault, so assign roles to its other users first.',
        azureCli: commandLines(
          ...policyWay(setAccessPolicy(facts)),
          ...rbacWay(switchVaultToRbac(facts), assignRole(facts)),
        ),
        portal:
          `${inVaultPortal(facts, 'Access policies > Create')}; or ` +
          inVaultPortal(facts, 'Settings > Access configuration > Azure role-based access control'),
      }),
    }),
  },
  'vault-error': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: `The vault gave an answer that we do not know${because(facts)}.`,
      cause: `${capital(theVault(facts))} refused for a reason that is not in our catalogue.`,
      remedy: remedyOf({
        text: 'Nothing has been revoked, and we try again by ourselves. If it lasts, tell the vendor the correlation id of this answer.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

/** The two ways out are alternatives: a comment before each keeps anyone from running both. */
const policyWay = (command: string | undefined): (string | undefined)[] =>
  command === undefined ? [] : ['# either: an access policy', command];

const rbacWay = (toRbac: string | undefined, role: string | undefined): (string | undefined)[] =>
  toRbac === undefined || role === undefined ? [] : ['# or: Azure role-based access control', role, toRbac];
