// Failures of Keyswitch itself, with no provider or directory involved: about its stored rows, and the links that it sends. Pure.
import { catalogue } from './failure-catalogue.ts';
import type { FailureEntry } from './failure.ts';
import { because, capital, lower, remedyOf, theKey, theVault } from './failure-words.ts';

export const STORE_FAILURES = {
  'vault-key-in-use': {
    kind: 'integrity',
    owner: 'vendor',
    isTampering: true,
    words: (facts) => ({
      message: 'This vault key already belongs to another company.',
      cause: `${capital(theKey(facts))} in ${theVault(facts)} protects the data of a company that is not this one${because(facts)}.`,
      remedy: remedyOf({
        text: 'Use a key of your own. If the key is yours, ask the vendor, who can look into the claim.',
      }),
    }),
  },
  'vault-key-unclaimed': {
    kind: 'denied',
    owner: 'vendor',
    words: (facts) =>
      facts.isClaimedByTest === true
        ? {
            owner: 'company-admin',
            message: 'This vault key is not claimed for the company yet.',
            cause: `The first green test of a connection claims its key. ${capital(theKey(facts))} in ${theVault(facts)} has had none, or the vendor has released it since.`,
            remedy: remedyOf({ text: 'Test the connection until it is green.' }),
          }
        : {
            message: 'This vault key is not claimed for the company: its claim was released.',
            cause: `${capital(theKey(facts))} in ${theVault(facts)} was claimed with the connection, and an admin of the vendor has taken the claim away since.`,
            remedy: remedyOf({
              text: 'If it is the company’s key, an admin of the vendor enters the connection again, as it stands: that claims the key anew.',
            }),
          },
  },
  'row-forged': {
    kind: 'integrity',
    owner: 'vendor',
    isTampering: true,
    words: (facts) => ({
      message: 'A stored record does not carry our seal, and is not used.',
      cause: `Somebody wrote to the store past this product, or the seal key was replaced${because(facts)}. Nothing was sent anywhere.`,
      remedy: remedyOf({
        text: 'Find out who can write to the tables, and restore the record or enter it again.',
      }),
    }),
  },
  'counts-differ': {
    kind: 'integrity',
    owner: 'vendor',
    isTampering: true,
    words: (facts) => ({
      message: 'The data keys that were worked on are not as many as there are by the counts.',
      cause: `The store left rows out of a list, or somebody wrote to the tables past this product${because(facts)}. Nothing is given up, and no company key is deleted.`,
      remedy: remedyOf({
        text: 'Retry: the rows are listed anew. If it stays so, a vendor admin has the keyring recounted, which names what is missing.',
      }),
    }),
  },
  'own-network': {
    kind: 'transient',
    owner: 'vendor',
    words: (facts) => ({
      message: 'Keyswitch itself cannot reach vaults at the moment, whosever they are.',
      cause: `Its own network or name resolution fails${because(facts)}. It says nothing about this vault.`,
      remedy: remedyOf({
        text: 'Nothing has been revoked, and we try again by ourselves. The vendor has to look at the DNS servers, private DNS zones and outgoing network of the app.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const NEW_LINK = 'Ask whoever sent the link for a new one.';

export const LINK_FAILURES = {
  'link-unknown': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'This link is not known.',
      cause: 'It was not copied whole, or it expired long ago.',
      remedy: remedyOf({ text: `Copy the whole link. If that does not help: ${lower(NEW_LINK)}` }),
    }),
  },
  'link-expired': {
    kind: 'input',
    owner: 'company-admin',
    words: (facts) => ({
      message: `This link has expired${because(facts)}.`,
      cause:
        'Links serve for a limited time, and only as long as what they ask for stays as it was when they were made.',
      remedy: remedyOf({ text: NEW_LINK }),
    }),
  },
  'link-done': {
    kind: 'input',
    owner: 'company-admin',
    words: () => ({
      message: 'What this link is for has been done already.',
      cause: 'Each link serves once.',
      remedy: remedyOf({ text: `Nothing needs to be done. If it has to be done anew: ${lower(NEW_LINK)}` }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

const DOMAIN_FAILURES = { ...STORE_FAILURES, ...LINK_FAILURES };

declare module './failure.ts' {
  interface FailureAreas {
    readonly domain: typeof DOMAIN_FAILURES;
  }
}

export const { failure } = catalogue(DOMAIN_FAILURES);
