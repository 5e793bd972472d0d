// Which companies there are and were: one row each in a partition of its own, inserted before the company. It may list one that was never
// made, so a reader of the list reads each company too.
import { insertIfAbsent } from './insert-if-absent.ts';
import type { Rows } from './rows/row.ts';
import { NO_COMPANY } from '../domain/ids.ts';
import { type Tables } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';

export const INDEX_PREFIX = 'company|';

interface CompanyPlace {
  readonly companyId: string;
}

export const companiesListed: Rows<object, CompanyPlace, undefined> = {
  row: {
    table: 'companies',
    partition: () => NO_COMPANY,
    key: ({ companyId }) => `${INDEX_PREFIX}${companyId}`,
    cells: () => ({ format: 1 }),
    read: () => undefined,
  },
  partition: () => NO_COMPANY,
  prefix: () => INDEX_PREFIX,
  place: (_, companyId) => ({ companyId }),
};

/** Throws StoreUnavailable if it stays unknown whether the row is there. */
export async function ensureListed(tables: Tables, companyId: string): Promise<void> {
  if (!(await insertIfAbsent(tables, companiesListed.row, { companyId }, undefined)))
    throw new StoreUnavailable('the index of companies could not be written');
}
