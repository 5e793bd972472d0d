// Whose data Contoso's is, as the vendor finds out: tenants beside its own.
import { DATA_TENANTS } from '../environment/persons.ts';
import type { TenantRef } from './answers.ts';

export interface DataTenant extends TenantRef {
  /** As people call it. */
  readonly shownAs: string;
}

const { europe, research, workspace } = DATA_TENANTS;

const microsoft = ({ tenant, domain }: typeof europe | typeof research): DataTenant => ({
  kind: 'microsoft-365',
  tenantId: tenant,
  shownAs: `Microsoft 365 ${domain}`,
});

export const EUROPE = microsoft(europe);
/** Found when the switch is half-way. */
export const RESEARCH = microsoft(research);
export const WORKSPACE: DataTenant = {
  kind: 'google-workspace',
  tenantId: workspace.tenant,
  shownAs: `Google Workspace ${workspace.domain}`,
};
