// The tenants that are found in a company's data: whose administrators must agree before that data comes under another key. Pure. Which kinds
// there are, and who speaks for each, identity/ registers.
import type { Seal } from './company-key.ts';
import { isResourceId } from './ids.ts';

export interface TenantRef {
  /** Its name in identity's registry. */
  readonly kind: string;
  /** In the one form in which its kind writes and compares it. */
  readonly tenantId: string;
}

export interface Tenant extends TenantRef {
  readonly registeredAt: string;
  /** Of kinds that pin the owner of an id, from its first verification on. */
  readonly pin?: TenantPin;
}

/** Who is behind the id of a tenant: what its service calls this customer and no other. */
export interface TenantPin {
  readonly customerId: string;
  readonly pinnedAt: string;
  readonly seal: Seal;
}

/** Kinds and ids go into row keys as they are, so neither holds the sign that parts a key. */
const TENANT_ID = /^[a-z0-9][a-z0-9.-]{0,252}$/;

/** Whether this can name a tenant. That its kind is registered, and takes the id, was seen before it was stored. */
export const isTenantRef = (ref: { readonly kind: unknown; readonly tenantId: unknown }): ref is TenantRef =>
  typeof ref.kind === 'string' &&
  isResourceId(ref.kind) &&
  typeof ref.tenantId === 'string' &&
  TENANT_ID.test(ref.tenantId);

/** Whether an administrator, named `tenant/person` by their sign-in, is one of this tenant and no other. */
export const isAdminOf = (adminId: string, tenantId: string): boolean =>
  adminId.startsWith(`${tenantId}/`) && adminId.length > tenantId.length + 1;

/** A gate reads all of them, and a commit checks a signature for each. */
export const MAX_TENANTS_PER_COMPANY = 200;
