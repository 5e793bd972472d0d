// Which company-key versions a company's id has used up, kept when the company is deleted. Every cache, in whatever process, names a
// company key by company, keyring and version alone. So a company made anew under the same id counts on from there: under a
// number used twice, a process that still remembers the earlier key would wrap data keys with it, and nobody could ever open them.
import { count, need } from '../domain/rows/cells.ts';
import { retiredRowKey, SYSTEM_PARTITION } from '../domain/rows/row-keys.ts';
import type { Keyring } from '../domain/keyring.ts';
import { StoreUnavailable, type RowWrite, type StoredRow, type Tables } from './ports.ts';

const MAX_ATTEMPTS = 8;

const highVersionOf = (row: StoredRow): number => need(count(row.cells, 'highVersion'), row.rowKey, 'highVersion');

/** The version of a new keyring's first company key: 1, unless there was a company of this id before. */
export async function firstVersionOf(tables: Pick<Tables, 'read'>, companyId: string): Promise<number> {
  const row = await tables.read('companies', SYSTEM_PARTITION, retiredRowKey(companyId));
  return row ? highVersionOf(row) + 1 : 1;
}

/** Before the company's own row goes, so that whoever makes it anew finds this. Throws StoreUnavailable. */
export async function retireVersions(
  tables: Pick<Tables, 'read' | 'write'>,
  companyId: string,
  keyrings: readonly Pick<Keyring, 'highVersion'>[],
): Promise<void> {
  const highVersion = Math.max(0, ...keyrings.map((keyring) => keyring.highVersion));
  const rowKey = retiredRowKey(companyId);
  const cells = { format: 1, highVersion };
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const row = await tables.read('companies', SYSTEM_PARTITION, rowKey);
    if (highVersion <= (row ? highVersionOf(row) : 0)) return;
    const write: RowWrite = row
      ? { kind: 'replace', rowKey, cells, etag: row.etag }
      : { kind: 'insert', rowKey, cells };
    const written = await tables.write('companies', SYSTEM_PARTITION, [write]);
    if (written.outcome === 'committed') return;
  }
  throw new StoreUnavailable('the versions that a company used up could not be written');
}
