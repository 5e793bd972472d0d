// Making a wrap: the public key is fetched, node:crypto wraps here, the seal key signs. The vault is never asked to wrap.
import {
  commitmentTo,
  WRAP_ALGORITHM,
  wrapCompanyKey,
  type CompanyKeyContext,
  type Wrap,
} from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import type { VaultKey, VaultTarget } from '../../domain/provider.ts';
import { ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfWrap } from '../../domain/seal.ts';
import { openWrap, type CompanyKeyOpening } from './open-wrap.ts';
import type { Sealer } from '../../domain/ports.ts';

export interface WrapInput {
  readonly target: VaultTarget;
  /** The version of the target's key to wrap under. */
  readonly vaultKey: VaultKey;
  readonly companyKey: Uint8Array;
  readonly context: CompanyKeyContext;
  /** Of a switch's target, until its end. */
  readonly guard?: true;
}

/** One `sign` call. */
export async function makeWrap(
  sealer: Pick<Sealer, 'sign'>,
  { target, vaultKey, companyKey, context, guard }: WrapInput,
): Promise<Result<Wrap, Failure>> {
  const unsealed = {
    ref: target.ref,
    host: target.host,
    tenantId: target.tenantId,
    keyId: vaultKey.keyId,
    algorithm: WRAP_ALGORITHM,
    // invariants 8 and A15: with the public key, here; no vault is asked to wrap
    ciphertext: wrapCompanyKey({ n: vaultKey.n, e: vaultKey.e, companyKey }).toString('base64url'),
    commitment: commitmentTo(companyKey, context),
    ...present({ guard }),
  } as const;
  const seal = await sealer.sign(sealedBytesOfWrap(context, unsealed));
  return seal.ok ? ok({ ...unsealed, seal: seal.value }) : seal;
}

/**
 * A wrap that was opened through its vault, and holds the company key that it was made of: the commitment is compared. Only such a wrap is ever
 * stored. One `sign`, one `unwrapKey`.
 */
export async function makeProvenWrap(
  deps: CompanyKeyOpening & { readonly sealer: Pick<Sealer, 'sign'> },
  input: WrapInput,
): Promise<Result<Wrap, Failure>> {
  const wrap = await makeWrap(deps.sealer, input);
  if (!wrap.ok) return wrap;
  const back = await openWrap(deps, input.context, wrap.value);
  return back.ok ? wrap : back;
}

/** A guard that has just been opened, as the wrap in force: at the end of its switch. One `sign`, none of a wrap that is in force. */
export async function putInForce(
  sealer: Pick<Sealer, 'sign'>,
  context: CompanyKeyContext,
  wrap: Wrap,
): Promise<Result<Wrap, Failure>> {
  if (!wrap.guard) return ok(wrap);
  const { guard: _over, seal: _before, ...unsealed } = wrap;
  const seal = await sealer.sign(sealedBytesOfWrap(context, unsealed));
  return seal.ok ? ok({ ...unsealed, seal: seal.value }) : seal;
}
