// Failures of what was typed: nothing was sent anywhere. Pure.
import type { FailureEntry, FailureFacts } from '../../../domain/failure.ts';
import { because, remedyOf } from '../../../domain/failure-words.ts';
import { inVaultPortal } from './portal.ts';

/** The two values in their own fields, as far as they are known; undefined if neither is. */
function fieldsOf({ suggestedVaultUri: uri, suggestedKeyName: name }: FailureFacts): string | undefined {
  const fields = [
    ...(uri === undefined ? [] : [`Vault URI: ${uri}`]),
    ...(name === undefined ? [] : [`${uri === undefined ? 'Key' : 'key'} name: ${name}`]),
  ];
  return fields.length === 0 ? undefined : fields.join(', ');
}

const probably = (facts: FailureFacts): string => {
  const fields = fieldsOf(facts);
  return fields === undefined ? '' : ` Probably meant: ${fields}.`;
};

/** What else is wrong with the text. */
const besides = (facts: FailureFacts): string => (facts.detail === undefined ? '' : `; besides, ${facts.detail}`);

export const VAULT_INPUT_FAILURES = {
  'vault-uri-contains-key-path': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message:
        "The URI appears to contain the key path. Use only the vault's base URI and put the key name in its own field.",
      cause: `The whole address of a key was given where only the address of its vault belongs${besides(facts)}.`,
      remedy: remedyOf({
        text: fieldsOf(facts) ?? "Enter only the vault's base URI, and the key's name in its own field.",
      }),
    }),
  },
  'vault-uri-is-secret': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: 'The URI appears to point to a secret. Secrets and keys are different things in Azure Key Vault.',
      cause: `The address of a secret or a certificate was given, and neither can protect a company key${besides(facts)}.`,
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
        text:
          fieldsOf(facts) === undefined
            ? "Copy the Vault URI from the vault's overview; it looks like https://your-vault-name.vault.azure.net."
            : `Copy the Vault URI from the vault's overview.${probably(facts)}`,
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
        text: `Copy the Vault URI from the vault's overview. It is one name before the suffix of Azure Key Vault, without anything in between.${probably(facts)}`,
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
        text: `Copy the exact name from the vault's list of keys.${probably(facts)}`,
        portal: inVaultPortal(facts, 'Objects > Keys'),
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
