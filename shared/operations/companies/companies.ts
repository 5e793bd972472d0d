// Companies: made together with their default keyring, looked at, listed. Their deletion is in delete-company.ts.
import pLimit from 'p-limit';
import { DEFAULT_KEYRING, type Company } from '../../domain/keyring.ts';
import type { Actor } from '../../domain/audit.ts';
import { isResourceId } from '../../domain/ids.ts';
import { notFound, type Refusal } from '../../domain/refusal.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { text } from '../../store/rows/cells.ts';
import { companyCells, readCompany } from '../../store/rows/control-rows.ts';
import { COMPANY_ROW_KEY, rowKeysUnder, SYSTEM_PARTITION } from '../../store/rows/row-keys.ts';
import { audited, type ActRecord } from '../../store/audited.ts';
import { ensureListed, INDEX_PREFIX } from '../../store/company-index.ts';
import { listSome, loadCompany, loadCompanyRow, loadKeyring, type Loaded } from '../../store/control-state.ts';
import { putKeyring, type KeyringMaking } from '../keyrings/keyrings.ts';
import type { Tables } from '../../store/tables.ts';
import { holds, type Preconditions } from '../../domain/preconditions.ts';
import { settleRaces, undecided, type Undecided } from '../../store/races.ts';
import { replaceCompany } from '../../store/control-writes.ts';

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
}

export const MAX_COMPANIES_PAGE = 200;
const DEFAULT_COMPANIES_PAGE = 50;
const READS_IN_FLIGHT = 16;

/** Also finishes what an earlier call left undone. */
export async function putCompany(
  deps: KeyringMaking,
  input: CompanyInput,
  actor: Actor,
): Promise<Result<Loaded<Company> & { readonly created: boolean }, Refusal>> {
  const { companyId } = input;
  const writtenBy = deps.entropy.id();
  const act = { action: 'company.put', companyId, target: COMPANY_ROW_KEY };
  const put = await audited(deps, actor, act, (record) =>
    settleRaces<boolean>(deps, () => tryPut(deps, input, { writtenBy, record })),
  );
  if (!put.ok) return put;
  const keyring = await putKeyring(deps, { companyId, keyringId: DEFAULT_KEYRING }, actor);
  if (!keyring.ok) return keyring;
  const company = await loadCompany(deps.tables, companyId);
  return company ? ok({ ...company, created: put.value }) : err(notFound('company', companyId));
}

/** True if this call made it. */
async function tryPut(
  deps: KeyringMaking,
  input: CompanyInput,
  call: { readonly writtenBy: string; readonly record: ActRecord },
): Promise<Result<boolean, Refusal> | Undecided> {
  const { companyId } = input;
  const row = await deps.tables.read('companies', companyId, COMPANY_ROW_KEY);
  const company = row && { value: readCompany(row.cells), etag: row.etag };
  if (company?.value.state === 'closed') return err({ type: 'company-closed', companyId });
  if (row && text(row.cells, 'writtenBy') === call.writtenBy) return ok(true);
  if (await call.record.landed()) return ok(false);
  if (!holds(input, row?.etag)) return err({ type: 'precondition-failed', what: 'company', id: companyId });
  if (company) return change(deps, input, company, call.record);
  if (input.defaultKeyring !== undefined && input.defaultKeyring !== DEFAULT_KEYRING) {
    return err(notFound('keyring', input.defaultKeyring));
  }
  await ensureListed(deps.tables, companyId);
  const made: Company = {
    companyId,
    displayName: input.displayName ?? companyId,
    defaultKeyring: DEFAULT_KEYRING,
    state: 'active',
    createdAt: deps.clock.now().toISOString(),
  };
  const cells = { ...companyCells(made), writtenBy: call.writtenBy };
  const write = { kind: 'insert', rowKey: COMPANY_ROW_KEY, cells } as const;
  const written = await call.record.write('companies', companyId, [write], { created: true });
  return written.outcome === 'committed' ? ok(true) : undecided(written);
}

async function change(
  deps: KeyringMaking,
  input: CompanyInput,
  company: Loaded<Company>,
  record: ActRecord,
): Promise<Result<boolean, Refusal> | Undecided> {
  const { value } = company;
  if (value.state !== 'active') {
    return err({ type: 'state', code: 'company-closing', message: 'The company is being deleted.' });
  }
  const displayName = input.displayName ?? value.displayName;
  const defaultKeyring = input.defaultKeyring ?? value.defaultKeyring;
  if (displayName === value.displayName && defaultKeyring === value.defaultKeyring) return ok(false);
  if (defaultKeyring !== value.defaultKeyring) {
    const keyring = await loadKeyring(deps.tables, { companyId: input.companyId, keyringId: defaultKeyring });
    if (keyring?.value.state !== 'ready') return err(notFound('keyring', defaultKeyring));
  }
  const write = replaceCompany(company, { ...value, displayName, defaultKeyring });
  const written = await record.write('companies', input.companyId, [write], { defaultKeyring });
  return written.outcome === 'committed' ? ok(false) : undecided(written);
}

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

/** In the order of ids. A page may be short, also empty, and not the last: closed companies are left out unless asked for. */
export async function listCompanies(
  deps: { readonly tables: Tables },
  input: { readonly limit?: number; readonly continuation?: string; readonly closed?: boolean },
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
  const range = {
    table: 'companies',
    partitionKey: SYSTEM_PARTITION,
    after: `${INDEX_PREFIX}${after}`,
    before: rowKeysUnder(INDEX_PREFIX).before,
    limit,
  } as const;
  const page = await listSome(deps.tables, range);
  const ids = page.rows.map(({ rowKey }) => rowKey.slice(INDEX_PREFIX.length));
  const companies = await pLimit(READS_IN_FLIGHT).map(ids, (companyId) => loadCompanyRow(deps.tables, companyId));
  const value = companies
    .filter((company) => company !== undefined)
    .filter((company) => input.closed === true || company.value.state !== 'closed');
  const last = page.continuation === undefined ? undefined : ids.at(-1);
  return ok(last === undefined ? { value } : { value, continuation: Buffer.from(last).toString('base64url') });
}
