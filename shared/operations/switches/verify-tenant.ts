// Records that a tenant's administrator agreed, and resumes a switch that waited only for this tenant.
import type { Approval } from '../../domain/approval.ts';
import type { Actor } from '../../domain/audit.ts';
import type { WorkQueue } from '../../domain/ports.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { Result } from '../../domain/result.ts';
import { StoreUnavailable } from '../../domain/store-unavailable.ts';
import {
  recordVerification,
  unverifiedTenants,
  type Beside,
  type VerificationRecording,
  type Verified,
} from '../tenants/verifications.ts';
import { wakeSwitch } from './messages.ts';

export interface Verifying extends VerificationRecording {
  readonly queue: WorkQueue;
}

/** As recordVerification. */
export async function verifyTenant(
  deps: Verifying,
  verified: Verified,
  actor: Actor,
  beside?: Beside,
): Promise<Result<void, Refusal>> {
  const { approval } = verified;
  const recorded = await recordVerification(deps, verified, actor, beside);
  if (recorded.ok && approval.for === 'switch') await goOnIfLast(deps, verified, approval);
  return recorded;
}

/** If two are last at once, the later one finds no tenant left. */
async function goOnIfLast(
  deps: Verifying,
  { companyId, destination }: Verified,
  approval: Extract<Approval, { readonly for: 'switch' }>,
): Promise<void> {
  const { keyringId, switchId } = approval;
  try {
    const left = await unverifiedTenants(deps, { companyId, approval, destination });
    // If it cannot be told, wake the switch: its worker looks again.
    if (!left.ok || left.value.length === 0) await wakeSwitch(deps, { companyId, keyringId, switchId });
  } catch (error) {
    // The verification is recorded, and the timer finds the switch.
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.write({ level: 'warning', event: 'switch.left-to-timer', detail: { companyId, keyringId, switchId } });
  }
}
