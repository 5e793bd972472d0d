// The tenants whose data a company holds: their administrators must agree before that data comes under another key. Pure. identity/ registers which
// kinds of tenants there are, and how their administrators prove who they are.
import type { Seal } from './company-key.ts';
import { isResourceId } from './ids.ts';

export interface TenantRef {
  /** Its name in identity's registry. */
  readonly kind: string;
  /** In the one spelling that its kind stores and compares. */
  readonly tenantId: string;
}

export interface Tenant extends TenantRef {
  readonly registeredAt: string;
  /** For kinds that pin the owner of an id at its first verification. */
  readonly pin?: TenantPin;
}

/** The customer who owns a tenant's id, by the service's own id of that customer. */
export interface TenantPin {
  readonly customerId: string;
  readonly pinnedAt: string;
  readonly seal: Seal;
}

/** Kinds and ids go into row keys unchanged, so neither may hold `|`, which separates their parts. */
const TENANT_ID = /^[a-z0-9][a-z0-9.-]{0,252}$/;

/** Whether this can name a tenant. Its kind and id were checked before it was stored. */
export const isTenantRef = (ref: { readonly kind: unknown; readonly tenantId: unknown }): ref is TenantRef =>
  typeof ref.kind === 'string' &&
  isResourceId(ref.kind) &&
  typeof ref.tenantId === 'string' &&
  TENANT_ID.test(ref.tenantId);

/** Whether an administrator, named `tenant/person` by their sign-in, belongs to this very tenant. */
export const isAdminOf = (adminId: string, tenantId: string): boolean =>
  adminId.startsWith(`${tenantId}/`) && adminId.length > tenantId.length + 1;

/** An approval reads all of them, and a commit checks a signature for each. */
export const MAX_TENANTS_PER_COMPANY = 200;
