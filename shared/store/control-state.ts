// Reading a company's control state: the rows of one partition of the `companies` table. Reads only; every ETag comes along,
// because whoever decides on what it read must write under it.
import { readCompany, readKeyring, readSwitch } from './rows/control-rows.ts';
import { readKeptKey } from './rows/kept-rows.ts';
import { readCompanyKey } from './rows/sealed-rows.ts';
import {
  COMPANY_ROW_KEY,
  companyKeyRowKey,
  keptKeyRowKey,
  keyringRowKey,
  rowKeysUnder,
  switchRowKey,
} from './rows/row-keys.ts';
import type { CompanyKeyContext, CompanyKeyRow } from '../domain/company-key.ts';
import type { KeptKey } from '../domain/kept-key.ts';
import type { Company, Keyring } from '../domain/keyring.ts';
import type { Switch } from '../domain/switch.ts';
import { pagesOf, pagesToTheEnd } from './list-pages.ts';
import type { RowPage, StoredRow, TableName, Tables } from './tables.ts';

export interface Loaded<T> {
  readonly value: T;
  readonly etag: string;
}

const LIST_PAGE_ROWS = 1000;

const loaded = <T>(row: StoredRow | undefined, value: (row: StoredRow) => T): Loaded<T> | undefined =>
  row && { value: value(row), etag: row.etag };

/** Undefined if there is none, or if it is closed: the id of a company is never used again (invariant A14). */
export async function loadCompany(
  tables: Pick<Tables, 'read'>,
  companyId: string,
): Promise<Loaded<Company> | undefined> {
  const company = await loadCompanyRow(tables, companyId);
  return company?.value.state === 'closed' ? undefined : company;
}

/** Closed ones too. */
export async function loadCompanyRow(
  tables: Pick<Tables, 'read'>,
  companyId: string,
): Promise<Loaded<Company> | undefined> {
  return loaded(await tables.read('companies', companyId, COMPANY_ROW_KEY), (row) => readCompany(row.cells));
}

export async function loadKeyring(
  tables: Tables,
  place: { readonly companyId: string; readonly keyringId: string },
): Promise<Loaded<Keyring> | undefined> {
  return loaded(await tables.read('companies', place.companyId, keyringRowKey(place.keyringId)), (row) =>
    readKeyring(row.cells),
  );
}

export async function loadSwitch(
  tables: Tables,
  place: { readonly companyId: string; readonly keyringId: string; readonly switchId: string },
): Promise<Loaded<Switch> | undefined> {
  const row = await tables.read('companies', place.companyId, switchRowKey(place.keyringId, place.switchId));
  return loaded(row, ({ cells }) => readSwitch(cells));
}

/** The row of one company key; its `value` is undefined if the row cannot be read. Seals are not checked here. */
export async function loadCompanyKeyRow(
  tables: Tables,
  context: CompanyKeyContext,
): Promise<Loaded<CompanyKeyRow | undefined> | undefined> {
  const row = await tables.read('companies', context.companyId, companyKeyRowKey(context.keyringId, context.version));
  return loaded(row, ({ cells }) => readCompanyKey(cells, context));
}

/** The row of one kept company key; its `value` is undefined if the row cannot be read. */
export async function loadKeptKey(
  tables: Pick<Tables, 'read'>,
  context: CompanyKeyContext,
): Promise<Loaded<KeptKey | undefined> | undefined> {
  const row = await tables.read('companies', context.companyId, keptKeyRowKey(context.keyringId, context.version));
  return loaded(row, ({ cells }) => readKeptKey(cells, context));
}

/** Every kept company key of a keyring with its version, in the order of versions. */
export async function listKeptKeys(
  tables: Tables,
  place: { readonly companyId: string; readonly keyringId: string },
): Promise<(Loaded<KeptKey | undefined> & { readonly version: number })[]> {
  const rows = await listByVersion(tables, place, 'keptkey');
  return rows.map(({ version, cells, etag }) => ({
    version,
    value: readKeptKey(cells, { ...place, version }),
    etag,
  }));
}

/**
 * Every row of a partition between two row keys, both exclusive, however many pages they take. That a list is over is believed of no single
 * answer, since keyrings, tenants and kept keys have no counts that would tell: what lies behind its last row is asked for until nothing does.
 */
export async function listAll(
  tables: Tables,
  range: { readonly table: TableName; readonly partitionKey: string; readonly after: string; readonly before: string },
): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  // Nor is it believed once that there is none.
  for (let asked = 0; asked < 2 && rows.length === 0; asked += 1)
    for await (const page of pagesToTheEnd(tables, { ...range, limit: LIST_PAGE_ROWS })) rows.push(...page.rows);
  return rows;
}

/** The first page that has rows: Table Storage may answer an empty one that has a continuation all the same. Without rows, there are none. */
export async function listSome(tables: Pick<Tables, 'list'>, query: Parameters<Tables['list']>[0]): Promise<RowPage> {
  for await (const page of pagesOf(tables, query)) if (page.rows.length > 0) return page;
  return { rows: [] };
}

/** Every company-key row of a keyring with its version, in the order of versions. */
export async function listCompanyKeyRows(
  tables: Tables,
  place: { readonly companyId: string; readonly keyringId: string },
): Promise<(Loaded<CompanyKeyRow | undefined> & { readonly version: number })[]> {
  const rows = await listByVersion(tables, place, 'companykey');
  return rows.map(({ version, cells, etag }) => ({
    version,
    value: readCompanyKey(cells, { ...place, version }),
    etag,
  }));
}

async function listByVersion(
  tables: Tables,
  { companyId, keyringId }: { readonly companyId: string; readonly keyringId: string },
  kind: 'companykey' | 'keptkey',
): Promise<(StoredRow & { readonly version: number })[]> {
  const prefix = `${kind}|${keyringId}|`;
  const rows = await listAll(tables, { table: 'companies', partitionKey: companyId, ...rowKeysUnder(prefix) });
  return rows.map((row) => ({ ...row, version: Number(row.rowKey.slice(prefix.length)) }));
}
