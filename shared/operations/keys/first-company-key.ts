// The first company key of a keyring: made here, wrapped under the vendor's own key, sealed, and unwrapped again to see that it
// comes back, before anything is stored. Fills no cache: only what is stored counts.
import { COMPANY_KEY_BYTES, type CompanyKeyContext, type Wrap } from '../../domain/company-key.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, type Result } from '../../domain/result.ts';
import type { CompanyKeyOpening } from './open-wrap.ts';
import type { Entropy, Sealer } from '../../domain/ports.ts';
import type { KeyVaults } from '../../providers/provider.ts';
import { makeProvenWrap } from './wrap-company-key.ts';

export interface FirstCompanyKeyMaking extends CompanyKeyOpening {
  readonly vaults: Pick<KeyVaults, 'readKey' | 'unwrap'>;
  readonly sealer: Sealer;
  readonly entropy: Entropy;
}

/** One `get`, one `sign`, one `unwrapKey`. */
export async function makeFirstCompanyKey(
  deps: FirstCompanyKeyMaking,
  context: CompanyKeyContext,
): Promise<Result<Wrap, Refusal>> {
  const companyKey = deps.entropy.bytes(COMPANY_KEY_BYTES);
  try {
    const target = deps.managedTarget;
    const vaultKey = await deps.vaults.readKey(target);
    if (!vaultKey.ok) return err(refusedBy(vaultKey.error));
    const wrap = await makeProvenWrap(deps, { target, vaultKey: vaultKey.value, companyKey, context });
    return wrap.ok ? wrap : err(refusedBy(wrap.error));
  } finally {
    companyKey.fill(0);
  }
}
