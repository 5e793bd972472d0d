// Failures that operations themselves find in what a provider answers, wherever the key is. Pure. Each provider's folder has its own.
import { catalogue } from '../domain/failure-catalogue.ts';
import type { FailureEntry } from '../domain/failure.ts';
import { because, capital, remedyOf, theVault } from '../domain/failure-words.ts';
import { STORE_FAILURES } from '../domain/failures.ts';

export const ANSWER_FAILURES = {
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
  'key-substituted': {
    kind: 'integrity',
    owner: 'vendor',
    words: (facts) => ({
      message: 'The vault answered for another key than the one that was asked.',
      cause: `The reply names another key, or what it unwrapped is not what was wrapped${because(facts)}.`,
      remedy: remedyOf({
        text: 'Nothing of the reply is used. Find out with the Azure admin what happened to the key.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;

declare module '../domain/failure.ts' {
  interface FailureAreas {
    readonly providers: typeof ANSWER_FAILURES;
  }
}

export const { failure } = catalogue({ ...STORE_FAILURES, ...ANSWER_FAILURES });
