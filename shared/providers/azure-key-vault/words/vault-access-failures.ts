// Failures of being let in by a vault that was reached. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import {
  because,
  capital,
  commandLines,
  explained,
  remedyOf,
  theKey,
  theVault,
} from '../../../domain/failure-words.ts';
import { ENCRYPTION_USER_ROLE, ENCRYPTION_USER_ROLE_ID } from '../../../identity/entra/words/commands.ts';
import { thePrincipal } from '../../../identity/entra/words/names.ts';
import { inKeyPortal, inVaultPortal } from './portal.ts';
import { assignRole, setAccessPolicy, showVault, switchVaultToRbac } from './vault-commands.ts';

export const VAULT_ACCESS_FAILURES = {
  'access-denied-rbac': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) =>
      ofDenyAssignment(facts) ?? {
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
      },
  },
  'access-denied-policy': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The vault uses access policies, and none gives us get and unwrapKey.',
      cause: `${capital(theVault(facts))} is on the older permission model, in which a policy of the vault must name us${because(facts)}.`,
      remedy: remedyOf({
        text:
          `Either add an access policy with the key permissions Get and Unwrap Key for ${thePrincipal(facts)}, or switch the ` +
          `vault to Azure role-based access control and assign the role ${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}). ` +
          'Switching ends every access policy of the vault, so assign roles to its other users first.',
        azureCli: commandLines(
          ...explained('# either: an access policy', setAccessPolicy(facts)),
          ...toRbac(switchVaultToRbac(facts), assignRole(facts)),
        ),
        portal:
          `${inVaultPortal(facts, 'Access policies > Create')}; or ` +
          inVaultPortal(facts, 'Settings > Access configuration > Azure role-based access control'),
      }),
    }),
  },
  'vault-refused': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) =>
      ofOurRequest(facts) ?? {
        message: `The vault refuses us for a reason of its own${because(facts)}.`,
        cause: `${capital(theVault(facts))} refused with a reason that is not in our catalogue; the words are its own.`,
        remedy: remedyOf({
          text: 'Look at what the vault says: its network rules, its access control and the policies above it can refuse us. It does not count as revoked.',
          azureCli: showVault(facts),
          portal: inVaultPortal(facts, 'Settings > Networking, and > Access control (IAM)'),
        }),
      },
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

/** 400 and its relatives are said of what was asked, and would be said again: nothing at the vault can help. */
const OF_REQUEST = /^(?:400|405|406|411|413|414|415|417|426|431) /;

function ofOurRequest(facts: FailureFacts): FailureWords | undefined {
  if (!OF_REQUEST.test(facts.detail ?? '')) return undefined;
  return {
    owner: 'vendor',
    message: `The vault takes our request for a wrong one${because(facts)}.`,
    cause: `${capital(theVault(facts))} refused it with words of its own: asking again would change nothing.`,
    remedy: remedyOf({
      text: 'The vendor looks at what the vault says, and tells the authors of Keyswitch. It does not count as revoked.',
    }),
  };
}

/** A role would not help: deny assignments come first. */
function ofDenyAssignment(facts: FailureFacts): FailureWords | undefined {
  if (facts.denyAssignmentId === undefined) return undefined;
  return {
    message: 'Access denied: a deny assignment blocks us, whatever role is assigned.',
    cause:
      `A deny assignment (${facts.denyAssignmentId}) on ${theVault(facts)} or above it takes precedence over roles. Managed applications ` +
      'and deployment stacks make them.',
    remedy: remedyOf({
      text:
        `Exclude ${thePrincipal(facts)} from it where it was made: in the deny settings of the deployment stack, or by the publisher of ` +
        'the managed application. A deny assignment cannot be edited by itself.',
      portal: inVaultPortal(facts, 'Access control (IAM)', 'Deny assignments'),
    }),
  };
}

/** An alternative, and whole or not at all: without the role the switch would shut us out. */
const toRbac = (update: string | undefined, role: string | undefined): (string | undefined)[] =>
  update === undefined || role === undefined ? [] : ['# or: Azure role-based access control', role, update];
