// Rows of tenants and of their administrators' approvals. Pure. Which tenant and which approval comes from a row's place, not from its
// cells, so a copied verification fails its seal.
import { isTenantRef, type Tenant, type TenantPin, type TenantRef } from '../../domain/tenant.ts';
import { notFound } from '../../domain/refusal.ts';
import { sealedBytesOfPin, sealedBytesOfVerification } from '../../domain/seal.ts';
import type { Verification } from '../../domain/verification.ts';
import { count, json, need, optionalText, text, type Cells } from './cells.ts';
import { isRecord } from '../../domain/plain-object.ts';
import type { Row, Rows } from './row.ts';
import { TENANT_PREFIX, tenantRowKey, verificationRowKey, verificationsPrefix } from './row-keys.ts';
import { readSeal } from './seal-cell.ts';

const FORMAT = 1;

export const tenantCells = ({ kind, tenantId, registeredAt, pin }: Tenant): Cells => ({
  format: FORMAT,
  kind,
  tenantId,
  registeredAt,
  pin: pin === undefined ? '' : JSON.stringify(pin),
});

/** Throws MalformedRow: a tenant that cannot be read must not count as absent. */
export function readTenant(cells: Cells, rowKey: string): Tenant {
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

export type TenantPlace = TenantRef & { readonly companyId: string };

export const tenantRow: Row<TenantPlace, Tenant> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: tenantRowKey,
  cells: tenantCells,
  read: (cells, place) => readTenant(cells, tenantRowKey(place)),
  missing: ({ kind, tenantId }) => notFound('tenant', `${kind}/${tenantId}`),
  sealed: (tenant, { companyId }) => {
    const { pin } = tenant;
    return (
      pin && {
        parts: [{ bytes: sealedBytesOfPin(companyId, tenant, pin), seal: pin.seal }],
        with: ([seal = pin.seal]) => ({ ...tenant, pin: { ...pin, seal } }),
        cells: ['pin'],
      }
    );
  },
};

/** In the order of kinds and ids. */
export const tenantsOf: Rows<{ readonly companyId: string }, TenantPlace, Tenant> = {
  row: tenantRow,
  partition: ({ companyId }) => companyId,
  prefix: () => TENANT_PREFIX,
  place: ({ companyId }, rest) => ({ companyId, ...need(tenantOf(`${TENANT_PREFIX}${rest}`), rest, 'kind') }),
};

export const verificationCells = (verification: Verification): Cells => ({
  format: FORMAT,
  destination: verification.destination,
  verifiedAt: verification.verifiedAt,
  customerId: verification.customerId ?? '',
  adminId: verification.adminId,
  adminName: verification.adminName,
  seal: JSON.stringify(verification.seal),
});

/** Undefined if the row cannot be read, which counts as forged. */
export function readVerification(
  cells: Cells,
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

/** One tenant's answer to one approval; `approval` is made by approvalKey. */
export type VerificationPlace = TenantPlace & Pick<Verification, 'approval'>;

export const verificationRow: Row<VerificationPlace, Verification, Verification | undefined> = {
  table: 'companies',
  partition: ({ companyId }) => companyId,
  key: (place) => verificationRowKey(place.approval, place),
  cells: verificationCells,
  read: readVerification,
  sealed: (word, { companyId }) =>
    word && {
      parts: [{ bytes: sealedBytesOfVerification(companyId, word), seal: word.seal }],
      with: ([seal = word.seal]) => ({ ...word, seal }),
      cells: ['seal'],
    },
};

type WordsOf = { readonly companyId: string } & Pick<Verification, 'approval'>;

export const verificationsOf: Rows<WordsOf, VerificationPlace, Verification, Verification | undefined> = {
  row: verificationRow,
  partition: ({ companyId }) => companyId,
  prefix: ({ approval }) => verificationsPrefix(approval),
  place: (within, rest) => ({ ...within, ...(tenantOf(`${TENANT_PREFIX}${rest}`) ?? NO_TENANT) }),
};

/** For all approvals of a company. */
export const verificationsOfCompany: Rows<
  { readonly companyId: string },
  VerificationPlace,
  Verification,
  Verification | undefined
> = {
  row: verificationRow,
  partition: ({ companyId }) => companyId,
  prefix: () => 'verification|',
  place: ({ companyId }, rest) => {
    const parts = rest.split('|');
    const tenant = { kind: parts.at(-2), tenantId: parts.at(-1) };
    const named = isTenantRef(tenant) ? tenant : NO_TENANT;
    return { companyId, approval: parts.slice(0, -2).join('|'), ...named };
  },
};

/** For a row that Keyswitch did not write: no tenant has this id. */
const NO_TENANT: TenantRef = { kind: '', tenantId: '' };

/** Verifications of all approvals with a common prefix: only whether there are any. */
export const verificationsUnder: Rows<
  { readonly companyId: string; readonly approvals: string },
  { readonly companyId: string; readonly key: string },
  never,
  undefined
> = {
  row: {
    table: 'companies',
    partition: ({ companyId }) => companyId,
    key: ({ key }) => key,
    cells: (none) => none,
    read: () => undefined,
  },
  partition: ({ companyId }) => companyId,
  prefix: ({ approvals }) => verificationsPrefix(approvals),
  place: ({ companyId, approvals }, rest) => ({ companyId, key: `${verificationsPrefix(approvals)}${rest}` }),
};
