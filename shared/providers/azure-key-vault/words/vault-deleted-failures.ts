// What was deleted: a key, which its vault keeps for a while; one that was purged; a vault, and one that came back without its roles. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { capital, commandLines, explained, remedyOf, theKey, theVault } from '../../../domain/failure-words.ts';
import { ENCRYPTION_USER_ROLE, ENCRYPTION_USER_ROLE_ID } from '../../../identity/entra/words/commands.ts';
import { thePrincipal } from '../../../identity/entra/words/names.ts';
import { inKeyPortal, inVaultPortal } from './portal.ts';
import { assignRole, listKeys, recoverKey, recoverVault, showDeletedVault } from './vault-commands.ts';

export const VAULT_DELETED_FAILURES = {
  'key-not-found': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) =>
      ofReplacedKey(facts) ??
      (facts.keySeen === true
        ? ofKeySeen(facts)
        : {
            message: 'Key not found in the vault.',
            cause: `${capital(theVault(facts))} has no key of this name${keyNamed(facts.keyName)}. It may be mistyped, be the name of a secret, or have been deleted.`,
            remedy: remedyOf({
              text: "Copy the exact name from the vault's list of keys.",
              azureCli: listKeys(facts),
              portal: inVaultPortal(facts, 'Objects > Keys'),
            }),
          }),
  },
  'key-deleted': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: `The key was deleted, and can be recovered${facts.recoverableUntil === undefined ? '' : ` until ${facts.recoverableUntil}`}.`,
      cause: `${capital(theVault(facts))} has ${theKey(facts)} among its deleted keys: it keeps them, with all their versions, until their retention ends or they are purged.`,
      remedy: remedyOf({
        text: 'Recover the key. Everything opens again by itself, with every version. A key of the same name that is made anew does not open what this one wrapped.',
        azureCli: recoverKey(facts),
        portal: inVaultPortal(facts, 'Objects > Keys', 'Manage deleted keys'),
      }),
    }),
  },
  'key-purged': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) =>
      ofReplacedKey(facts) ?? {
        message: 'The key was purged: it is neither in the vault nor among its deleted keys.',
        cause: `Two checks found it so, further apart than Azure takes to delete or recover ${theKey(facts)}. What it wrapped no other key opens.`,
        remedy: remedyOf({
          text: 'Only a backup of the key helps: restore it into the vault, or another of the same subscription and geography under the same address. Without one, what the key protects is lost.',
          portal: inVaultPortal(facts, 'Objects > Keys', 'Restore Backup'),
        }),
      },
  },
  'vault-deleted': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'once-seen-gone',
    words: (facts) => ({
      message: 'The vault was deleted.',
      cause: `${capital(theVault(facts))} was there, and its name is gone. Azure keeps a deleted vault with its keys for 7 to 90 days, and tells only administrators of its subscription until when, or that it was purged.`,
      remedy: remedyOf({
        text: 'Recover the vault, and then assign the role again: Azure deletes role assignments with a vault, and does not restore them. A vault that was purged is gone with its keys.',
        azureCli: commandLines(
          ...explained('# can it be recovered, and until when?', showDeletedVault(facts)),
          ...explained('# if so', recoverVault(facts)),
          ...explained('# and the role, which does not come back with it', assignRole(facts)),
        ),
        portal: 'Azure portal > Key vaults > Manage deleted vaults',
      }),
    }),
  },
  'vault-recovered': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: 'The vault was recovered, and our role did not come back with it.',
      cause: `${capital(theVault(facts))} was deleted and is there again. Azure deletes role assignments with a vault, and does not restore them.`,
      remedy: remedyOf({
        text:
          `Assign the role ${ENCRYPTION_USER_ROLE} (${ENCRYPTION_USER_ROLE_ID}) on ${theKey(facts)} to ${thePrincipal(facts)} again. ` +
          'It takes effect after 1 to 5 minutes, sometimes 10.',
        azureCli: assignRole(facts),
        portal: inKeyPortal(facts, 'Access control (IAM)', 'Add > Add role assignment'),
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

/** It was there, and whether it can be recovered the vault did not say. */
const ofKeySeen = (facts: FailureFacts): FailureWords =>
  facts.notAmongDeleted === true
    ? {
        message: 'Key not found in the vault, nor among its deleted keys.',
        cause: `We have read ${theKey(facts)} in ${theVault(facts)} before. It was purged, unless Azure deletes or recovers it at this moment, which takes seconds: the next check tells.`,
        remedy: remedyOf({
          text: 'Wait for the next check, a minute from now. If the key was purged, only a backup of it helps.',
          portal: inVaultPortal(facts, 'Objects > Keys', 'Manage deleted keys'),
        }),
      }
    : {
        message: 'Key not found in the vault: it was deleted.',
        cause: `We have read ${theKey(facts)} in ${theVault(facts)} before. Whether it can be recovered, the vault did not tell us.`,
        remedy: remedyOf({
          text:
            'Recover the key. A key of the same name that is made anew does not open what the old one wrapped; where there is one, the old ' +
            'key was purged, and only a backup of it helps.',
          azureCli: recoverKey(facts),
          portal: inVaultPortal(facts, 'Objects > Keys', 'Manage deleted keys'),
        }),
      };

/** Azure keeps the name of a deleted key for as long as the key can be recovered. */
function ofReplacedKey(facts: FailureFacts): FailureWords | undefined {
  if (facts.keyReplaced !== true) return undefined;
  const version = facts.keyVersion === undefined ? 'in use' : `${facts.keyVersion}, which is in use,`;
  return {
    message: `Key not found in the vault: the version ${version} is gone, and another key has its name.`,
    cause: `${capital(theKey(facts))} in ${theVault(facts)} was deleted and purged, and made anew. What the old one wrapped the new one does not open.`,
    remedy: remedyOf({
      text:
        'Only a backup of the old key helps, and Azure restores one only while no key has its name: move the new key out of the way, by deleting ' +
        'and purging it if nothing depends on it, and restore the backup. Leave both alone until then.',
      portal: inVaultPortal(facts, 'Objects > Keys', 'Restore Backup'),
    }),
  };
}

const keyNamed = (keyName: string | undefined): string => (keyName === undefined ? '' : ` (${keyName})`);
