// The word of a tenant's own administrator for one switch or export. Pure. Whether Keyswitch wrote it is told by its seal, which is
// checked elsewhere.
import type { Seal } from './company-key.ts';
import type { TenantRef } from './tenant.ts';

export interface Verification extends TenantRef {
  /** `approvalKey` of what was approved. */
  readonly approval: string;
  /** `destinationDigest` of what was shown. */
  readonly destination: string;
  readonly verifiedAt: string;
  /** Which customer of the service spoke, of kinds that pin it. */
  readonly customerId?: string;
  /** `tenant/person`, as the sign-in named them. */
  readonly adminId: string;
  /** As the account calls itself; for the record, proves nothing, and is not sealed. */
  readonly adminName: string;
  readonly seal: Seal;
}

export type Judgement = 'good' | 'other-destination' | 'too-old';

/** Without an `age` to keep to, a verification that was in time once is good for as long as what it approved goes on. */
export function judgeVerification(
  verification: Pick<Verification, 'destination' | 'verifiedAt'>,
  today: { readonly destination: string; readonly age?: { readonly now: Date; readonly limitMs: number } },
): Judgement {
  if (verification.destination !== today.destination) return 'other-destination';
  const { age } = today;
  if (!age) return 'good';
  // A time that cannot be read is too old.
  return age.now.getTime() - Date.parse(verification.verifiedAt) <= age.limitMs ? 'good' : 'too-old';
}
