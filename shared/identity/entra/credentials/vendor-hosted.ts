// The app's own identity, at a key of a company's own that the vendor hosts. Its tokens are the vendor's tenant's, so they go to vaults of that tenant alone.
import { err } from '../../../domain/result.ts';
import { failure } from '../../../domain/failures.ts';
import type { CredentialKind, CredentialParts } from './credential.ts';
import { VENDOR_HOSTED } from '../credential-kinds.ts';

export const vendorHosted = ({ identity, vendorTenantId }: CredentialParts): CredentialKind => ({
  kind: VENDOR_HOSTED,
  isLetInByTenant: false,
  tokensIn: (tenantId) => (tenantId === vendorTenantId ? identity.ask : () => Promise.resolve(err(ELSEWHERE))),
});

const ELSEWHERE = failure('row-forged', {
  detail: "it leads the app's own identity to another tenant than the vendor's",
});
