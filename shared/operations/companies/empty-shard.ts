// Deletes the rows of a shard whose company is decided to go, and then the shard. Neither one empty list nor the counts alone tell which row is the
// last: rows that do not fit the counts are left for a later visit, and rows that may still be needed are left for good.
import { changeOnce } from '../../store/act.ts';
import { firstRows } from '../../store/first-rows.ts';
import { find, rangeOf, walk, type Found } from '../../store/found.ts';
import { dataKeysOf, isDataKey, readDataKey, shardRow, type WrittenShard } from '../../store/rows/data-rows.ts';
import { counted, MAX_VAIN_PASSES, newShard, type ShardPlace } from '../../domain/shard.ts';
import { describeCounts, total, type RowMove } from '../../domain/shard-counts.ts';
import type { ClockGuard } from '../../store/clock-guard.ts';
import type { Cells, Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Log } from '../../domain/ports.ts';
import type { Undecided } from '../../store/races.ts';
import { MAX_ROWS_BEHIND_SHARD } from '../../store/shard-rows.ts';
import type { Writes } from '../../store/tx.ts';

interface Emptying {
  readonly clockGuard: ClockGuard;
  readonly tables: Tables;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** `later`: not by trying again at once. */
export type Removal = 'removed' | 'out-of-time' | 'later' | Undecided;

const PAGE_ROWS = 1_000;

export async function emptyShard(deps: Emptying, place: ShardPlace, deadline: Date): Promise<Removal> {
  for (let now = deps.clock.now(); now < deadline; now = deps.clock.now()) {
    const shard = await find(deps.tables, shardRow, place);
    const { table, partitionKey } = rangeOf(dataKeysOf, place);
    const rows = (await firstRows(deps.tables, { table, partitionKey })).slice(0, MAX_ROWS_BEHIND_SHARD);
    if (!shard && rows.length === 0) return 'removed';
    if (!shard && !(await hasTombstonesOnly(deps, place))) return notEmptied(deps, place, 'rows without a shard');
    if (!shard) {
      await insertClosed(deps, place);
      continue;
    }
    const { live, quarantined, vain, closed } = shard.value.shard;
    if (live !== 0 || quarantined !== 0) return 'lost-race';
    deps.clockGuard.assertAgrees(now);
    if (rows.some((row) => isNeeded(row, now.toISOString())))
      return notEmptied(deps, place, 'data keys in use or restorable');
    const isBelieved = rows.length > 0 || !closed || total(shard.value.shard) === 0 || vain >= MAX_VAIN_PASSES;
    const written = await changeOnce(deps, (tx) => {
      if (isBelieved) empty(deps, tx, place, { shard, rows });
      else note(deps, tx, place, shard);
    });
    if (!written.ok && written.error === 'lost-race') return 'lost-race';
    if (!isBelieved) return notEmptied(deps, place, describeCounts(shard.value.shard));
  }
  return 'out-of-time';
}

/** Whether only tombstones are left, which no count includes: two lists showed no row, and the shard is gone. */
async function hasTombstonesOnly({ tables }: Emptying, place: ShardPlace): Promise<boolean> {
  for await (const rows of walk(tables, dataKeysOf, place, { limit: PAGE_ROWS, toTheEnd: true })) {
    if (rows.some(({ value }) => value.state !== 'tombstone')) return false;
  }
  return true;
}

/** So that these rows too are deleted beside a shard. The next reading shows whether it was inserted. */
async function insertClosed(deps: Emptying, place: ShardPlace): Promise<void> {
  const shard = { ...newShard({ writeVersion: 0, now: deps.clock.now().toISOString() }), closed: true };
  const writtenBy = deps.entropy.id();
  await changeOnce(deps, (tx) => void tx.insert(shardRow, place, { shard, writtenBy }));
}

/** Rows beside their shard, if it is closed; without any, the shard itself. */
function empty(
  { entropy }: Emptying,
  tx: Writes,
  place: ShardPlace,
  { shard, rows }: { readonly shard: Found<WrittenShard>; readonly rows: readonly Found<Cells>[] },
): void {
  const value = shard.value.shard;
  const writtenBy = entropy.id();
  // Inserted with a new keyring, by a call that began before the company closed.
  if (!value.closed) tx.behindShard(place, { from: shard, next: { ...value, closed: true }, writtenBy });
  else if (rows.length === 0) tx.delete(shard);
  else {
    const next = { ...counted(value, removalsOf(rows)), vain: 0 };
    const deletes = rows.map(({ at, etag }) => ({ kind: 'delete', rowKey: at.rowKey, etag }) as const);
    tx.behindShard(place, { from: shard, next, writtenBy, rows: deletes });
  }
}

/** Looks again at later visits for rows that are counted but not found. No key there is needed, so in the end it believes the list. */
function note({ entropy }: Emptying, tx: Writes, place: ShardPlace, shard: Found<WrittenShard>): void {
  const value = shard.value.shard;
  tx.behindShard(place, { from: shard, next: { ...value, vain: value.vain + 1 }, writtenBy: entropy.id() });
}

function notEmptied(deps: Emptying, { companyId, keyringId, shard }: ShardPlace, why: string): Removal {
  const detail = { companyId, keyringId, shard, why };
  deps.log.write({ level: 'error', event: 'company.shard-not-emptied', detail });
  return 'later';
}

/** In use, or restorable: whatever the counts say, and whatever was decided on. In a store that was copied while it was written they may be older. */
function isNeeded({ at: { rowKey }, value: cells }: Found<Cells>, now: string): boolean {
  if (!isDataKey(rowKey)) return false;
  const { state, purgeAfter = '' } = readDataKey(rowKey, cells);
  return state === 'live' || state === 'quarantined' || (state === 'deleted' && purgeAfter > now);
}

/** Exact to the last row, so that the counts of a half-emptied shard are right. */
const removalsOf = (rows: readonly Found<Cells>[]): RowMove[] =>
  rows.flatMap(({ at: { rowKey }, value }) => (isDataKey(rowKey) ? [{ before: readDataKey(rowKey, value) }] : []));
