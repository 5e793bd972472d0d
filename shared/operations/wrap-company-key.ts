// Making a wrap: the public key is fetched, node:crypto wraps here, the seal key signs. The vault is never asked to wrap.
import { WRAP_ALGORITHM, wrapCompanyKey, type CompanyKeyContext, type Wrap } from '../domain/company-key.ts';
import type { Failure } from '../domain/failure.ts';
import type { VaultKey, VaultTarget } from '../domain/provider.ts';
import { ok, type Result } from '../domain/result.ts';
import { sealedBytesOfWrap } from '../domain/seal.ts';
import type { Sealer } from './ports.ts';

/** `vaultKey` is the version of the target's key to wrap under. One `sign` call. */
export async function makeWrap(
  sealer: Pick<Sealer, 'sign'>,
  input: {
    readonly target: VaultTarget;
    readonly vaultKey: VaultKey;
    readonly companyKey: Uint8Array;
    readonly context: CompanyKeyContext;
  },
): Promise<Result<Wrap, Failure>> {
  const { target, vaultKey, companyKey, context } = input;
  const ciphertext = wrapCompanyKey({ n: vaultKey.n, e: vaultKey.e, companyKey, context }).toString('base64url');
  const unsealed = {
    ref: target.ref,
    host: target.host,
    tenantId: target.tenantId,
    keyId: vaultKey.keyId,
    algorithm: WRAP_ALGORITHM,
    ciphertext,
  } as const;
  const seal = await sealer.sign(sealedBytesOfWrap(context, unsealed));
  return seal.ok ? ok({ ...unsealed, seal: seal.value }) : seal;
}
