// What becomes of a key over time: its versions expire, are replaced, and are switched off. Pure.
import type { FailureEntry, FailureFacts } from '../../../domain/failure.ts';
import { because, capital, lower, remedyOf, theKey } from '../../../domain/failure-words.ts';
import { inKeyPortal, theVersionStep } from './portal.ts';
import { enableKey, rotateKey } from './vault-commands.ts';

const SERVES_ON =
  'What it has wrapped still needs it until then: the API says when an older version is no longer needed.';

/** `detail` is the time. */
const expiring = (within: string): FailureEntry => ({
  kind: 'warning',
  owner: 'azure-admin',
  words: (facts) => ({
    message: `The key expires within ${within}${because(facts)}.`,
    cause: `${capital(theVersion(facts))} has an expiry date, and no newer version has been made. Azure goes on unwrapping with an expired key, and refuses to wrap with it.`,
    remedy: remedyOf({
      text: `Make a new version: it is followed by itself within ten minutes. Keep the old one enabled. ${SERVES_ON}`,
      azureCli: rotateKey(facts),
      portal: inKeyPortal(facts, 'Rotate now'),
    }),
  }),
});

const rotation = (message: string): FailureEntry => ({
  kind: 'warning',
  owner: 'azure-admin',
  words: (facts) => ({
    message: `${message}${because(facts)}.`,
    cause:
      `${capital(theVersion(facts))} has no newer one, and becomes older than the vendor advises. Its rotation policy cannot be read with the rights ` +
      'that we have, so this is judged by the date of the version alone.',
    remedy: remedyOf({
      text: `Make a new version, or give the key a rotation policy: a new version is followed by itself within ten minutes. ${SERVES_ON}`,
      azureCli: rotateKey(facts),
      portal: inKeyPortal(facts, 'Rotate now'),
    }),
  }),
});

export const VAULT_LIFE_FAILURES = {
  'key-expires-in-a-month': expiring('30 days'),
  'key-expires-in-a-week': expiring('7 days'),
  'key-expires-in-a-day': expiring('one day'),
  'key-rotation-due-in-a-month': rotation('The key is to be rotated within 30 days'),
  'key-rotation-due-in-a-week': rotation('The key is to be rotated within 7 days'),
  'key-rotation-due-in-a-day': rotation('The key is to be rotated within one day'),
  'key-rotation-overdue': rotation('The key has not been rotated for longer than is advised'),
  'key-version-not-followed': {
    kind: 'warning',
    owner: 'azure-admin',
    words: (facts) => ({
      message: 'The key has a newer version that cannot be used.',
      cause: `What is wrapped stays under the version in use, which goes on unwrapping${facts.detail === undefined ? '.' : `: ${lower(facts.detail)}`}`,
      remedy: remedyOf({
        text:
          'Keep the version in use enabled, and make a newer version that can take its place: of the same type, at least as large as the vendor ' +
          'asks for, enabled, in an HSM if the version in use is in one. If you mean this very version, re-key the keyring.',
        azureCli: rotateKey(facts),
        portal: inKeyPortal(facts, 'New version'),
      }),
    }),
  },
  'key-version-disabled': {
    kind: 'denied',
    owner: 'azure-admin',
    revokes: 'at-once',
    words: (facts) => ({
      message: `The version ${facts.keyVersion ?? 'in use'} of the key was disabled too early: it is still in use.`,
      cause:
        `${capital(theKey(facts))} has a newer version${facts.newerVersion === undefined ? '' : `, ${facts.newerVersion}`}. What the older one has ` +
        'wrapped has to be opened with it once more before it is wrapped under the newer one.',
      remedy: remedyOf({
        text: 'Enable the older version again. The newer one is then followed by itself, and the API says when the older one is no longer needed.',
        azureCli: enableKey(facts),
        portal: inKeyPortal(facts, theVersionStep(facts), 'Enabled: Yes > Apply'),
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const theVersion = (facts: FailureFacts): string =>
  facts.keyVersion === undefined ? theKey(facts) : `the version ${facts.keyVersion} of the key`;
