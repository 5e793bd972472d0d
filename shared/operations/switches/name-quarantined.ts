// The quarantined rows of a keyring by name. The list beside the rows saves a look at all of them, and is only a help: in tables that were
// copied at different instants it may name too many and too few, so that each name is looked up, and whatever the counts miss is looked for.
import type { QuarantineReason } from '../../domain/data-key.ts';
import { BEFORE_DATA_KEYS, QUARANTINE_PREFIX } from '../../store/rows/data-rows.ts';
import { dataKeysPartition, rowKeysUnder } from '../../store/rows/row-keys.ts';
import type { Shard } from '../../domain/shard.ts';
import { pagesOf } from '../../store/list-pages.ts';
import type { StoredRow, Tables } from '../../store/tables.ts';

export interface QuarantinedRow {
  readonly keyId: string;
  readonly reason: QuarantineReason;
}

const MAX_NAMED_ROWS = 100;
const PAGE_ROWS = 1_000;

/** The first MAX_NAMED_ROWS of them. Throws StoreUnavailable. */
export async function nameQuarantined(
  tables: Tables,
  place: { readonly companyId: string; readonly keyringId: string },
  shards: readonly Pick<Shard, 'quarantined'>[],
): Promise<readonly QuarantinedRow[]> {
  const named: QuarantinedRow[] = [];
  for (const [shard, { quarantined }] of shards.entries()) {
    const most = Math.min(quarantined, MAX_NAMED_ROWS - named.length);
    if (most <= 0) continue;
    const partitionKey = dataKeysPartition({ ...place, shard });
    const listed = await listedIn(tables, partitionKey, most);
    named.push(...(listed.length < most ? await lookThrough(tables, partitionKey, most) : listed));
  }
  return named;
}

async function listedIn(tables: Tables, partitionKey: string, most: number): Promise<readonly QuarantinedRow[]> {
  const entries = await firstOf(tables, { partitionKey, ...rowKeysUnder(QUARANTINE_PREFIX) }, { most });
  const keyIds = entries.map(({ rowKey }) => rowKey.slice(QUARANTINE_PREFIX.length));
  const rows = await Promise.all(keyIds.map((keyId) => tables.read('datakeys', partitionKey, keyId)));
  return rows.flatMap((row) => (row && isQuarantined(row) ? [nameOf(row)] : []));
}

async function lookThrough(tables: Tables, partitionKey: string, most: number): Promise<readonly QuarantinedRow[]> {
  const range = { partitionKey, after: BEFORE_DATA_KEYS };
  return (await firstOf(tables, range, { most, isMeant: isQuarantined })).map(nameOf);
}

async function firstOf(
  tables: Tables,
  range: { readonly partitionKey: string; readonly after: string; readonly before?: string },
  { most, isMeant }: { readonly most: number; readonly isMeant?: (row: StoredRow) => boolean },
): Promise<readonly StoredRow[]> {
  const found: StoredRow[] = [];
  const limit = isMeant ? PAGE_ROWS : most;
  for await (const { rows } of pagesOf(tables, { table: 'datakeys', ...range, limit })) {
    found.push(...rows.filter((row) => isMeant?.(row) ?? true));
    if (found.length >= most) break;
  }
  return found.slice(0, most);
}

const isQuarantined = ({ cells }: StoredRow): boolean => cells['state'] === 'quarantined';

const nameOf = ({ rowKey, cells }: StoredRow): QuarantinedRow => ({
  keyId: rowKey,
  reason: reasonOf(cells['quarantineReason']),
});

const reasonOf = (value: unknown): QuarantineReason =>
  value === 'unknown-version' || value === 'differs-after-rewrap' ? value : 'does-not-open';
