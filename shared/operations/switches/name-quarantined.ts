// The names of a keyring's quarantined rows. The list beside the rows saves a scan and is only a help: in restored tables it may name too many or too
// few. So each name is looked up, and rows that the counts say are missing are searched for.
import type { DataKey, QuarantineReason } from '../../domain/data-key.ts';
import { find, rangeOf, readListed } from '../../store/found.ts';
import {
  BEFORE_DATA_KEYS,
  dataKeyRow,
  quarantineOf,
  readDataKey,
  shardRow,
  type DataKeyPlace,
} from '../../store/rows/data-rows.ts';
import type { Shard, ShardPlace } from '../../domain/shard.ts';
import { pagesOf } from '../../store/list-pages.ts';
import type { Tables } from '../../store/tables.ts';

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
    const listed = await listedIn(tables, { ...place, shard }, most);
    named.push(...(listed.length < most ? await lookThrough(tables, { ...place, shard }, most) : listed));
  }
  return named;
}

async function listedIn(tables: Tables, shard: ShardPlace, most: number): Promise<readonly QuarantinedRow[]> {
  const listed: DataKeyPlace[] = [];
  for await (const { rows } of pagesOf(tables, { ...rangeOf(quarantineOf, shard), limit: most })) {
    listed.push(...rows.map((row) => readListed(quarantineOf, shard, row).place));
    if (listed.length >= most) break;
  }
  const rows = await Promise.all(listed.slice(0, most).map((place) => find(tables, dataKeyRow, place)));
  return rows.flatMap((row) => (row && isQuarantined(row.value) ? [nameOf(row.value)] : []));
}

async function lookThrough(tables: Tables, shard: ShardPlace, most: number): Promise<readonly QuarantinedRow[]> {
  const found: DataKey[] = [];
  const query = { table: 'datakeys', partitionKey: shardRow.partition(shard), after: BEFORE_DATA_KEYS } as const;
  for await (const { rows } of pagesOf(tables, { ...query, limit: PAGE_ROWS })) {
    found.push(...rows.map(({ rowKey, cells }) => readDataKey(rowKey, cells)).filter(isQuarantined));
    if (found.length >= most) break;
  }
  return found.slice(0, most).map(nameOf);
}

const isQuarantined = ({ state }: DataKey): boolean => state === 'quarantined';

const nameOf = ({ keyId, quarantineReason = 'does-not-open' }: DataKey): QuarantinedRow => ({
  keyId,
  reason: quarantineReason,
});
