// Failures of the key itself, and of a vault that answers for another one. Pure.
import type { FailureEntry, FailureFacts, FailureWords } from '../../../domain/failure.ts';
import { because, capital, remedyOf, theKey, theVault } from '../../../domain/failure-words.ts';
import { inKeyPortal, inVaultPortal, theVersionStep } from './portal.ts';
import {
  allowUnwrap,
  createRsaKey,
  enableKey,
  makeKeyValidNow,
  protectFromPurge,
  rotateKey,
  rsaType,
} from './vault-commands.ts';

/** `detail` of key-expired and key-not-yet-valid when the vault itself refused: Azure does not, outside a key's dates (docs/azure.md). */
export const REFUSED_BY_VAULT = 'the vault refuses to use it';

export const VAULT_KEY_FAILURES = {
  'key-disabled': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message:
        facts.keyVersion === undefined
          ? 'The key is disabled.'
          : `The version ${facts.keyVersion} of the key is disabled.`,
      cause: `${capital(theKey(facts))} is there, but somebody has switched it off${because(facts)}.`,
      remedy: remedyOf({
        text:
          facts.keyVersion === undefined
            ? 'Enable the key. If an older version is in use, that version must be enabled too.'
            : `Enable this version, ${facts.keyVersion}: what it has wrapped no other version opens.`,
        azureCli: enableKey(facts),
        portal: inKeyPortal(facts, theVersionStep(facts), 'Enabled: Yes > Apply'),
      }),
    }),
  },
  'key-expired': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) =>
      ofExpiredVersion(facts) ?? {
        message: `The key has expired${because(facts)}.`,
        cause:
          facts.detail === REFUSED_BY_VAULT
            ? 'Its expiry has passed, and the vault refuses operations with it.'
            : 'Azure still unwraps with an expired key, but a key that is being set up must be one that Azure would wrap with.',
        remedy: remedyOf({
          text: 'Give the key a new version, or set a later expiry. Keep the old version enabled: what it wrapped still needs it.',
          azureCli: facts.detail === REFUSED_BY_VAULT ? undefined : rotateKey(facts),
          portal: inKeyPortal(facts, 'Rotate now'),
        }),
      },
  },
  'key-not-yet-valid': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: `The key is not valid yet${because(facts)}.`,
      cause: 'Its activation date lies ahead, and until then Azure would refuse to wrap with it.',
      remedy: remedyOf({
        text: 'Wait for the date, or set the activation date to now.',
        azureCli: makeKeyValidNow(facts),
        portal: inKeyPortal(facts, theVersionStep(facts), 'Set activation date > Apply'),
      }),
    }),
  },
  'key-purgeable': {
    kind: 'warning',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'Purge protection is off: a purged key is data lost for good.',
      cause: `Anybody with the right to purge in ${theVault(facts)} can destroy the key beyond recovery.`,
      remedy: remedyOf({
        text: 'Switch purge protection on. It cannot be switched off again.',
        azureCli: protectFromPurge(facts),
        portal: inVaultPortal(facts, 'Settings > Properties > Enable purge protection'),
      }),
    }),
  },
  'key-type-unsupported': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: `The key is not an RSA key${because(facts)}.`,
      cause: 'A company key is wrapped with RSA-OAEP-256, which only keys of the types RSA and RSA-HSM can do.',
      remedy: remedyOf({
        text: 'Make an RSA key under a name of its own, and enter that name.',
        azureCli: createRsaKey(withRsaName(facts)),
        portal: inVaultPortal(facts, 'Objects > Keys', 'Generate/Import', `Key type: ${rsaType(facts)}`),
      }),
    }),
  },
  'key-too-small': {
    kind: 'denied',
    owner: 'azure-admin',
    words: (facts) => ({
      message: `The key is smaller than is allowed${because(facts)}.`,
      cause:
        'The vendor sets the least number of bits that an RSA key must have, and the policy of the company may ask for more.',
      remedy: remedyOf({
        text:
          facts.keyVersion === undefined
            ? 'Make a larger key: a new version under the same name will do.'
            : 'Make a larger key: a new version under the same name will do, which is followed by itself. Keep this version enabled until the API says that it is no longer needed.',
        azureCli: createRsaKey(facts),
        portal: inKeyPortal(facts, 'New version', `Key type: ${rsaType(facts)}`, 'RSA key size: 4096'),
      }),
    }),
  },
  'key-operation-not-permitted': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) =>
      ofKeyExchangeKey(facts) ?? {
        message: "The key's permitted operations do not include unwrapKey.",
        cause: `A key lists what it may be used for, whatever roles anybody has${because(facts)}.`,
        remedy: remedyOf({
          text:
            facts.keyVersion === undefined
              ? 'Permit Unwrap Key for this key.'
              : `Permit Unwrap Key for the version ${facts.keyVersion}.`,
          azureCli: allowUnwrap(facts),
          portal: inKeyPortal(facts, theVersionStep(facts), 'Permitted operations: Unwrap Key > Apply'),
        }),
      },
  },
  'key-substituted': {
    kind: 'integrity',
    owner: 'vendor',
    isTampering: true,
    words: (facts) => ({
      message: 'The vault answered for another key than the one that was asked.',
      cause: `The reply names another key, or what it unwrapped is not what was wrapped${because(facts)}.`,
      remedy: remedyOf({
        text: 'Nothing of the reply is used. Find out with the Azure admin what happened to the key.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

/** A new version alone changes nothing for what this one has wrapped. */
function ofExpiredVersion(facts: FailureFacts): FailureWords | undefined {
  const { keyVersion } = facts;
  if (keyVersion === undefined || facts.detail === REFUSED_BY_VAULT) return undefined;
  return {
    message: `The version ${keyVersion} of the key has expired${because(facts)}.`,
    cause: 'Azure goes on unwrapping with an expired key, and refuses to wrap with it.',
    remedy: remedyOf({
      text:
        'Give the key a new version, which is followed by itself; or set a later expiry for this one. ' +
        'Keep this version enabled until the API says that it is no longer needed: what it has wrapped no other version opens.',
      portal: inKeyPortal(facts, keyVersion, 'Set expiration date > Apply'),
    }),
  };
}

/** Azure refuses `import` beside any other operation: nothing can be permitted to such a key, and it is not the one that is meant. */
function ofKeyExchangeKey(facts: FailureFacts): FailureWords | undefined {
  if (facts.onlyImports !== true) return undefined;
  return {
    message: "The key's permitted operations do not include unwrapKey.",
    cause: `${capital(theKey(facts))} is a key exchange key: it brings keys from outside into the vault, and Azure lets it do nothing else.`,
    remedy: remedyOf({
      text: 'This is a key exchange key for imports; enter the name of the key that you imported with it.',
      portal: inVaultPortal(facts, 'Objects > Keys'),
    }),
  };
}

const MAX_KEY_NAME_CHARACTERS = 127;

/** A key of another type keeps its name: Azure would make an RSA version under it, and the owner may not want that. */
const withRsaName = <T extends { readonly keyName?: string }>(facts: T): T =>
  facts.keyName === undefined
    ? facts
    : { ...facts, keyName: `${facts.keyName.slice(0, MAX_KEY_NAME_CHARACTERS - '-rsa'.length)}-rsa` };
