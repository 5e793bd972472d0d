// The wraps that prepare a switch: both company keys under both providers. Each is opened through its vault and compared before it is answered
// (makeProvenWrap).
import type { CompanyKeyContext, CompanyKeyRow, Wrap } from '../../domain/company-key.ts';
import type { Failure } from '../../domain/failure.ts';
import { sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { present } from '../../domain/plain-object.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import type { Clock, Sealer } from '../../domain/ports.ts';
import { failed, type StepFailure } from '../../domain/switch-machine.ts';
import type { Switch, SwitchPlace } from '../../domain/switch.ts';
import type { Loaded } from '../../store/control-state.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { lackOfClaim } from '../connections/vault-claims.ts';
import { inUse, openWrap, targetOf, verifyWrap, wrapInForce, type CompanyKeyOpening } from '../keys/open-wrap.ts';
import { keyRules } from '../keys/key-rules.ts';
import { forged } from '../keys/seals.ts';
import { makeProvenWrap } from '../keys/make-wrap.ts';

export interface Wrapping extends CompanyKeyOpening {
  readonly sealer: Sealer;
  readonly clock: Clock;
}

export const contextOf = (place: SwitchPlace, version: number): CompanyKeyContext => ({
  companyId: place.companyId,
  keyringId: place.keyringId,
  version,
});

export interface NewWraps {
  /** The old company key under the target; none for a re-key, which has no other vault. */
  readonly old: readonly Wrap[];
  readonly next: readonly Wrap[];
}

interface WrapJob {
  readonly context: CompanyKeyContext;
  readonly key: Uint8Array;
}

export async function makeWraps(
  deps: Wrapping,
  place: SwitchPlace,
  control: { readonly sw: Loaded<Switch>; readonly old: Loaded<CompanyKeyRow> },
  nextKey: Uint8Array,
): Promise<Result<NewWraps, StepFailure>> {
  const { source, target, fromVersion, toVersion, kind } = control.sw.value;
  const oldContext = contextOf(place, fromVersion);
  const nextContext = contextOf(place, toVersion);
  const inForce = wrapInForce(control.old.value);
  // Which provider the keyring names is not sealed; a wrap is. So the wrap must agree: otherwise a tampered name could let a re-key move the
  // keyring away from its company's key.
  if (!inForce || !sameProvider(inForce.ref, source)) {
    const rowKey = companyKeyRow.key(oldContext);
    return err(failed(forged(deps.log, { companyId: place.companyId, rowKey }), { side: 'source' }));
  }
  const sealed = await verifyWrap(deps, oldContext, inForce);
  if (!sealed.ok) return err(failed(sealed.error, { side: 'source' }));
  // The newest version of the key in force may be unusable or expired. The version in use still unwraps, and a company must be able to
  // leave it.
  const under =
    kind === 'rekey' ? ({ purpose: 'test' } as const) : ({ purpose: 'in-force', keyId: inForce.keyId } as const);
  const next = { context: nextContext, key: nextKey };
  const underSource = await wrapUnder(deps, { ref: source, ...under, jobs: [next] });
  if (!underSource.ok) return err(failed(underSource.error, { side: 'source' }));
  if (kind === 'rekey') return ok({ old: [], next: underSource.value });

  const unclaimed = await lackOfTargetsClaim(deps, place, target);
  if (unclaimed) return err(failed(unclaimed, { side: 'target' }));
  // invariant A9: straight through the vault, past any cache of keys
  const opened = await openWrap(deps, oldContext, inForce);
  if (!opened.ok) return err(failed(opened.error, { side: 'source' }));
  const oldKey = opened.value.export();
  const jobs = [next, { context: oldContext, key: oldKey }] as const;
  const asGuards = { ref: target, purpose: 'test', jobs, guard: true } as const;
  const underTarget = await wrapUnder(deps, asGuards).finally(() => oldKey.fill(0));
  if (!underTarget.ok) return err(failed(underTarget.error, { side: 'target' }));
  return ok({ old: underTarget.value.slice(1), next: [...underSource.value, ...underTarget.value.slice(0, 1)] });
}

/** Checked again here: the claim may have been released since the switch was verified. */
async function lackOfTargetsClaim(
  deps: Wrapping,
  { companyId }: SwitchPlace,
  ref: ProviderRef,
): Promise<Failure | undefined> {
  if (ref.connectionId === undefined) return undefined;
  const target = await targetOf(deps, { companyId, ref });
  if (!target.ok) return target.error;
  const { host, keyName, credential } = target.value;
  return lackOfClaim(deps, { companyId, host, keyName, credential });
}

/** Wraps company keys under a provider's newest key version, or the version of `keyId`; opens each through the vault and compares. One `get` in all. */
async function wrapUnder(
  deps: Wrapping,
  input: {
    readonly ref: ProviderRef;
    readonly purpose: 'test' | 'in-force';
    readonly keyId?: string;
    readonly jobs: readonly [WrapJob, ...WrapJob[]];
    readonly guard?: true;
  },
): Promise<Result<Wrap[], Failure>> {
  const { ref, purpose, jobs, keyId, guard } = input;
  const target = await targetOf(deps, { companyId: jobs[0].context.companyId, ref });
  if (!target.ok) return target;
  const provider = deps.providers.of(ref);
  const rules = await keyRules(deps, jobs[0].context);
  if (!rules.ok) return rules;
  const read = await provider.read(target.value, { purpose, ...present({ keyId }), ...rules.value });
  if (!read.ok && keyId === undefined) return err(provider.explain(read.error, {}));
  const found = read.ok ? read.value.denials[0] : read.error;
  if (found) return err(keyId === undefined ? found : await inUse(provider, target.value, { found, keyId }));
  if (!read.ok) return read;
  const wraps: Wrap[] = [];
  const place = { target: target.value, key: read.value, ...present({ guard }) };
  const made = jobs.map(({ context, key }) => makeProvenWrap(deps, { ...place, companyKey: key, context }));
  for (const wrap of await Promise.all(made)) {
    if (!wrap.ok) return wrap;
    wraps.push(wrap.value);
  }
  return ok(wraps);
}
