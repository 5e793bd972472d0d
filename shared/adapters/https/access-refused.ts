// Carries a refusal through an SDK's pipeline, which knows only exceptions: thrown where a token or a challenge is asked for, caught by the adapter
// that called the SDK. It never leaves the adapters.
import type { Failure } from '../../domain/failure.ts';

export class AccessRefused extends Error {
  override readonly name = 'AccessRefused';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.code);
    this.failure = failure;
  }
}

/** The refusal inside an SDK's error, however deeply the SDK has wrapped it. */
export function refusalIn(error: unknown): Failure | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_DEPTH; at = at.cause, depth += 1) {
    if (at instanceof AccessRefused) return at.failure;
  }
  return undefined;
}

const MAX_DEPTH = 8;
