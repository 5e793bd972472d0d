// Companies: created together with their default keyring, read, listed. delete-company.ts deletes them.
import pLimit from 'p-limit';
import { ALL_FEATURES, type Feature } from '../../domain/company-features.ts';
import { DEFAULT_KEYRING, type Company } from '../../domain/keyring.ts';
import type { Actor } from '../../domain/audit.ts';
import { isResourceId } from '../../domain/ids.ts';
import { COMPANY_CLOSING, notFound, refusedBy, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { act } from '../../store/act.ts';
import { companyRow, everyCompanyRow } from '../../store/rows/company-rows.ts';
import { keyringRow } from '../../store/rows/keyring-rows.ts';
import { companiesListed, ensureListed } from '../../store/company-index.ts';
import { featuresOf, sealFeatures, sealPolicy } from '../keys/company-terms.ts';
import { loadCompany, loadCompanyRow } from '../../store/control-state.ts';
import { keepStanding } from '../../store/standings.ts';
import { listPage, type Found, type Loaded } from '../../store/found.ts';
import { putKeyring, type KeyringMaking } from '../keyrings/keyrings.ts';
import type { Tables } from '../../store/tables.ts';
import { holds, type Preconditions } from '../../domain/preconditions.ts';
import type { Tx } from '../../store/tx.ts';

export interface CompanyPage {
  readonly value: readonly Loaded<Company>[];
  /** Opaque; present if there may be more. */
  readonly continuation?: string;
}

interface CompanyInput extends Preconditions {
  readonly companyId: string;
  /** Default: the company's id when it is made, unchanged otherwise. */
  readonly displayName?: string;
  /** Must be there and ready. Default: `default` when the company is made, unchanged otherwise. */
  readonly defaultKeyring?: string;
  /** The only ones that it may have. Default: all when the company is made, unchanged otherwise. */
  readonly features?: readonly Feature[] | typeof ALL_FEATURES;
}

export const MAX_COMPANIES_PAGE = 200;
const DEFAULT_COMPANIES_PAGE = 50;
const READS_IN_FLIGHT = 16;

/** Also finishes what an earlier call left unfinished. */
export async function putCompany(
  deps: KeyringMaking,
  input: CompanyInput,
  actor: Actor,
): Promise<Result<Loaded<Company> & { readonly created: boolean }, Refusal>> {
  const { companyId } = input;
  const put = await putRow(deps, input, actor);
  if (!put.ok) return put;
  const keyring = await putKeyring(deps, { companyId, keyringId: DEFAULT_KEYRING }, actor);
  if (!keyring.ok) return keyring;
  await keepStanding(deps, companyId);
  const company = await loadCompany(deps.tables, companyId);
  return company ? ok({ ...company, created: put.value }) : err(notFound('company', companyId));
}

/** True if this call made it. */
function putRow(deps: KeyringMaking, input: CompanyInput, actor: Actor): Promise<Result<boolean, Refusal>> {
  const { companyId } = input;
  const writtenBy = deps.entropy.id();
  const about = { actor, action: 'company.put', companyId, target: companyRow.key(input) };
  return act(deps, about, async (tx) => {
    const company = await tx.find(everyCompanyRow, input);
    if (company?.value.state === 'closed') return err({ type: 'company-closed', companyId });
    if (!holds(input, company?.etag)) return err({ type: 'precondition-failed', what: 'company', id: companyId });
    const put = company ? await change(deps, { tx, company }, input) : await make(deps, tx, { ...input, writtenBy });
    if (!put.ok) return put;
    return {
      done: () => put.value,
      ifLanded: async () => {
        const now = await getCompany(deps, input);
        return now.ok ? put : now;
      },
    };
  });
}

async function make(
  deps: KeyringMaking,
  tx: Tx,
  input: CompanyInput & { readonly writtenBy: string },
): Promise<Result<boolean, Refusal>> {
  const { companyId, writtenBy } = input;
  if (input.defaultKeyring !== undefined && input.defaultKeyring !== DEFAULT_KEYRING) {
    return err(notFound('keyring', input.defaultKeyring));
  }
  const features = await sealFeatures(deps, companyId, setOf(input.features));
  if (!features.ok) return features;
  const policy = await sealPolicy(deps, companyId, undefined);
  if (!policy.ok) return policy;
  await ensureListed(deps.tables, companyId);
  tx.insert(companyRow, input, {
    companyId,
    displayName: input.displayName ?? companyId,
    defaultKeyring: DEFAULT_KEYRING,
    ...features.value,
    ...policy.value,
    state: 'active',
    createdAt: deps.clock.now().toISOString(),
    writtenBy,
  });
  tx.detail({ created: true });
  return ok(true);
}

async function change(
  deps: KeyringMaking,
  { tx, company }: { readonly tx: Tx; readonly company: Found<Company> },
  input: CompanyInput,
): Promise<Result<boolean, Refusal>> {
  const { value } = company;
  if (value.state !== 'active') return err(COMPANY_CLOSING);
  const displayName = input.displayName ?? value.displayName;
  const defaultKeyring = input.defaultKeyring ?? value.defaultKeyring;
  const features = await featuresToPut(deps, company, input);
  if (!features.ok) return features;
  const isAsIs = displayName === value.displayName && defaultKeyring === value.defaultKeyring;
  if (isAsIs && !features.value) return ok(false);
  if (defaultKeyring !== value.defaultKeyring) {
    const keyring = await tx.find(keyringRow, { companyId: input.companyId, keyringId: defaultKeyring });
    if (keyring?.value.state !== 'ready') return err(notFound('keyring', defaultKeyring));
  }
  tx.replace(company, { ...value, displayName, defaultKeyring, ...features.value });
  tx.detail({
    defaultKeyring,
    ...(input.features === undefined ? {} : { features: setOf(input.features)?.join() ?? ALL_FEATURES }),
  });
  return ok(false);
}

/** Undefined if they stay. Said again, they are sealed anew where the ones that are stored are forged: so the vendor mends them. */
async function featuresToPut(
  deps: KeyringMaking,
  company: Found<Company>,
  input: CompanyInput,
): Promise<Result<Pick<Company, 'features' | 'featuresSeal'> | undefined, Refusal>> {
  if (input.features === undefined) return ok(undefined);
  const wanted = setOf(input.features);
  if (wanted?.join() === company.value.features?.join()) {
    const held = await featuresOf(deps, company);
    if (held.ok) return ok(undefined);
    if (held.error.code !== 'row-forged') return err(refusedBy(held.error));
  }
  return sealFeatures(deps, input.companyId, wanted);
}

const setOf = (features: CompanyInput['features']): readonly Feature[] | undefined =>
  features === ALL_FEATURES ? undefined : features;

export async function getCompany(
  deps: { readonly tables: Tables },
  { companyId }: { readonly companyId: string },
): Promise<Result<Loaded<Company>, Refusal>> {
  const company = await loadCompanyRow(deps.tables, companyId);
  if (company?.value.state === 'closed') return err({ type: 'company-closed', companyId });
  return company ? ok(company) : err(notFound('company', companyId));
}

/** How far the removal of a company is: its state, also when it is closed. */
export async function companyDeletion(
  deps: { readonly tables: Tables },
  { companyId }: { readonly companyId: string },
): Promise<Result<Company['state'], Refusal>> {
  const company = await loadCompanyRow(deps.tables, companyId);
  return company ? ok(company.value.state) : err(notFound('company', companyId));
}

interface ListInput {
  readonly limit?: number;
  readonly continuation?: string;
  readonly closed?: boolean;
  /** The only ones that the caller may know of. */
  readonly only?: ReadonlySet<string>;
}

/** In the order of ids. A page may be short, also empty, and not the last: closed companies are left out unless asked for. */
export async function listCompanies(
  deps: { readonly tables: Tables },
  input: ListInput,
): Promise<Result<CompanyPage, Refusal>> {
  const limit = input.limit ?? DEFAULT_COMPANIES_PAGE;
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_COMPANIES_PAGE) {
    return err({ type: 'invalid', target: 'limit', message: `A page holds 1 to ${MAX_COMPANIES_PAGE} companies.` });
  }
  const { continuation } = input;
  const after = continuation === undefined ? '' : Buffer.from(continuation, 'base64url').toString('utf8');
  if (continuation !== undefined && !isResourceId(after)) {
    return err({ type: 'invalid', target: 'continuation', message: 'This is no continuation of this list.' });
  }
  const { ids, last } = input.only ? pageAmong(input.only, { after, limit }) : await listedIds(deps, { after, limit });
  const companies = await pLimit(READS_IN_FLIGHT).map(ids, (companyId) => loadCompanyRow(deps.tables, companyId));
  const value = companies
    .filter((company) => company !== undefined)
    .filter((company) => input.closed === true || company.value.state !== 'closed');
  return ok(last === undefined ? { value } : { value, continuation: Buffer.from(last).toString('base64url') });
}

interface IdPage {
  readonly ids: readonly string[];
  /** The last id of the page, if there may be more. */
  readonly last?: string | undefined;
}

async function listedIds(
  { tables }: { readonly tables: Tables },
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<IdPage> {
  const page = await listPage(tables, companiesListed, {}, { after: { companyId: after }, limit });
  return { ids: page.rows.map(({ place }) => place.companyId), last: page.last?.companyId };
}

function pageAmong(
  only: ReadonlySet<string>,
  { after, limit }: { readonly after: string; readonly limit: number },
): IdPage {
  const rest = [...only].filter((id) => id > after).sort();
  const ids = rest.slice(0, limit);
  return { ids, last: rest.length > limit ? ids.at(-1) : undefined };
}
