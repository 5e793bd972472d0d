// The vendor's own vault fails like any other, and for the same reasons: only whose move it is differs, and what its seal key needs. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { because, capital, remedyOf, theKey } from '../../../domain/failure-words.ts';
import { thePrincipal } from '../../../identity/entra/words/names.ts';
import { inKeyPortal, inVaultPortal } from './portal.ts';
import {
  allowSigning,
  assignRole,
  createSealKey,
  CRYPTO_USER_ROLE,
  CRYPTO_USER_ROLE_ID,
  setAccessPolicy,
} from './vault-commands.ts';

/** The same entries, which fill in the vendor's words where the vault is the vendor's own. */
export const withOwnVault = <Code extends string>(
  entries: Readonly<Record<Code, FailureEntry>>,
): Readonly<Record<Code, FailureEntry>> =>
  Object.fromEntries(
    Object.entries<FailureEntry>(entries).map(([code, entry]) => [
      code,
      {
        ...entry,
        words: (facts: FailureFacts) =>
          facts.ownVault === undefined ? entry.words(facts) : wordsOfOwnVault(code, entry.words(facts), facts),
      },
    ]),
  ) as Record<Code, FailureEntry>;

function wordsOfOwnVault(code: string, words: FailureWords, facts: FailureFacts): FailureWords {
  const { message, cause, remedy } = (facts.ownVault === 'seal-key' ? OF_SEAL_KEY[code]?.(facts) : undefined) ?? words;
  return {
    owner: 'vendor',
    message: `The vendor's own vault fails: ${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    cause,
    remedy: { ...remedy, text: `Nothing is for the company to do: the vendor mends its own vault. ${remedy.text}` },
  };
}

/** It is of another type than keys that wrap, and is asked to sign. */
const OF_SEAL_KEY: Readonly<Partial<Record<string, (facts: FailureFacts) => FailureWords>>> = {
  'access-denied-rbac': (facts) => ({
    message: 'Access denied: no role lets the app sign with its seal key.',
    cause: `What Keyswitch stores is signed with ${theKey(facts)}, and the app's identity may not do that${because(facts)}.`,
    remedy: remedyOf({
      text: `Assign the role ${CRYPTO_USER_ROLE} (${CRYPTO_USER_ROLE_ID}) on ${theKey(facts)} to ${thePrincipal(facts)}.`,
      azureCli: assignRole(facts, CRYPTO_USER_ROLE_ID),
      portal: inKeyPortal(facts, 'Access control (IAM)', 'Add > Add role assignment'),
    }),
  }),
  'access-denied-policy': (facts) => ({
    message: 'No access policy lets the app sign with its seal key.',
    cause: `What Keyswitch stores is signed with ${theKey(facts)}, and the app's identity may not do that${because(facts)}.`,
    remedy: remedyOf({
      text: `Add an access policy with the key permissions Get, Unwrap Key and Sign for ${thePrincipal(facts)}.`,
      azureCli: setAccessPolicy(facts, 'get unwrapKey sign'),
      portal: inVaultPortal(facts, 'Access policies > Create'),
    }),
  }),
  'key-type-unsupported': (facts) => ({
    message: 'The seal key is no EC key of the curve P-256.',
    cause: 'Seals are signatures by ES256, which only such a key can make.',
    remedy: remedyOf({
      text: 'Make the seal key an EC key of the curve P-256.',
      azureCli: createSealKey(facts),
      portal: inKeyPortal(facts, 'New version', 'Key type: EC', 'Elliptic curve name: P-256'),
    }),
  }),
  'key-operation-not-permitted': (facts) => ({
    message: "The seal key's permitted operations do not include sign.",
    cause: `${capital(theKey(facts))} is there, but may not sign${because(facts)}.`,
    remedy: remedyOf({
      text: 'Permit Sign and Verify for the key.',
      azureCli: allowSigning(facts),
      portal: inKeyPortal(facts, 'Permitted operations: Sign, Verify > Apply'),
    }),
  }),
};
