// Which tenants of a company have not agreed to a switch or an export, and the record of one that does. Nobody's word is taken but that
// of a tenant's own administrator, for exactly this approval and the vault key that was shown, under the vendor's seal.
import { approvalKey, type Approval } from '../../domain/approval.ts';
import { KEYSWITCH, type Actor } from '../../domain/audit.ts';
import { failure } from '../../identity/entra/words/failures.ts';
import type { Failure } from '../../domain/failure.ts';
import { notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import {
  rowKeysUnder,
  TENANT_PREFIX,
  tenantRowKey,
  verificationRowKey,
  verificationsPrefix,
} from '../../store/rows/row-keys.ts';
import { present } from '../../domain/plain-object.ts';
import { readTenant, readVerification, verificationCells } from '../../store/rows/tenant-rows.ts';
import { sealedBytesOfVerification } from '../../domain/seal.ts';
import { isAdminOf, type Tenant, type TenantRef } from '../../domain/tenant.ts';
import { judgeVerification, type Verification } from '../../domain/verification.ts';
import { audited, settleAct, type ActRecord } from '../../store/audited.ts';
import { recordFailure, type Recording } from '../../store/record-event.ts';
import { listAll, loadCompany } from '../../store/control-state.ts';
import { type RowWrite, type StoredRow, type Tables } from '../../store/tables.ts';
import type { Sealer } from '../../domain/ports.ts';
import { undecided, type Undecided } from '../../store/races.ts';
import { checkSeal, forged, type SealCheck } from '../keys/seals.ts';
import { guardCompany } from '../../store/control-writes.ts';
import { judgeSpeaker, loadTenant, pinnedOwner, pinWrites, type Speaker } from './pin.ts';
import { destinationOf, type DestinationReading } from './destination.ts';

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
 * In the order of their ids. Whoever writes on the strength of an empty answer reads the company's row before this and writes under its
 * ETag: tenants come and go by transactions that merge it. Verifications need no such guard. One that counts stays, or is replaced by a
 * younger one for the same vault key, until its switch has ended or its company is removed.
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
  const rows = await verificationRows(deps.tables, asked);
  const unverified: TenantRef[] = [];
  for (const tenant of tenants) {
    const row = rows.get(verificationRowKey(approvalKey(asked.approval), tenant));
    const counts = row ? await isGood(deps, asked, { tenant, row }) : ok(false);
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
  const rows = await verificationRows(tables, asked);
  return tenants.some((tenant) => !rows.has(verificationRowKey(approvalKey(asked.approval), tenant)));
}

async function verificationRows(
  tables: Tables,
  { companyId, approval }: Pick<Asked, 'companyId' | 'approval'>,
): Promise<ReadonlyMap<string, StoredRow>> {
  const range = rowKeysUnder(verificationsPrefix(approvalKey(approval)));
  const rows = await listAll(tables, { table: 'companies', partitionKey: companyId, ...range });
  return new Map(rows.map((row) => [row.rowKey, row]));
}

/** Every tenant of a company, in the order of their ids. */
export async function listTenants(tables: Tables, companyId: string): Promise<Tenant[]> {
  const range = { table: 'companies', partitionKey: companyId, ...rowKeysUnder(TENANT_PREFIX) } as const;
  return (await listAll(tables, range)).map(({ cells, rowKey }) => readTenant(cells, rowKey));
}

/** One that somebody else wrote is a security event, and counts as none: the tenant is verified by verifying it. */
async function isGood(
  deps: VerificationReading,
  asked: Asked,
  { tenant, row }: { readonly tenant: TenantRef & Partial<Tenant>; readonly row: StoredRow },
): Promise<Result<boolean, Failure>> {
  const { companyId, approval, destination, now } = asked;
  const { kind, tenantId } = tenant;
  const place = { kind, tenantId, approval: approvalKey(approval) };
  const pinned = await pinnedOwner(deps, companyId, tenant);
  if (!pinned.ok) return notForged(deps, companyId, { row, failure: pinned.error });
  const genuine = await readGenuine(deps, companyId, { row, verification: readVerification(row.cells, place) });
  if (genuine.ok) {
    if (pinned.value !== undefined && genuine.value.customerId !== pinned.value) return ok(false);
    const age = now && { now, limitMs: deps.verificationMs };
    return ok(judgeVerification(genuine.value, { destination, ...(age ? { age } : {}) }) === 'good');
  }
  return notForged(deps, companyId, { row, failure: genuine.error });
}

async function notForged(
  deps: VerificationReading,
  companyId: string,
  { row, failure: met }: { readonly row: StoredRow; readonly failure: Failure },
): Promise<Result<boolean, Failure>> {
  if (met.code !== 'row-forged') return err(met);
  await recordFailure(deps, KEYSWITCH, { companyId, target: row.rowKey, failure: met });
  return ok(false);
}

async function readGenuine(
  deps: SealCheck,
  companyId: string,
  { row: { rowKey }, verification }: { readonly row: StoredRow; readonly verification: Verification | undefined },
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
export type Beside = () => Promise<Result<readonly RowWrite[], Refusal>>;

/**
 * Records that a tenant's administrator, whose sign-in and role were proved, agreed. Refused if the approval leads elsewhere by now.
 */
export async function recordVerification(
  deps: VerificationRecording,
  verified: Verified,
  actor: Actor,
  beside: Beside = () => Promise.resolve(ok([])),
): Promise<Result<void, Refusal>> {
  const { companyId, approval, kind, tenantId, destination, admin } = verified;
  const unsealed: Omit<Verification, 'seal'> = {
    kind,
    tenantId,
    approval: approvalKey(approval),
    destination,
    verifiedAt: deps.clock.now().toISOString(),
    ...present({ customerId: admin.customerId }),
    adminId: admin.id,
    adminName: admin.name,
  };
  const act = {
    action: 'tenant.verify',
    companyId,
    target: tenantRowKey(verified),
    detail: {
      approval: unsealed.approval,
      adminId: admin.id,
      adminName: admin.name,
      ...present({ customerId: admin.customerId }),
    },
  };
  return audited(deps, actor, act, (record) =>
    settleAct(deps, record, () => recordOnce(deps, verified, { unsealed, record, beside })),
  );
}

async function recordOnce(
  deps: VerificationRecording,
  { companyId, approval, destination }: Verified,
  attempt: { readonly unsealed: Omit<Verification, 'seal'>; readonly record: ActRecord; readonly beside: Beside },
): Promise<Result<void, Refusal> | Undecided> {
  const { unsealed, record, beside } = attempt;
  if (await record.landed()) return ok(undefined);
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return err(notFound('company', companyId));
  if (company.value.state !== 'active') {
    return err({ type: 'state', code: 'company-closing', message: 'The company is being deleted.' });
  }
  const { kind, tenantId } = unsealed;
  if (!isAdminOf(unsealed.adminId, tenantId)) return err(refusedBy(failure('sign-in-wrong-tenant', { tenantId })));
  const tenant = await loadTenant(deps.tables, { companyId, kind, tenantId });
  if (!tenant) return err(notFound('tenant', `${kind}/${tenantId}`));
  const speaks = await judgeSpeaker(deps, companyId, { tenant: tenant.value, speaker: unsealed });
  if (!speaks.ok) return err(refusedBy(speaks.error));
  const today = await destinationOf(deps, { companyId, approval });
  if (!today.ok) return today;
  if (today.value.digest !== destination) {
    const message = 'This leads to another vault key than the one that was shown. Ask for a new link.';
    return err({ type: 'state', code: 'destination-changed', message });
  }
  const seal = await deps.sealer.sign(sealedBytesOfVerification(companyId, unsealed));
  if (!seal.ok) return err(refusedBy(seal.error));
  const pin = await pinWrites(deps, companyId, { tenant, speaker: unsealed });
  if (!pin.ok) return err(refusedBy(pin.error));
  const rowKey = verificationRowKey(unsealed.approval, unsealed);
  const cells = verificationCells({ ...unsealed, seal: seal.value });
  const held = await deps.tables.read('companies', companyId, rowKey);
  const put: RowWrite = held ? { kind: 'replace', rowKey, cells, etag: held.etag } : { kind: 'insert', rowKey, cells };
  // Under the company's row, which whoever removes the tenant or points the connection elsewhere merges too.
  const more = await beside();
  if (!more.ok) return more;
  const written = await record.write('companies', companyId, [guardCompany(company), put, ...pin.value, ...more.value]);
  return written.outcome === 'committed' ? ok(undefined) : undecided(written);
}
