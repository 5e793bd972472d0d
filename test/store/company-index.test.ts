import { describe, expect, it } from 'vitest';
import { SYSTEM_PARTITION } from '../../shared/store/rows/row-keys.ts';
import { ensureListed, INDEX_PREFIX } from '../../shared/store/company-index.ts';
import { StoreUnavailable } from '../../shared/domain/store-unavailable.ts';
import { FakeTables } from '../fakes/fake-tables.ts';
import { MISHAPS, tablesBut, tablesTripping } from '../fakes/tables-but.ts';

const COMPANY = 'acme';
const LISTED = `${INDEX_PREFIX}${COMPANY}`;

const isListed = (store: FakeTables): boolean => store.peek('companies', SYSTEM_PARTITION, LISTED) !== undefined;

describe('a company to be listed', () => {
  it.each(MISHAPS)('is listed where the first write ends as %s', async (mishap) => {
    const store = new FakeTables();
    await ensureListed(tablesTripping(store, LISTED, { mishap }), COMPANY);
    expect(isListed(store)).toBe(true);
  });

  it('is listed by one write, and one more finds it listed already', async () => {
    const store = new FakeTables();
    let writes = 0;
    const tables = tablesBut(store, {
      write: (table, partitionKey, rows) => {
        writes += 1;
        return store.write(table, partitionKey, rows);
      },
    });
    await ensureListed(tables, COMPANY);
    expect(writes).toBe(1);
    await ensureListed(tables, COMPANY);
    expect(writes).toBe(2);
  });

  it('is not taken for listed where no answer comes, and no more than three times is asked', async () => {
    let writes = 0;
    const tables = tablesBut(new FakeTables(), {
      write: () => {
        writes += 1;
        return writes > 10 ? Promise.reject(new Error('asked for ever')) : Promise.resolve({ outcome: 'unknown' });
      },
    });
    await expect(ensureListed(tables, COMPANY)).rejects.toThrow(StoreUnavailable);
    expect(writes).toBe(3);
  });
});
