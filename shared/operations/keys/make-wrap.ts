// Makes a wrap: the key's provider wraps the company key, the seal key signs. Only a wrap that its vault has opened again is ever stored.
import { createSecretKey } from 'node:crypto';
import { COMPANY_KEY_BYTES, commitmentTo, type CompanyKeyContext, type Wrap } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { present } from '../../domain/plain-object.ts';
import type { Entropy, Sealer } from '../../domain/ports.ts';
import type { KeyTarget } from '../../domain/provider.ts';
import { refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { sealedBytesOfWrap } from '../../domain/seal.ts';
import type { Providers, ReadKey } from '../../providers/provider.ts';
import { keyRules } from './key-rules.ts';
import { openWrap, type CompanyKeyOpening } from './open-wrap.ts';

export interface WrapMaking {
  readonly providers: Pick<Providers, 'of'>;
  readonly sealer: Pick<Sealer, 'sign'>;
}

export interface WrapInput {
  readonly target: KeyTarget;
  /** The version of the target's key to wrap under. */
  readonly key: ReadKey;
  readonly companyKey: Uint8Array;
  readonly context: CompanyKeyContext;
  /** For a switch's target, until the switch ends. */
  readonly guard?: true;
}

/** One `sign` call. */
export async function makeWrap(
  { providers, sealer }: WrapMaking,
  { target, key, companyKey, context, guard }: WrapInput,
): Promise<Result<Wrap, Failure>> {
  const wrapped = await providers.of(target.ref).wrap(target, key, companyKey);
  if (!wrapped.ok) return wrapped;
  const unsealed = {
    ref: target.ref,
    host: target.host,
    keyName: target.keyName,
    tenantId: target.tenantId,
    ...wrapped.value,
    commitment: commitmentTo(companyKey, context),
    ...present({ guard }),
  } as const;
  const seal = await sealer.sign(sealedBytesOfWrap(context, unsealed));
  return seal.ok ? ok({ ...unsealed, seal: seal.value }) : seal;
}

/**
 * A wrap that was opened again through its vault and holds the company key that it was made from: the commitment is compared. Only such a wrap is ever
 * stored. One `sign`, one `unwrapKey`.
 */
export async function makeProvenWrap(
  deps: CompanyKeyOpening & WrapMaking,
  input: WrapInput,
): Promise<Result<Wrap, Failure>> {
  const wrap = await makeWrap(deps, input);
  if (!wrap.ok) return wrap;
  const back = await openWrap(deps, input.context, wrap.value);
  return back.ok ? wrap : back;
}

/**
 * Makes the first company key of a keyring, under the newest version of a key. Fills no cache: only what is stored counts. One more `get`. The rules for
 * new keys are those of the customer's: the vendor's own key is in force already, for every company.
 */
export async function makeFirstCompanyKey(
  deps: CompanyKeyOpening & WrapMaking & { readonly entropy: Entropy },
  { context, target }: { readonly context: CompanyKeyContext; readonly target: KeyTarget },
): Promise<Result<Wrap, Refusal>> {
  const companyKey = deps.entropy.bytes(COMPANY_KEY_BYTES);
  try {
    const provider = deps.providers.of(target.ref);
    const rules = await keyRules(deps, context);
    if (!rules.ok) return err(refusedBy(rules.error));
    const purpose = provider.isVendors ? 'in-force' : 'test';
    const key = await provider.read(target, { purpose, ...rules.value });
    if (!key.ok) return err(refusedBy(provider.explain(key.error, {})));
    const [unfit] = key.value.denials;
    if (unfit && !provider.isVendors) return err(refusedBy(unfit));
    const wrap = await makeProvenWrap(deps, { target, key: key.value, companyKey, context });
    return wrap.ok ? wrap : err(refusedBy(wrap.error));
  } finally {
    companyKey.fill(0);
  }
}

/** Wraps and unwraps random bytes by a key that protects nothing yet: they must come back unchanged. One `unwrapKey`. */
export async function proveRoundTrip(
  { providers, entropy }: { readonly providers: Pick<Providers, 'of'>; readonly entropy: Entropy },
  target: KeyTarget,
  key: ReadKey,
): Promise<Result<void, { readonly at: 'unwrap' | 'compare'; readonly failure: Failure }>> {
  const provider = providers.of(target.ref);
  const sent = entropy.bytes(COMPANY_KEY_BYTES);
  const expected = createSecretKey(sent);
  const wrapped = await provider.wrap(target, key, sent);
  sent.fill(0);
  if (!wrapped.ok) return err({ at: 'unwrap', failure: wrapped.error });
  const unwrapped = await provider.unwrap(target, wrapped.value);
  if (!unwrapped.ok) return err({ at: 'unwrap', failure: unwrapped.error });
  const isSame = createSecretKey(unwrapped.value).equals(expected);
  unwrapped.value.fill(0);
  if (isSame) return ok(undefined);
  return err({
    at: 'compare',
    failure: provider.substituted(target, 'what came back is not what was wrapped'),
  });
}

/** Turns a guard that was just opened into the wrap in force, at the end of its switch. One `sign`, or none if it is in force already. */
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
