// Keyrings: creates them under the key of the default one, reads and lists them. A keyring is written together with its first company key, then its shards, and
// then it is `ready`. A put of one that is not ready finishes it, so a crash at any point does no harm.
import type { Entropy, Sealer } from '../../domain/ports.ts';
import type { Actor } from '../../domain/audit.ts';
import type { CompanyKeyContext, CompanyKeyRow } from '../../domain/company-key.ts';
import { policyForbids } from '../../domain/company-policy.ts';
import {
  DEFAULT_KEYRING,
  MAX_KEYRINGS_PER_COMPANY,
  type Company,
  type Keyring,
  type KeyringPlace,
} from '../../domain/keyring.ts';
import { providerName, sameProvider, type ProviderRef } from '../../domain/provider.ts';
import { COMPANY_CLOSING, notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act, change } from '../../store/act.ts';
import { companyRow } from '../../store/rows/company-rows.ts';
import { keyringRow, keyringsOf } from '../../store/rows/keyring-rows.ts';
import { companyKeyRow } from '../../store/rows/sealed-rows.ts';
import { vendorKeyItemOf } from '../../store/agenda.ts';
import type { Auditing } from '../../store/append.ts';
import { loadCompany, loadKeyring, openCompany } from '../../store/control-state.ts';
import { list, type Found, type Loaded } from '../../store/found.ts';
import { lackOfFeatures, policyOf } from '../keys/company-terms.ts';
import { makeFirstCompanyKey } from '../keys/make-wrap.ts';
import type { CompanyKeyOpening } from '../keys/open-wrap.ts';
import { placesOfOthers } from '../keys/places-of-keyrings.ts';
import { insertShards } from './new-shards.ts';
import { connectionOfNewKeyring, markNewKeyring, placeOfNewKeyring } from './place-of-new.ts';
import type { Tables } from '../../store/tables.ts';
import { holds, type Preconditions } from '../../domain/preconditions.ts';
import { loadShards, type LoadedShard } from '../../store/shard-rows.ts';

export interface KeyringMaking extends CompanyKeyOpening, Auditing {
  readonly sealer: Sealer;
  readonly entropy: Entropy;
  readonly shardCount: number;
}

export interface KeyringCounts {
  readonly live: number;
  readonly deleted: number;
  readonly quarantined: number;
  readonly lost: number;
}

export interface KeyringView extends Keyring {
  readonly isDefault: boolean;
}

const FIRST_VERSION = 1;

interface NewKeyring extends KeyringPlace {
  /** Where its key is to be. Default: where that of the company's default keyring is. */
  readonly provider?: ProviderRef;
}

/** Creates it if it is absent, finishes it if it is not ready. `isDefault` makes it the keyring for new data keys. */
export async function putKeyring(
  deps: KeyringMaking,
  input: NewKeyring & Preconditions & { readonly isDefault?: true },
  actor: Actor,
): Promise<Result<Loaded<KeyringView> & { readonly created: boolean }, Refusal>> {
  const before = await loadKeyring(deps.tables, input);
  const unmet: Refusal = { type: 'precondition-failed', what: 'keyring', id: input.keyringId };
  if (!holds(input, before?.etag)) return err(unmet);
  if (before && input.provider && !sameProvider(before.value.provider, input.provider)) {
    const remedy = `It is under ${providerName(before.value.provider)}: order a switch to move it.`;
    return err({ type: 'already-exists', what: 'keyring', id: input.keyringId, remedy });
  }
  const created = before ? ok(false) : await insertKeyring(deps, input, actor);
  if (!created.ok) return created;
  // Another call was first, so the keyring existed before this one.
  if (!created.value && input.ifNoneMatch !== undefined) return err(unmet);
  const ready = await finishKeyring(deps, input);
  if (!ready.ok) return ready;
  if (input.isDefault) {
    const set = await makeDefault(deps, input, actor);
    if (!set.ok) return set;
  }
  const company = await loadCompany(deps.tables, input.companyId);
  if (!company) return err(notFound('company', input.companyId));
  return ok({ ...viewOf(company.value, ready.value), created: created.value });
}

/** The keyring with its exact counts. */
export async function getKeyring(
  deps: KeyringMaking,
  place: KeyringPlace,
): Promise<Result<Loaded<KeyringView & { readonly counts: KeyringCounts }>, Refusal>> {
  const [company, keyring] = await Promise.all([
    loadCompany(deps.tables, place.companyId),
    loadKeyring(deps.tables, place),
  ]);
  if (!company) return err(notFound('company', place.companyId));
  if (!keyring) return err(notFound('keyring', place.keyringId));
  const unfinished = keyring.value.state !== 'ready' && company.value.state === 'active';
  const ready = unfinished ? await finishKeyring(deps, place) : ok(keyring);
  if (!ready.ok) return ready;
  const { shardCount } = ready.value.value;
  const counts = sumOf(await loadShards(deps.tables, { ...place, shardCount }));
  const { value, etag } = viewOf(company.value, ready.value);
  return ok({ value: { ...value, counts }, etag });
}

export async function listKeyrings(
  deps: { readonly tables: Tables },
  { companyId }: { readonly companyId: string },
): Promise<Result<Loaded<KeyringView>[], Refusal>> {
  const company = await loadCompany(deps.tables, companyId);
  if (!company) return err(notFound('company', companyId));
  const keyrings = await loadKeyrings(deps.tables, companyId);
  return ok(keyrings.map((keyring) => viewOf(company.value, keyring)));
}

