// What a thief of the whole storage account could open with a KEK: the check that the demo makes before and after.
import { VENDOR_KEY_NAME } from '../environment/vendor.ts';
import { VENDOR_VAULT_HOST } from '../identities.ts';
import type { Demo } from './demo.ts';
import { dumpTables } from './table-dump.ts';
import { candidatesIn, opened, type Candidate } from './wrapped-values.ts';

interface Dump {
  readonly rows: number;
  /** Rows that hold a company key, in `table partition row`. */
  readonly companyKeyRows: readonly string[];
  readonly candidates: readonly Candidate[];
}

export async function readDump({ credential }: Demo): Promise<Dump> {
  let rows = 0;
  const companyKeyRows: string[] = [];
  const candidates: Candidate[] = [];
  for await (const row of dumpTables(credential)) {
    rows += 1;
    candidates.push(...candidatesIn(row));
    if (row.table === 'companies' && row.rowKey.startsWith('companykey|')) {
      companyKeyRows.push(`${row.table} ${row.partitionKey} ${row.rowKey}`);
    }
  }
  return { rows, companyKeyRows, candidates };
}

export const VENDOR_KEK = { host: VENDOR_VAULT_HOST, name: VENDOR_KEY_NAME } as const;

/** The rows of the dump of which something opens with the key. */
export async function rowsThatOpen(
  { environment }: Demo,
  key: { readonly host: string; readonly name: string },
  { candidates }: Dump,
): Promise<readonly string[]> {
  const found = await opened(environment.keyVault, key, candidates);
  return [...new Set(found.map(({ where }) => where))];
}
