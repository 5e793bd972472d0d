// A list of control rows that ends too early: keyrings, tenants and kept keys have no counts that would tell, so that it is not believed once.
import { expect, it } from 'vitest';
import { listAll } from '../../shared/store/list-pages.ts';
import type { RowPage, Tables } from '../../shared/store/tables.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { tablesBut } from '../fakes/tables-but.ts';

const RANGE = { table: 'companies', partitionKey: 'acme', after: 'tenant|', before: 'tenant}' } as const;
const NAMES = ['tenant|a', 'tenant|b', 'tenant|c'];

function store(): FakeTables {
  const tables = new FakeTables();
  for (const rowKey of [...NAMES, 'tenants', 'switch|x']) tables.tamper('companies', 'acme', rowKey, { format: 1 });
  return tables;
}

const cut = (tables: Tables, upTo: (lists: number, page: RowPage) => RowPage): Tables => {
  let lists = 0;
  return tablesBut(tables, { list: async (query) => upTo((lists += 1), await tables.list(query)) });
};

const namesIn = async (tables: Tables): Promise<string[]> => (await listAll(tables, RANGE)).map(({ rowKey }) => rowKey);

it.each([
  ['empty, once', (lists: number, page: RowPage) => (lists === 1 ? { rows: [] } : page)],
  [
    'after its first row, once',
    (lists: number, page: RowPage) => (lists === 1 ? { rows: page.rows.slice(0, 1) } : page),
  ],
  ['after its first row, each time', (_: number, page: RowPage) => ({ rows: page.rows.slice(0, 1) })],
])('a list that ends %s is gone on with', async (_, upTo) => {
  expect(await namesIn(cut(store(), upTo))).toEqual(NAMES);
});

it('a list without rows is asked for twice, and is empty', async () => {
  expect(await namesIn(new FakeTables())).toEqual([]);
});