/** All of a company's keyrings, at most MAX_KEYRINGS_PER_COMPANY. */
export const loadKeyrings = (tables: Tables, companyId: string): Promise<Found<Keyring>[]> =>
  list(tables, keyringsOf, { companyId });

const viewOf = (company: Company, { value, etag }: Loaded<Keyring>): Loaded<KeyringView> => ({
  value: { ...value, isDefault: company.defaultKeyring === value.keyringId },
  etag,
});

function sumOf(shards: readonly (LoadedShard | undefined)[]): KeyringCounts {
  const counts = { live: 0, deleted: 0, quarantined: 0, lost: 0 };
  for (const shard of shards) {
    counts.live += shard?.value.live ?? 0;
    counts.deleted += shard?.value.deleted ?? 0;
    counts.quarantined += shard?.value.quarantined ?? 0;
    counts.lost += shard?.value.lost ?? 0;
  }
  return counts;
}

/** Inserts the keyring and its first company key in one transaction with the company as it was read. False if another call was first. */
async function insertKeyring(deps: KeyringMaking, place: NewKeyring, actor: Actor): Promise<Result<boolean, Refusal>> {
  const { companyId } = place;
  const company = await openCompany(deps.tables, companyId);
  if (!company.ok) return company;
  const keyrings = await loadKeyrings(deps.tables, companyId);
  const { provider } = place;
  const target = await placeOfNewKeyring(deps, { company: company.value.value, keyrings, provider });
  if (!target.ok) return target;
  const { ref } = target.value;
  const context = { ...placeOf(place), version: FIRST_VERSION };
  const wrap = await makeFirstCompanyKey(deps, { context, target: target.value });
  if (!wrap.ok) return wrap;
  const createdAt = deps.clock.now().toISOString();
  const companyKey: CompanyKeyRow = { ...context, wraps: [wrap.value], createdAt };
  const about = { actor, action: 'keyring.create', companyId: place.companyId, target: keyringRow.key(place) };
  return act(deps, about, async (tx) => {
    const now = await tx.need(companyRow, place);
    if (await tx.find(keyringRow, place)) return ok(false);
    const needed = place.keyringId === DEFAULT_KEYRING ? [] : ['more-keyrings'];
    const lacking = await lackOfFeatures(deps, now, needed);
    if (lacking) return err(lacking);
    if ((await loadKeyrings(deps.tables, place.companyId)).length >= MAX_KEYRINGS_PER_COMPANY) {
      const message = `A company has at most ${MAX_KEYRINGS_PER_COMPANY} keyrings.`;
      return err({ type: 'invalid', target: 'keyringId', message });
    }
    const others = await placesOfOthers(deps.tables, place);
    const policy = await policyOf(deps, now);
    if (!policy.ok) return err(refusedBy(policy.error));
    const forbidden = policyForbids(policy.value, { ref, others });
    if (forbidden) return err(forbidden);
    const connection = await connectionOfNewKeyring(deps, { companyId, ref });
    if (!connection.ok) return connection;
    if (deps.providers.of(ref).isVendors) tx.agenda(vendorKeyItemOf(place));
    tx.guard(now);
    tx.insert(keyringRow, place, newKeyring(deps, { ...context, ref }, createdAt));
    tx.insert(companyKeyRow, context, companyKey);
    markNewKeyring(tx, connection.value, place.keyringId);
    tx.detail({ provider: providerName(ref) });
    return ok(true);
  });
}

const placeOf = ({ companyId, keyringId }: KeyringPlace): KeyringPlace => ({ companyId, keyringId });

const newKeyring = (
  deps: KeyringMaking,
  place: CompanyKeyContext & { readonly ref: ProviderRef },
  createdAt: string,
): Keyring => ({
  keyringId: place.keyringId,
  state: 'creating',
  shardCount: deps.shardCount,
  provider: place.ref,
  activeVersion: place.version,
  highVersion: place.version,
  generation: 0,
  rollBacks: 0,
  createdAt,
});

/** Writes all shards first, then `ready`: a ready keyring lacks none. The company's ETag keeps a delete of the company out. */
function finishKeyring(deps: KeyringMaking, place: KeyringPlace): Promise<Result<Found<Keyring>, Refusal>> {
  return change<Found<Keyring>>(deps, async (tx) => {
    const company = await tx.find(companyRow, place);
    const keyring = await tx.find(keyringRow, place);
    if (!company) return err(notFound('company', place.companyId));
    if (!keyring) return err(notFound('keyring', place.keyringId));
    if (keyring.value.state === 'ready') return ok(keyring);
    if (company.value.state !== 'active') return err(COMPANY_CLOSING);
    const { shardCount, activeVersion } = keyring.value;
    const inserted = await insertShards(deps, { ...placeOf(place), shardCount, writeVersion: activeVersion });
    if (!inserted) return 'no-answer';
    const ready = tx.replace(keyring, { ...keyring.value, state: 'ready' });
    tx.guard(company);
    return { done: ready };
  });
}

function makeDefault(deps: KeyringMaking, place: KeyringPlace, actor: Actor): Promise<Result<void, Refusal>> {
  const { companyId, keyringId } = place;
  const about = { actor, action: 'keyring.make-default', companyId, target: keyringRow.key(place) };
  return act(deps, about, async (tx) => {
    const company = await tx.need(companyRow, place);
    if (company.value.defaultKeyring !== keyringId)
      tx.replace(company, { ...company.value, defaultKeyring: keyringId });
    return ok(undefined);
  });
}
