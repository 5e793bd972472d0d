// Rows of tenants and of what their administrators approved. Pure. Which tenant, and which approval, is not read from a row but from
// where the row was found: a copied verification then fails its seal.
import { isTenantRef, type Tenant, type TenantPin, type TenantRef } from '../../domain/tenant.ts';
import type { Verification } from '../../domain/verification.ts';
import { count, json, need, optionalText, text, type CellRecord } from './cells.ts';
import { isRecord } from '../../domain/plain-object.ts';
import { TENANT_PREFIX } from './row-keys.ts';
import { readSeal } from './seal-cell.ts';

const FORMAT = 1;

export const tenantCells = ({ kind, tenantId, registeredAt, pin }: Tenant): CellRecord => ({
  format: FORMAT,
  kind,
  tenantId,
  registeredAt,
  pin: pin === undefined ? '' : JSON.stringify(pin),
});

/** Throws MalformedRow: a tenant that cannot be read must not count as none. */
export function readTenant(cells: CellRecord, rowKey: string): Tenant {
  need(count(cells, 'format') === FORMAT ? FORMAT : undefined, rowKey, 'format');
  const tenant = need(tenantOf(rowKey), rowKey, 'kind');
  const registeredAt = need(text(cells, 'registeredAt'), rowKey, 'registeredAt');
  if (optionalText(cells, 'pin') === undefined) return { ...tenant, registeredAt };
  return { ...tenant, registeredAt, pin: need(readPin(json(cells, 'pin')), rowKey, 'pin') };
}

function readPin(value: unknown): TenantPin | undefined {
  if (!isRecord(value)) return undefined;
  const { customerId, pinnedAt } = value;
  const seal = readSeal(value['seal']);
  return typeof customerId === 'string' && typeof pinnedAt === 'string' && seal
    ? { customerId, pinnedAt, seal }
    : undefined;
}

function tenantOf(rowKey: string): TenantRef | undefined {
  const [kind, tenantId, ...more] = rowKey.slice(TENANT_PREFIX.length).split('|');
  const tenant = { kind, tenantId };
  return isTenantRef(tenant) && more.length === 0 ? tenant : undefined;
}

export const verificationCells = (verification: Verification): CellRecord => ({
  format: FORMAT,
  destination: verification.destination,
  verifiedAt: verification.verifiedAt,
  customerId: verification.customerId ?? '',
  adminId: verification.adminId,
  adminName: verification.adminName,
  seal: JSON.stringify(verification.seal),
});

/** Undefined if it cannot be read, which is as good as forged. */
export function readVerification(
  cells: CellRecord,
  place: TenantRef & Pick<Verification, 'approval'>,
): Verification | undefined {
  const destination = text(cells, 'destination');
  const verifiedAt = text(cells, 'verifiedAt');
  const adminId = text(cells, 'adminId');
  const adminName = text(cells, 'adminName');
  const seal = readSeal(json(cells, 'seal'));
  if (destination === undefined || verifiedAt === undefined || adminId === undefined) return undefined;
  if (adminName === undefined || !seal || count(cells, 'format') !== FORMAT) return undefined;
  const { kind, tenantId, approval } = place;
  const customerId = optionalText(cells, 'customerId');
  const read = { kind, tenantId, approval, destination, verifiedAt, adminId, adminName, seal };
  return { ...read, ...(customerId === undefined ? {} : { customerId }) };
}
