// What the catalogue holds of one failure code. Types only.
import type { FailureFacts, FailureKind, FailureOwner, Remedy } from './failure.ts';

export interface FailureWords {
  /** One sentence. */
  readonly message: string;
  readonly cause: string;
  readonly remedy: Remedy;
  /** Where the facts make it somebody else's move. */
  readonly owner?: FailureOwner;
}

export interface FailureEntry {
  /** What it is until an operation knows better: a fresh grant makes a denial `propagating`, a key in force a `warning`. */
  readonly kind: FailureKind;
  readonly owner: FailureOwner;
  /** Fills in the names that are known. A command that would need an unknown name is left out. */
  readonly words: (facts: FailureFacts) => FailureWords;
}
