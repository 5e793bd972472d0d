// Which tenants of a company have not agreed to a switch or an export, and the record of one that does. Only an approval by a tenant's own administrator
// counts, for exactly this switch or export and the vault key that was shown, under the vendor's seal.
import { approvalKey, type Approval } from '../../domain/approval.ts';
import { KEYSWITCH, type Actor } from '../../domain/audit.ts';
import type { Failure } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import type { Sealer } from '../../domain/ports.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfVerification } from '../../domain/seal.ts';
import { isAdminOf, type Tenant, type TenantRef } from '../../domain/tenant.ts';
import { judgeVerification, type Verification } from '../../domain/verification.ts';
import { tenantKind } from '../../identity/registry/tenant-kinds.ts';
import { act } from '../../store/act.ts';
import { list, type Listed } from '../../store/found.ts';
import { recordFailure, type Recording } from '../../store/record-event.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import {
  tenantRow,
  tenantsOf,
  verificationRow,
  verificationsOf,
  type VerificationPlace,
} from '../../store/rows/tenant-rows.ts';
import type { Tables } from '../../store/tables.ts';
import type { Tx } from '../../store/tx.ts';
import { checkSeal, forged, type SealCheck } from '../keys/seals.ts';
import { destinationOf, type DestinationReading } from './destination.ts';
import { judgeSpeaker, pinnedOwner, withPin, type Speaker } from './pin.ts';

export interface VerificationReading extends SealCheck, Recording {
  /** How old a verification may be where its age is asked for. */
  readonly verificationMs: number;
}

export interface Asked {
  readonly companyId: string;
  readonly approval: Approval;
  /** `destinationDigest` of today's. */
  readonly destination: string;
  /** Present where age is judged: at the beginning of a switch, and at an export. */
  readonly now?: Date;
}

/**
 * In the order of their ids. To write because none is left, read the company's row before this and write under its ETag: a tenant comes and goes by
 * merging it (invariant A11). Verifications need no guard: one that counts stays, or a younger one for the same vault key replaces it.
 */
export async function unverifiedTenants(
  deps: VerificationReading,
  asked: Asked,
): Promise<Result<readonly TenantRef[], Failure>> {
  return unverifiedAmong(deps, await listTenants(deps.tables, asked.companyId), asked);
}

/** The same of tenants that were listed already. */
export async function unverifiedAmong(
  deps: VerificationReading,
  tenants: readonly (TenantRef & Partial<Tenant>)[],
  asked: Asked,
): Promise<Result<readonly TenantRef[], Failure>> {
  if (tenants.length === 0) return ok([]);
  const words = await wordsOn(deps.tables, asked);
  const unverified: TenantRef[] = [];
  for (const tenant of tenants) {
    const word = words.get(tenant);
    const counts = word ? await isGood(deps, asked, { tenant, word }) : ok(false);
    if (!counts.ok) return counts;
    if (!counts.value) unverified.push(tenant);
  }
  return ok(unverified);
}

/** Whether one was never verified at all: what a timer can tell without checking a seal. */
export async function lacksVerification(
  tables: Tables,
  tenants: readonly TenantRef[],
  asked: Pick<Asked, 'companyId' | 'approval'>,
): Promise<boolean> {
  if (tenants.length === 0) return false;
  const words = await wordsOn(tables, asked);
  return tenants.some((tenant) => !words.get(tenant));
}

type Word = Listed<VerificationPlace, Verification | undefined>;

async function wordsOn(
  tables: Tables,
  { companyId, approval }: Pick<Asked, 'companyId' | 'approval'>,
): Promise<{ readonly get: (tenant: TenantRef) => Word | undefined }> {
  const within = { companyId, approval: approvalKey(approval) };
  const byKey = new Map((await list(tables, verificationsOf, within)).map((word) => [word.at.rowKey, word]));
  return { get: ({ kind, tenantId }) => byKey.get(verificationRow.key({ ...within, kind, tenantId })) };
}

/** Every tenant of a company, in the order of their ids. */
export const listTenants = async (tables: Tables, companyId: string): Promise<Tenant[]> =>
  (await list(tables, tenantsOf, { companyId })).map(({ value }) => value);

