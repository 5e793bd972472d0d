// Reads a company's control state: the rows of one partition of the `companies` table. Each row comes with its ETag, because a decision on
// it must be written under that ETag.
import type { CompanyKeyContext, CompanyKeyRow } from '../domain/company-key.ts';
import type { KeptKey } from '../domain/kept-key.ts';
import type { Company, Keyring, KeyringPlace } from '../domain/keyring.ts';
import { COMPANY_CLOSING, notFound, type Refusal } from '../domain/refusal.ts';
import { err, ok, type Result } from '../domain/result.ts';
import type { Switch, SwitchPlace } from '../domain/switch.ts';
import { find, list, type Found } from './found.ts';
import { companyRow, everyCompanyRow } from './rows/company-rows.ts';
import { keyringRow } from './rows/keyring-rows.ts';
import { switchRow } from './rows/switch-rows.ts';
import { keptKeyRow, keptKeysOf } from './rows/kept-rows.ts';
import { companyKeyRow, companyKeysOf } from './rows/sealed-rows.ts';
import type { Tables } from './tables.ts';

export type { Found, Loaded } from './found.ts';

type Reading = Pick<Tables, 'read'>;

/** Undefined if there is none, or if it is closed: the id of a company is never used again (invariant A14). */
export const loadCompany = (tables: Reading, companyId: string): Promise<Found<Company> | undefined> =>
  find(tables, companyRow, { companyId });

/** Refused if there is none, or if it is being deleted: nothing new starts for it. */
export async function openCompany(tables: Reading, companyId: string): Promise<Result<Found<Company>, Refusal>> {
  const company = await loadCompany(tables, companyId);
  if (!company) return err(notFound('company', companyId));
  return company.value.state === 'active' ? ok(company) : err(COMPANY_CLOSING);
}

/** Also a closed one. */
export const loadCompanyRow = (tables: Reading, companyId: string): Promise<Found<Company> | undefined> =>
  find(tables, everyCompanyRow, { companyId });

export const loadKeyring = (tables: Reading, place: KeyringPlace): Promise<Found<Keyring> | undefined> =>
  find(tables, keyringRow, place);

export const loadSwitch = (tables: Reading, place: SwitchPlace): Promise<Found<Switch> | undefined> =>
  find(tables, switchRow, place);

/** The row of one company key; its `value` is undefined if the row cannot be read. Seals are not checked here. */
export const loadCompanyKeyRow = (
  tables: Reading,
  context: CompanyKeyContext,
): Promise<Found<CompanyKeyRow | undefined> | undefined> => find(tables, companyKeyRow, context);

/** The row of one kept company key; its `value` is undefined if the row cannot be read. */
export const loadKeptKey = (
  tables: Reading,
  context: CompanyKeyContext,
): Promise<Found<KeptKey | undefined> | undefined> => find(tables, keptKeyRow, context);

/** Every kept company key of a keyring with its version, in the order of versions. */
export async function listKeptKeys(
  tables: Tables,
  place: KeyringPlace,
): Promise<(Found<KeptKey | undefined> & { readonly version: number })[]> {
  const rows = await list(tables, keptKeysOf, place);
  return rows.map(({ place: { version }, ...row }) => ({ ...row, version }));
}

/** Every company-key row of a keyring with its version, in the order of versions. */
export async function listCompanyKeyRows(
  tables: Tables,
  place: KeyringPlace,
): Promise<(Found<CompanyKeyRow | undefined> & { readonly version: number })[]> {
  const rows = await list(tables, companyKeysOf, place);
  return rows.map(({ place: { version }, ...row }) => ({ ...row, version }));
}
