// Connections to keys that the vendor hosts for a company: only the vendor makes, changes or removes one, and the key is claimed with it. A company's key manager
// may do anything to any key of the vault, so the vault is claimed too: each company has one of its own.
import type { Credential } from '../../domain/provider.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { ok, type Result } from '../../domain/result.ts';
import { isHostedByVendor } from '../../identity/registry/tenant-kinds.ts';
import type { Auditing } from '../../store/append.ts';
import { openCompany } from '../../store/control-state.ts';
import { claimsTo, claimVaultKey, lackOfClaim, type VaultKeyName } from './vault-claims.ts';

interface HostedKey extends VaultKeyName {
  readonly companyId: string;
  readonly credential: Credential;
}

/** Undefined if it is no hosted key, or the vendor asks. */
export function refusedToCompany(
  credential: Credential | undefined,
  { companyId, byVendor }: { readonly companyId: string; readonly byVendor?: boolean },
): Refusal | undefined {
  if (credential === undefined || byVendor === true || !isHostedByVendor(credential)) return undefined;
  return { type: 'vendor-admin-only', companyId, message: VENDORS_WORD };
}

const VENDORS_WORD =
  'Only an admin of the vendor may make, change or remove a connection to a key that the vendor hosts. Test it and switch to it as you like.';

/** Of a kind that is claimed with its connection; of any other, nothing is done. Refused if another company has the key, or a key in the same vault. */
export async function claimHosted(
  deps: Auditing,
  { companyId, host, keyName, credential }: HostedKey,
): Promise<Result<void, Refusal>> {
  if (!isHostedByVendor(credential)) return ok(undefined);
  const company = await openCompany(deps.tables, companyId);
  if (!company.ok) return company;
  for (const key of claimsTo({ host, keyName }, credential)) {
    const claimed = await claimVaultKey(deps, { companyId, ...key, byEntry: true });
    if (!claimed.ok) return claimed;
  }
  return ok(undefined);
}

/** Asked before a token is: what consent is for other kinds. */
export const lackOfHostedClaim = async (
  deps: Pick<Auditing, 'tables'>,
  key: HostedKey,
): Promise<Failure | undefined> => (isHostedByVendor(key.credential) ? lackOfClaim(deps, key) : undefined);
