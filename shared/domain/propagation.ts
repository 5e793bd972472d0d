// For how long a denial may be due to a grant that has not arrived. Pure. We cannot see when a role was granted, so the time counts from consent, or
// from when an admin reported the grant.
import type { Failure } from './failure.ts';

export interface Grant {
  /** When access was last granted, as far as we were told. */
  readonly grantedAt?: string;
  /** When an administrator last consented. */
  readonly consentedAt?: string;
}

/** How a provider judges its own denial: unchanged, or `propagating` while a grant may still be on its way. */
export type ExcuseRecentGrant = (
  found: Failure,
  facts: { readonly grant: Grant; readonly now: Date; readonly propagationMs: number },
) => Failure;

/** When a denial stops being excused; undefined if no grant was ever reported. */
export function propagationEnd(grantedAt: string | undefined, propagationMs: number): Date | undefined {
  const grantedMs = Date.parse(grantedAt ?? '');
  return Number.isNaN(grantedMs) ? undefined : new Date(grantedMs + propagationMs);
}
