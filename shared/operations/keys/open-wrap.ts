// Opens a company key through one of its wraps: seal, target, vault, commitment. No cache here. Checks everything that decides where the wrapped key is
// sent before it sends anything.
import type { KeyObject } from 'node:crypto';
import { openCompanyKey, type CompanyKeyContext, type CompanyKeyRow, type Wrap } from '../../domain/company-key.ts';
import { hasBeenOf } from '../../domain/connection.ts';
import type { Failure } from '../../domain/failure.ts';
import { parseKeyId, providerName, sameProvider, type KeyTarget, type ProviderRef } from '../../domain/provider.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { sealedBytesOfWrap } from '../../domain/seal.ts';
import { loadCompanyKeyRow, type Found } from '../../store/control-state.ts';
import type { Tables } from '../../store/tables.ts';
import type { KeyProvider, KnownProviders, Providers, ReadKey } from '../../providers/provider.ts';
import { checkSeal, forged, type SealCheck } from './seals.ts';
import { loadTarget } from './verified-connection.ts';

/** What it takes to find where a key is. Asks only the seal key. */
export interface TargetReading extends SealCheck {
  readonly tables: Tables;
  readonly providers: KnownProviders;
}

export interface CompanyKeyOpening extends TargetReading {
  readonly providers: Providers;
}

/** The stored row, readable; undefined if there is none (a commit or a roll-back has deleted it). */
export async function loadReadableCompanyKey(
  opening: CompanyKeyOpening,
  context: CompanyKeyContext,
): Promise<Result<Found<CompanyKeyRow> | undefined, Failure>> {
  const row = await loadCompanyKeyRow(opening.tables, context);
  if (!row) return ok(undefined);
  if (!row.value) return err(forged(opening.log, placeOf(context)));
  return ok({ ...row, value: row.value });
}

/** The wrap for callers. The seal covers that it is no guard: a switch's other vault serves no caller before the switch ends. */
export const wrapInForce = (row: CompanyKeyRow): Wrap | undefined => row.wraps.find((wrap) => wrap.guard !== true);

export const wrapOf = (row: CompanyKeyRow, ref: ProviderRef): Wrap | undefined =>
  row.wraps.find((wrap) => sameProvider(wrap.ref, ref));

const placeOf = (context: CompanyKeyContext): { companyId: string; rowKey: string } => ({
  companyId: context.companyId,
  rowKey: companyKeyRow.key(context),
});

/** The vault and key that a reference names: the settings' own, or a verified connection's. Forged if the connection has another provider. */
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

/** Checks a wrap's seal, and that it names its provider's own vault and key. Sends nothing. */
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

/** The same for a verified wrap, through the vault that was found for it. */
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
 * What a refusal means for the version in use that it is about. Tells a version that is missing from one that is gone for good, because another key has
 * its name; and one that was disabled from one that was disabled too early, because a newer one was made: one more `get`, only for these.
 */
export async function inUse(
  provider: KeyProvider,
  target: KeyTarget,
  {
    found,
    keyId,
    newest: read,
  }: { readonly found: Failure; readonly keyId: string; readonly newest?: Result<ReadKey, Failure> },
): Promise<Failure> {
  const known = provider.explain(found, { keyId });
  if (known.code !== 'key-not-found' && known.code !== 'key-disabled') return known;
  // It was asked already whether the key was deleted.
  const newest = read ?? (await provider.read(target, { purpose: 'in-force', once: true }));
  if (!newest.ok) return known;
  // One server of the vault finds this very version and another does not, as while Azure deletes or recovers a key: it was not purged, and no other key
  // has its name.
  if (newest.value.keyId === keyId) {
    const { notAmongDeleted: _outOfDate, ...facts } = known.facts;
    return provider.explain({ ...known, facts }, { keyId });
  }
  if (known.code === 'key-not-found') return provider.explain(known, { keyId, facts: { keyReplaced: true } });
  if (newest.value.unfit) return known;
  const newerVersion = parseKeyId(newest.value.keyId)?.version ?? newest.value.keyId;
  return provider.explain(known, { keyId, facts: { newerVersion } });
}
