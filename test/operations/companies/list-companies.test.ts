// Pages of companies: each company once, whatever the pages of the store are like.
import { beforeEach, describe, expect, it } from 'vitest';
import { companyCells } from '../../../shared/store/rows/company-rows.ts';
import { COMPANY_ROW_KEY, SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { listCompanies, MAX_COMPANIES_PAGE } from '../../../shared/operations/companies/companies.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { FakeTables } from '../../fakes/fake-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { errorOf, valueOf } from '../data-keys/world.ts';

const COMPANIES = ['1st', 'acme', 'b', 'company', 'z-9'];

let store: FakeTables;
beforeEach(() => {
  store = new FakeTables();
  for (const companyId of COMPANIES) make(companyId);
});

const list = (companyId: string): void =>
  store.tamper('companies', SYSTEM_PARTITION, `company|${companyId}`, { format: 1 });
const make = (companyId: string): void => {
  list(companyId);
  const company = { companyId, displayName: companyId, defaultKeyring: 'default', createdAt: '2026-01-01T00:00:00Z' };
  store.tamper('companies', companyId, COMPANY_ROW_KEY, companyCells({ ...company, state: 'active' }));
};

/** The ids of each page, to the last. */
const pages = async (limit: number, tables: Tables = store): Promise<string[][]> => {
  const all: string[][] = [];
  let continuation: string | undefined;
  do {
    const query = { limit, ...(continuation === undefined ? {} : { continuation }) };
    const page = valueOf(await listCompanies({ tables }, query));
    all.push(page.value.map(({ value }) => value.companyId));
    ({ continuation } = page);
  } while (continuation !== undefined);
  return all;
};

/** Every answer but one that goes on by a continuation is an empty page, and none has more than one row. */
const shortPages = (): Tables =>
  tablesBut(store, {
    list: (query) =>
      query.continuation === undefined
        ? Promise.resolve({ rows: [], continuation: query.after ?? '' })
        : store.list({ ...query, limit: 1 }),
  });

describe('the list of companies', () => {
  it.each([
    [1, [['1st'], ['acme'], ['b'], ['company'], ['z-9']]],
    [
      3,
      [
        ['1st', 'acme', 'b'],
        ['company', 'z-9'],
      ],
    ],
    [5, [COMPANIES]],
    [MAX_COMPANIES_PAGE, [COMPANIES]],
  ])('has each company once, in the order of ids, %i to a page', async (limit, expected) => {
    expect(await pages(limit)).toEqual(expected);
  });

  it('is empty where there are none', async () => {
    expect(await pages(3, new FakeTables())).toEqual([[]]);
  });

  it('is empty behind the last one', async () => {
    const continuation = Buffer.from('z-9').toString('base64url');
    expect(valueOf(await listCompanies({ tables: store }, { continuation }))).toEqual({ value: [] });
  });

  it('does not end at an empty page of the store', async () => {
    expect((await pages(3, shortPages())).flat()).toEqual(COMPANIES);
  });

  it('leaves out those that are gone, or were never made, and goes on behind them', async () => {
    for (const companyId of ['0', '00', 'azure']) list(companyId);
    expect(await pages(2)).toEqual([[], ['1st', 'acme'], ['b'], ['company', 'z-9']]);
  });

  it('is not made longer by other rows beside it', async () => {
    for (const rowKey of ['companies', 'consent|link|1', 'retired|acme'])
      store.tamper('companies', SYSTEM_PARTITION, rowKey, { format: 1 });
    expect(await pages(COMPANIES.length)).toEqual([COMPANIES]);
  });

  it('has fifty companies to a page where nothing else is asked for', async () => {
    for (let number = 100; number < 150; number += 1) make(`c${number}`);
    const page = valueOf(await listCompanies({ tables: store }, {}));
    expect([page.value.length, page.continuation === undefined]).toEqual([50, false]);
  });

  it.each([
    ['limit', { limit: 0 }],
    ['limit', { limit: MAX_COMPANIES_PAGE + 1 }],
    ['limit', { limit: 1.5 }],
    ['continuation', { continuation: '~~~' }],
    ['continuation', { continuation: '' }],
    ['continuation', { continuation: Buffer.from('acme|x').toString('base64url') }],
  ])('is refused by the name of its %s: %o', async (target, query) => {
    expect(errorOf(await listCompanies({ tables: store }, query))).toMatchObject({ type: 'invalid', target });
  });
});
