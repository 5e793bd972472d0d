// What repeated looks at a customer's vault say about it. Pure. Never mixes up `unreachable` and `revoked`: only a clear no about the key in force
// revokes, and a vault that cannot be reached says nothing about rights.
import type { Failure, FailureCode, FailureOwner, Remedy } from './failure.ts';

export type VaultState = 'healthy' | 'unreachable' | 'revoked';

export interface VaultHealth {
  readonly state: VaultState;
  /** When it entered this state. */
  readonly since: string;
  readonly checkedAt: string;
  readonly lastGoodAt?: string;
  /** Why it is not healthy, and who has to act. */
  readonly code?: FailureCode;
  readonly owner?: FailureOwner;
  readonly message?: string;
  readonly cause?: string;
  readonly remedy?: Remedy;
  /** How many looks in a row ended with this code. */
  readonly repeats: number;
  /** Works today, and may stop: an expiry, a missing purge protection. */
  readonly warnings: readonly FailureCode[];
}

export type Look =
  | { readonly outcome: 'good'; readonly warnings: readonly Failure[] }
  | { readonly outcome: 'failed'; readonly failure: Failure; readonly warnings: readonly Failure[] };

export function afterLook(before: VaultHealth | undefined, look: Look, now: Date): VaultHealth {
  const checkedAt = now.toISOString();
  const warnings = look.warnings.map((warning) => warning.code);
  if (look.outcome === 'good') {
    const since = before?.state === 'healthy' ? before.since : checkedAt;
    return { state: 'healthy', since, checkedAt, lastGoodAt: checkedAt, repeats: 0, warnings };
  }
  const { failure } = look;
  const repeats = before?.code === failure.code ? before.repeats + 1 : 1;
  const state: VaultState = revokes(failure, repeats) ? 'revoked' : 'unreachable';
  return {
    state,
    since: before?.state === state ? before.since : checkedAt,
    checkedAt,
    code: failure.code,
    owner: failure.owner,
    message: failure.message,
    cause: failure.cause,
    remedy: failure.remedy,
    repeats,
    warnings,
    ...(before?.lastGoodAt === undefined ? {} : { lastGoodAt: before.lastGoodAt }),
  };
}

/**
 * A name that does not resolve may be a DNS hiccup, or hidden by the vendor's own network. So it counts as a denial only when it is seen again and
 * DNS, or an answer of the vault, says that it is gone.
 */
function revokes({ kind, owner, revokes: when, facts, service }: Failure, repeats: number): boolean {
  // A denial that the vendor must mend is not the company's no.
  if (kind !== 'denied' || owner === 'vendor' || when === undefined) return false;
  return when === 'at-once' || (repeats > 1 && (facts.nameGone === true || service?.status === 404));
}

/** Whether they differ in more than the time of the last look: only then is it worth a line of history. */
export const isNews = (before: VaultHealth | undefined, after: VaultHealth): boolean =>
  before?.state !== after.state || before.code !== after.code;
