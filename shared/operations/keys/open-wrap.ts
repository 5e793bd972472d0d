// Opening a company key through one of its wraps: seal, target, vault, commitment. No cache here. Everything that decides where
// the wrapped key is sent is checked before anything is sent.
import type { KeyObject } from 'node:crypto';
import { openCompanyKey, type CompanyKeyContext, type CompanyKeyRow, type Wrap } from '../../domain/company-key.ts';
import { hasBeenOf } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { providerName, sameProvider, type KeyTarget, type ProviderRef } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfWrap } from '../../domain/seal.ts';
import { loadCompanyKeyRow, type Found } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { KeyProvider, KnownProviders, Providers } from '../../providers/provider.ts';
import { checkSeal, forged, type SealCheck } from './seals.ts';
import { loadTarget } from './verified-connection.ts';

/** What it takes to tell where a key is. Asks nobody but the seal key. */
export interface TargetReading extends SealCheck {
  readonly tables: Tables;
  readonly providers: KnownProviders;
}

export interface CompanyKeyOpening extends TargetReading {
  readonly providers: Providers;
}

/** The row as stored, readable; `undefined` if there is none (a commit or a roll-back ended it). */
export async function loadReadableCompanyKey(
  opening: CompanyKeyOpening,
  context: CompanyKeyContext,
): Promise<Result<Found<CompanyKeyRow> | undefined, Failure>> {
  const row = await loadCompanyKeyRow(opening.tables, context);
  if (!row) return ok(undefined);
  if (!row.value) return err(forged(opening.log, placeOf(context)));
  return ok({ ...row, value: row.value });
}

/** What callers use. That it is no guard is sealed: a switch's other vault serves nobody before its end. */
export const wrapInForce = (row: CompanyKeyRow): Wrap | undefined => row.wraps.find((wrap) => wrap.guard !== true);

export const wrapOf = (row: CompanyKeyRow, ref: ProviderRef): Wrap | undefined =>
  row.wraps.find((wrap) => sameProvider(wrap.ref, ref));

const placeOf = (context: CompanyKeyContext): { companyId: string; rowKey: string } => ({
  companyId: context.companyId,
  rowKey: companyKeyRow.key(context),
});

/** The vault and key that a reference names: the settings' own, or a verified connection's. Of another provider than these it is forged. */
export async function targetOf(
  opening: TargetReading,
  { companyId, ref }: { readonly companyId: string; readonly ref: ProviderRef },
): Promise<Result<KeyTarget, Failure>> {
  const { connectionId } = ref;
  const target =
    connectionId === undefined ? ok(opening.providers.vendor) : await loadTarget(opening, { companyId, connectionId });
  if (!target.ok || sameProvider(target.value.ref, ref)) return target;
  return err(forged(opening.log, { companyId, rowKey: providerName(ref) }));
}

/** Checks a wrap's seal and that it leads where its provider's own vault and key are. Sends nothing. */
export async function verifyWrap(
  opening: TargetReading,
  context: CompanyKeyContext,
  wrap: Wrap,
): Promise<Result<KeyTarget, Failure>> {
  const seal = await checkSeal(opening, {
    ...placeOf(context),
    bytes: sealedBytesOfWrap(context, wrap),
    seal: wrap.seal,
  });
  if (!seal.ok) return seal;
  const target = await targetOf(opening, { companyId: context.companyId, ref: wrap.ref });
  if (!target.ok) return target;
  const leadsThere =
    opening.providers.of(wrap.ref).isVersion(target.value, wrap.keyId) &&
    wrap.host === target.value.host &&
    // The vendor's own vault is where the settings say, whichever tenant it was moved to.
    (wrap.ref.connectionId === undefined || hasBeenOf(target.value, wrap.tenantId));
  return leadsThere ? target : err(forged(opening.log, placeOf(context)));
}

/** The company key that the wrap commits to. One `unwrapKey` if the seal holds, no call at all if it does not. */
export async function openWrap(
  opening: CompanyKeyOpening,
  context: CompanyKeyContext,
  wrap: Wrap,
): Promise<Result<KeyObject, Failure>> {
  // invariants 6 and A16: nothing is sent before the seal is verified
  const target = await verifyWrap(opening, context, wrap);
  return target.ok ? openThrough(opening, target.value, { context, wrap }) : target;
}

/** The same of a wrap that has been verified, through a vault that was found for it. */
export async function openThrough(
  opening: CompanyKeyOpening,
  target: KeyTarget,
  { context, wrap }: { readonly context: CompanyKeyContext; readonly wrap: Wrap },
): Promise<Result<KeyObject, Failure>> {
  const provider = opening.providers.of(target.ref);
  const unwrapped = await provider.unwrap(target, wrap);
  if (!unwrapped.ok) return err(await inUse(provider, target, { found: unwrapped.error, keyId: wrap.keyId }));
  const key = openCompanyKey(unwrapped.value, { ...context, commitment: wrap.commitment });
  if (key) return ok(key);
  opening.log.write({ level: 'error', event: 'security.key-substituted', detail: { ...placeOf(context) } });
  return err(provider.substituted(target));
}

/**
 * What a refusal means for the version in use that it is about. One that is not there is told from one that is gone for good: another key has its
 * name then. One `get` more, for that alone.
 */
export async function inUse(
  provider: KeyProvider,
  target: KeyTarget,
  { found, keyId }: { readonly found: Failure; readonly keyId: string },
): Promise<Failure> {
  const known = provider.explain(found, { keyId });
  if (known.code !== 'key-not-found') return known;
  const newest = await provider.read(target, { purpose: 'in-force' });
  return newest.ok ? provider.explain(known, { keyId, facts: { keyReplaced: true } }) : known;
}
