// The approval of a switch or export by a tenant's own administrator. Pure. Its seal shows whether Keyswitch wrote it, which is checked
// elsewhere.
import type { Seal } from './company-key.ts';
import type { TenantRef } from './tenant.ts';

export interface Verification extends TenantRef {
  /** `approvalKey` of what was approved. */
  readonly approval: string;
  /** `destinationDigest` of what was shown. */
  readonly destination: string;
  readonly verifiedAt: string;
  /** The service's id of the customer who approved, for kinds of tenants that pin it. */
  readonly customerId?: string;
  /** `tenant/person`, as the sign-in named them. */
  readonly adminId: string;
  /** The account's display name; recorded only, proves nothing, and is not sealed. */
  readonly adminName: string;
  readonly seal: Seal;
}

export type Judgement = 'good' | 'other-destination' | 'too-old';

/** Without `age`, a verification that was in time once stays good for as long as what it approved goes on. */
export function judgeVerification(
  verification: Pick<Verification, 'destination' | 'verifiedAt'>,
  today: { readonly destination: string; readonly age?: { readonly now: Date; readonly limitMs: number } },
): Judgement {
  if (verification.destination !== today.destination) return 'other-destination';
  const { age } = today;
  if (!age) return 'good';
  // An unreadable time is too old.
  return age.now.getTime() - Date.parse(verification.verifiedAt) <= age.limitMs ? 'good' : 'too-old';
}
