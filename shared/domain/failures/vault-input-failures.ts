// Failures of what was typed: nothing was sent anywhere. Pure.
import { ENCRYPTION_USER_ROLE } from './azure-commands.ts';
import type { FailureEntry } from './failure-entry.ts';
import { because, inVaultPortal, remedyOf } from './remedy.ts';

const baseUriOf = (uri: string | undefined): string => uri ?? 'https://your-vault-name.vault.azure.net';

export const VAULT_INPUT_FAILURES = {
  'vault-uri-contains-key-path': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message:
        "The URI appears to contain the key path. Use only the vault's base URI and put the key name in its own field.",
      cause: 'The whole address of a key was given where only the address of its vault belongs.',
      remedy: remedyOf({
        text:
          facts.suggestedVaultUri === undefined
            ? "Enter only the vault's base URI, and the key's name in its own field."
            : `Vault URI: ${facts.suggestedVaultUri}` +
              (facts.suggestedKeyName === undefined ? '' : `, key name: ${facts.suggestedKeyName}`),
      }),
    }),
  },
  'vault-uri-is-secret': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The URI appears to point to a secret. Secrets and keys are different things in Azure Key Vault.',
      cause: 'The address of a secret or a certificate was given. Neither can protect a company key.',
      remedy: remedyOf({
        text: `In the vault, open Keys (not Secrets or Certificates), choose an RSA key, and enter the vault's base URI ${
          facts.suggestedVaultUri ?? ''
        }`
          .trimEnd()
          .concat(" and the key's name."),
        portal: inVaultPortal(facts, 'Objects > Keys'),
      }),
    }),
  },
  'vault-uri-invalid': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The vault URI is not valid${because(facts)}.`,
      cause: 'A vault URI is https, the name of the vault and the suffix of its cloud, and nothing else.',
      remedy: remedyOf({
        text: `Copy the Vault URI from the vault's overview; it looks like ${baseUriOf(facts.suggestedVaultUri)}.`,
        portal: inVaultPortal(facts, 'Overview > Vault URI'),
      }),
    }),
  },
  'vault-host-not-allowed': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `This is not the address of a vault that we may use${because(facts)}.`,
      cause:
        'Only vaults directly below the suffixes that the vendor allows are called, so that nobody can point us elsewhere.',
      remedy: remedyOf({
        text: "Copy the Vault URI from the vault's overview. It is one name before the suffix of Azure Key Vault, without anything in between.",
        portal: inVaultPortal(facts, 'Overview > Vault URI'),
      }),
    }),
  },
  'key-name-invalid': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The key name is not valid${because(facts)}.`,
      cause:
        'The name of a key is 1 to 127 letters, digits and dashes, without the address of its vault and without a version.',
      remedy: remedyOf({
        text: "Copy the exact name from the vault's list of keys.",
        portal: inVaultPortal(facts, 'Objects > Keys'),
      }),
    }),
  },
  'consent-declined': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The administrator who signed in declined the consent.',
      cause: 'Microsoft reports that consent was asked for and not given.',
      remedy: remedyOf({
        text:
          'Open the consent link again, sign in as Global Administrator or Privileged Role Administrator, and accept. ' +
          `Consent alone gives no access to any key: that takes the role ${ENCRYPTION_USER_ROLE} on the key.`,
      }),
    }),
  },
  'admin-role-missing': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The user who signed in is neither Global Administrator nor Privileged Role Administrator.',
      cause:
        'Only these two roles can consent for a whole tenant. A role that Privileged Identity Management offers counts only once it is activated.',
      remedy: remedyOf({
        text: 'Send the link to an administrator who holds one of the two roles, or activate the role first.',
        portal: 'Microsoft Entra admin center > Users > All users > the user > Assigned roles',
      }),
    }),
  },
  'google-not-super-admin': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'The user who signed in is not a Super Admin of the Google Workspace.',
      cause: 'A delegated administrator cannot show that the company owns the Workspace.',
      remedy: remedyOf({
        text: 'Ask a Super Admin to open the link.',
        portal: 'Google admin console > Account > Admin roles > Super Admin',
      }),
    }),
  },
  'google-wrong-domain': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `The user who signed in belongs to another Google Workspace than the one to be verified${because(facts)}.`,
      cause:
        "The domain in Google's answer differs from the registered one, or the account belongs to no Workspace at all.",
      remedy: remedyOf({
        text: 'Sign out of Google, open the link again, and sign in with an account of that domain.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
