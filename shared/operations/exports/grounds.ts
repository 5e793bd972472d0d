// What permits an export: the allowance of a completed switch, or that every tenant approved this very export. Reads only.
import { approvalKey, exportRoundKey, type Approval } from '../../domain/approval.ts';
import { isAllowed, type ExportState } from '../../domain/export-state.ts';
import { approvedRecipient } from '../../domain/export-recipient.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { list } from '../../store/found.ts';
import { verificationsOf, verificationsUnder } from '../../store/rows/tenant-rows.ts';
import type { Tables } from '../../store/tables.ts';
import { destinationOf, type DestinationReading } from '../tenants/destination.ts';
import { listTenants, unverifiedAmong, type VerificationReading } from '../tenants/verifications.ts';
import type { ExportOrder } from './sealed-export.ts';

export interface GroundsReading extends DestinationReading, VerificationReading {
  readonly tables: Tables;
}

export interface Grounds {
  readonly by: 'allowance' | 'verification';
  /** The state once the grounds are used up. */
  readonly next: ExportState;
}

export async function groundsOf(
  deps: GroundsReading,
  { companyId, keyringId, recipient }: ExportOrder,
  state: ExportState,
): Promise<Result<Grounds, Refusal>> {
  const { round } = state;
  if (isAllowed(state, deps.clock.now())) return ok({ by: 'allowance', next: { round } });
  const approval = { for: 'export', keyringId, round, recipient: approvedRecipient(recipient) } as const;
  const unverified = await countUnverified(deps, companyId, approval);
  if (!unverified.ok) return unverified;
  if (unverified.value === 0) return ok({ by: 'verification', next: { round: round + 1 } });
  if (await namesOtherRecipient(deps.tables, companyId, approval)) {
    const message =
      'This export was approved for another recipient. What every tenant approved names the public key, or that it goes by a passphrase.';
    return err({ type: 'state', code: 'recipient-not-approved', message });
  }
  const remedy =
    unverified.value === 'no tenants'
      ? 'no tenant is registered that could be verified.'
      : `every tenant must be verified anew, and ${unverified.value} of them ${unverified.value === 1 ? 'is' : 'are'} not.`;
  const message = `There is no export left that a switch has allowed. For another one ${remedy}`;
  return err({ type: 'state', code: 'tenants-unverified', message });
}

type ExportApproval = Extract<Approval, { readonly for: 'export' }>;

/** Tenants that have not approved this very export to this very recipient. A company without tenants has no one who could approve it. */
async function countUnverified(
  deps: GroundsReading,
  companyId: string,
  approval: ExportApproval,
): Promise<Result<number | 'no tenants', Refusal>> {
  const tenants = await listTenants(deps.tables, companyId);
  if (tenants.length === 0) return ok('no tenants');
  const destination = await destinationOf(deps, { companyId, approval });
  if (!destination.ok) return destination;
  const asked = { companyId, approval, destination: destination.value.digest, now: deps.clock.now() };
  const unverified = await unverifiedAmong(deps, tenants, asked);
  return unverified.ok ? ok(unverified.value.length) : err(refusedBy(unverified.error));
}

/** For the words of a refusal only: seals are not checked. */
async function namesOtherRecipient(tables: Tables, companyId: string, approval: ExportApproval): Promise<boolean> {
  const rows = await list(tables, verificationsUnder, { companyId, approvals: exportRoundKey(approval) });
  const own = verificationsOf.prefix({ companyId, approval: approvalKey(approval) });
  return rows.some(({ at }) => !at.rowKey.startsWith(own));
}