/** Whether a verification counts. A row that Keyswitch did not write is a security event and does not count: the tenant must verify again. */
async function isGood(
  deps: VerificationReading,
  { companyId, destination, now }: Asked,
  { tenant, word }: { readonly tenant: TenantRef & Partial<Tenant>; readonly word: Word },
): Promise<Result<boolean, Failure>> {
  const pinned = await pinnedOwner(deps, word.place, tenant);
  if (!pinned.ok) return notForged(deps, companyId, { word, failure: pinned.error });
  const genuine = await readGenuine(deps, companyId, word);
  if (!genuine.ok) return notForged(deps, companyId, { word, failure: genuine.error });
  if (pinned.value !== undefined && genuine.value.customerId !== pinned.value) return ok(false);
  const age = now && { now, limitMs: deps.verificationMs };
  return ok(judgeVerification(genuine.value, { destination, ...(age ? { age } : {}) }) === 'good');
}

async function notForged(
  deps: VerificationReading,
  companyId: string,
  { word, failure: met }: { readonly word: Word; readonly failure: Failure },
): Promise<Result<boolean, Failure>> {
  if (met.code !== 'row-forged') return err(met);
  await recordFailure(deps, KEYSWITCH, { companyId, target: word.at.rowKey, failure: met });
  return ok(false);
}

async function readGenuine(
  deps: SealCheck,
  companyId: string,
  { at: { rowKey }, value: verification }: Word,
): Promise<Result<Verification, Failure>> {
  if (!verification) return err(forged(deps.log, { companyId, rowKey }));
  if (!isAdminOf(verification.adminId, verification.tenantId)) return err(forged(deps.log, { companyId, rowKey }));
  const bytes = sealedBytesOfVerification(companyId, verification);
  const sealed = await checkSeal(deps, { companyId, rowKey, bytes, seal: verification.seal });
  return sealed.ok ? ok(verification) : sealed;
}

export interface VerificationRecording extends VerificationReading, Omit<DestinationReading, 'tables'> {
  readonly sealer: Sealer;
}

export interface Verified {
  readonly companyId: string;
  readonly approval: Approval;
  readonly kind: string;
  readonly tenantId: string;
  /** `destinationDigest` of what the administrator was shown. */
  readonly destination: string;
  readonly admin: { readonly id: string; readonly name: string } & Speaker;
}

/** What is written in the same transaction, asked for at each attempt anew; a refusal ends it. */
export type Beside = (tx: Tx) => Promise<Result<void, Refusal>>;

/** Records that a tenant's administrator, whose sign-in and role were proved, agreed. Refused if the approval leads elsewhere by now. */
export function recordVerification(
  deps: VerificationRecording,
  verified: Verified,
  actor: Actor,
  beside: Beside = () => Promise.resolve(ok(undefined)),
): Promise<Result<void, Refusal>> {
  const { companyId, approval, kind, tenantId, destination, admin } = verified;
  const place: VerificationPlace = { companyId, kind, tenantId, approval: approvalKey(approval) };
  const speaker: Speaker = present({ customerId: admin.customerId });
  const unsealed: Omit<Verification, 'seal'> = {
    kind,
    tenantId,
    approval: place.approval,
    destination,
    verifiedAt: deps.clock.now().toISOString(),
    ...speaker,
    adminId: admin.id,
    adminName: admin.name,
  };
  const detail = { approval: place.approval, adminId: admin.id, adminName: admin.name, ...speaker };
  const about = { actor, action: 'tenant.verify', companyId, target: tenantRow.key(place), detail };
  return act(deps, about, async (tx) => {
    const company = await tx.need(companyRow, place);
    if (!isAdminOf(admin.id, tenantId)) return err(refusedBy(tenantKind(kind).notItsAdmin(tenantId)));
    const tenant = await tx.need(tenantRow, place);
    const speaks = await judgeSpeaker(deps, place, { tenant: tenant.value, speaker });
    if (!speaks.ok) return err(refusedBy(speaks.error));
    const today = await destinationOf(deps, { companyId, approval });
    if (!today.ok) return today;
    if (today.value.digest !== destination) {
      const message = 'This leads to another vault key than the one that was shown. Ask for a new link.';
      return err({ type: 'state', code: 'destination-changed', message });
    }
    const seal = await deps.sealer.sign(sealedBytesOfVerification(companyId, unsealed));
    if (!seal.ok) return err(refusedBy(seal.error));
    const pinned = await withPin(deps, companyId, { tenant: tenant.value, speaker });
    if (!pinned.ok) return err(refusedBy(pinned.error));
    const held = await tx.find(verificationRow, place);
    // Under the company's row: removing the tenant and pointing the connection elsewhere merge it too (invariant A11).
    tx.guard(company);
    tx.put(verificationRow, place, held, { ...unsealed, seal: seal.value });
    if (pinned.value) tx.replace(tenant, pinned.value);
    return beside(tx);
  });
}
