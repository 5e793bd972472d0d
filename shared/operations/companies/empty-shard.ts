// Taking away the rows of a shard of a company of which it is decided that it goes, and the shard itself after the last of them. Neither one empty
// list nor the counts alone say which is the last: what does not fit is left for later, and what somebody may need is left for good.
import { BEFORE_DATA_KEYS, readDataKey, shardCells } from '../../store/rows/data-rows.ts';
import { dataKeysPartition, SHARD_OUTBOX_PREFIX } from '../../store/rows/row-keys.ts';
import { counted, MAX_VAIN_PASSES, newShard, SHARD_ROW_KEY } from '../../domain/shard.ts';
import { describeCounts, total, type RowMove } from '../../domain/shard-counts.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import { pagesOf, pagesToTheEnd } from '../../store/list-pages.ts';
import {
  MAX_WRITES_PER_TRANSACTION,
  type RowWrite,
  type StoredRow,
  type TableName,
  type Tables,
} from '../../store/tables.ts';
import type { Clock, Entropy, Log } from '../../domain/ports.ts';
import type { Undecided } from '../../store/races.ts';
import { loadShard, shardWrite, type LoadedShard, type ShardPlace } from '../../store/shard-rows.ts';

interface Emptying {
  readonly clockGuard: ClockGuard;
  readonly tables: Tables;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** `later`: not by trying again at once. */
export type Removal = 'removed' | 'out-of-time' | 'later' | Undecided;

export const ROWS_AT_ONCE = MAX_WRITES_PER_TRANSACTION - 1;
const PAGE_ROWS = 1_000;

export async function emptyShard(deps: Emptying, place: ShardPlace, deadline: Date): Promise<Removal> {
  const partition = dataKeysPartition(place);
  for (let now = deps.clock.now(); now < deadline; now = deps.clock.now()) {
    const shard = await loadShard(deps.tables, place);
    const rows = (await firstRows(deps.tables, 'datakeys', partition)).slice(0, ROWS_AT_ONCE);
    if (!shard && rows.length === 0) return 'removed';
    if (!shard && !(await hasTombstonesOnly(deps, partition))) return notEmptied(deps, place, 'rows without a shard');
    if (!shard) {
      await insertClosed(deps, partition);
      continue;
    }
    const { live, quarantined, vain } = shard.value;
    if (live !== 0 || quarantined !== 0) return 'lost-race';
    deps.clockGuard.assertAgrees(now);
    if (rows.some((row) => isNeeded(row, now.toISOString())))
      return notEmptied(deps, place, 'data keys in use or restorable');
    const isBelieved = rows.length > 0 || !shard.value.closed || total(shard.value) === 0 || vain >= MAX_VAIN_PASSES;
    const writes = isBelieved ? emptying(deps, shard, rows) : [noted(deps, shard)];
    const written = await deps.tables.write('datakeys', partition, writes);
    if (written.outcome === 'conflict') return 'lost-race';
    if (!isBelieved) return notEmptied(deps, place, describeCounts(shard.value));
  }
  return 'out-of-time';
}

/** What is left where lists said twice that no row was, and the shard went: nobody's keys. They are in no count. */
async function hasTombstonesOnly({ tables }: Emptying, partitionKey: string): Promise<boolean> {
  const query = { table: 'datakeys', partitionKey, after: BEFORE_DATA_KEYS, limit: PAGE_ROWS } as const;
  for await (const { rows } of pagesToTheEnd(tables, query)) {
    if (rows.some(({ rowKey, cells }) => readDataKey(rowKey, cells).state !== 'tombstone')) return false;
  }
  return true;
}

/** So that they too go beside a shard. Whether it was inserted is seen at the next reading. */
async function insertClosed({ tables, clock, entropy }: Emptying, partitionKey: string): Promise<void> {
  const shard = { ...newShard({ writeVersion: 0, now: clock.now().toISOString() }), closed: true };
  const cells = shardCells(shard, entropy.id());
  await tables.write('datakeys', partitionKey, [{ kind: 'insert', rowKey: SHARD_ROW_KEY, cells }]);
}

/** Rows beside their shard, if it is closed; without any, the shard itself. */
function emptying(deps: Emptying, shard: LoadedShard, rows: readonly StoredRow[]): RowWrite[] {
  const { value, etag } = shard;
  const by = { etag, writtenBy: deps.entropy.id() };
  // Inserted with a new keyring, by a call that began before the company closed.
  if (!value.closed) return [shardWrite({ ...value, closed: true }, by)];
  const deletes = rows.map(({ rowKey, etag: own }) => ({ kind: 'delete', rowKey, etag: own }) as const);
  if (deletes.length === 0) return [{ kind: 'delete', rowKey: SHARD_ROW_KEY, etag }];
  return [shardWrite({ ...counted(value, removalsOf(rows)), vain: 0 }, by), ...deletes];
}

/** Rows that are counted and not found are looked for again at later visits. Nobody needs them, so that it is believed in the end. */
const noted = (deps: Emptying, { value, etag }: LoadedShard): RowWrite =>
  shardWrite({ ...value, vain: value.vain + 1 }, { etag, writtenBy: deps.entropy.id() });

function notEmptied(deps: Emptying, { companyId, keyringId, shard }: ShardPlace, why: string): Removal {
  const detail = { companyId, keyringId, shard, why };
  deps.log.write({ level: 'error', event: 'company.shard-not-emptied', detail });
  return 'later';
}

/** In use, or restorable: whatever the counts say, and whatever was decided on. In a store that was copied while it was written they may be older. */
function isNeeded({ rowKey, cells }: StoredRow, now: string): boolean {
  if (rowKey.startsWith('!')) return false;
  const { state, purgeAfter = '' } = readDataKey(rowKey, cells);
  return state === 'live' || state === 'quarantined' || (state === 'deleted' && purgeAfter > now);
}

/** Exact to the last row: whoever reads the shard half way finds what is there. */
const removalsOf = (rows: readonly StoredRow[]): RowMove[] =>
  rows.flatMap(({ rowKey, cells }) => (rowKey.startsWith('!') ? [] : [{ before: readDataKey(rowKey, cells) }]));

/**
 * The first rows of a partition, past pages without any; that there is none is not believed once. A shard's own row goes by itself, after the
 * last of them; events on their way to the record are left there: delivered, not lost.
 */
export async function firstRows(tables: Tables, table: TableName, partitionKey: string): Promise<readonly StoredRow[]> {
  for (let asked = 0; asked < 2; asked += 1)
    for await (const page of pagesOf(tables, { table, partitionKey, limit: MAX_WRITES_PER_TRANSACTION })) {
      const isMeant = ({ rowKey }: StoredRow): boolean =>
        rowKey !== SHARD_ROW_KEY && !rowKey.startsWith(SHARD_OUTBOX_PREFIX);
      const rows = page.rows.filter(isMeant);
      if (rows.length > 0) return rows;
    }
  return [];
}
