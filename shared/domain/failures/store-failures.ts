// Words for what Keyswitch finds wrong in its own tables.
import type { FailureEntry } from '../failure-entry.ts';
import { because, remedyOf } from '../remedy.ts';

export const STORE_FAILURES = {
  'counts-differ': {
    kind: 'integrity',
    owner: 'vendor',
    words: (facts) => ({
      message: 'The data keys that were worked on are not as many as there are by the counts.',
      cause: `The store left rows out of a list, or somebody wrote to the tables past this product${because(facts)}. Nothing is given up, and no company key is deleted.`,
      remedy: remedyOf({
        text: 'Retry: the rows are listed anew. If it stays so, a vendor admin has the keyring recounted, which names what is missing.',
      }),
    }),
  },
} as const satisfies Record<string, FailureEntry>;
