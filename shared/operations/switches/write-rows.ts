// Writes what a pass decided for a run of rows: transactions of at most 99 rows behind the `!shard` row, each under the ETag from the one before. A worker
// that loses the race for the shard reads it again before it writes.
import type { DataKey } from '../../domain/data-key.ts';
import {
  dataKeyChangeCells,
  QUARANTINE_PREFIX,
  quarantineRow,
  quarantineRowKey,
  readDataKey,
} from '../../store/rows/data-rows.ts';
import { counted, type Shard } from '../../domain/shard.ts';
import type { RowMove } from '../../domain/shard-counts.ts';
import type { RowStep } from '../../domain/reprotect-row.ts';
import type { RowWrite, StoredRow, Tables } from '../../store/tables.ts';
import type { Clock, Entropy, Log, Timers } from '../../domain/ports.ts';
import { pauseAfterLosing } from '../../store/races.ts';
import {
  loadShard,
  logCountsBelowNone,
  MAX_ROWS_BEHIND_SHARD,
  writeBehindShard,
  type LoadedShard,
  type ShardPlace,
} from '../../store/shard-rows.ts';
import { find, type Loaded } from '../../store/found.ts';
import type { Writes } from '../../store/tx.ts';

export interface PassWriting {
  readonly tables: Tables;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly log: Log;
}

interface DecidedRow {
  readonly row: Pick<StoredRow, 'rowKey' | 'etag'>;
  readonly key: DataKey;
  readonly step: RowStep;
}

/** The shard as it stands after the writes; undefined if it is no longer as the pass found it: read it again. */
export type Advanced = LoadedShard | undefined;

const LOSSES_BEFORE_SMALLER = 2;
const MAX_LOSSES = 10;
const SMALLEST_CHUNK_ROWS = 8;

/**
 * Where a pass stands once the run's last row is written, by the shard's counts then. Called again whenever others have written the shard
 * meanwhile.
 */
export type End = (counted: Shard) => Shard;

/**
 * Decides and writes rows in order, one transaction at a time, so that it holds little more than the rows themselves. `end` says where the pass stands
 * after the last of them. Callers' requests come first: a pass yields before each
 * transaction.
 */
export async function writeRows(
  deps: PassWriting,
  place: ShardPlace,
  input: {
    readonly from: LoadedShard;
    readonly rows: readonly StoredRow[];
    readonly decide: (key: DataKey) => RowStep;
    readonly end: End;
    /** Names this worker's pass; each transaction gets a name of its own from it. */
    readonly writer: string;
  },
): Promise<Advanced> {
  const { end, writer } = input;
  let shard: Advanced = input.from;
  await deps.timers.yield();
  for (const { rows, isLast } of chunksOf(input.rows, input.decide)) {
    const listed = await listedIn(deps.tables, place, rows);
    shard = await writeChunk(deps, place, { from: shard, rows, listed, end: isLast ? end : upTo(rows), writer });
    if (!shard) return undefined;
    if (!isLast) await deps.timers.yield();
  }
  return shard;
}

/** Writes an admin's decision on one row, outside of a pass, in the act's transaction. Answers what to do once it is written. */
export async function writeRow(
  deps: PassWriting,
  place: ShardPlace,
  input: {
    readonly tx: Pick<Writes, 'behindShard'>;
    readonly from: LoadedShard;
    readonly row: Loaded<DataKey>;
    readonly step: RowStep;
  },
): Promise<() => void> {
  const { tx, from, step } = input;
  const { value: key, etag } = input.row;
  const row = { row: { rowKey: key.keyId, etag }, key, step };
  const listed = await listedIn(deps.tables, place, [row]);
  const writtenBy = deps.entropy.id();
  const next = nextShard(deps, from.value, [row], (counted) => counted);
  tx.behindShard(place, { from, next, writtenBy, rows: rowWrites(row, { writtenBy, listed }) });
  return () => {
    logCountsBelowNone(deps.log, place, { before: from.value, after: next });
  };
}

/** Moves the cursor to the last of these rows, in the same phase. */
const upTo = (rows: readonly DecidedRow[]): End => {
  const cursor = rows.at(-1)?.row.rowKey;
  return (shard) => (cursor === undefined ? shard : { ...shard, cursor });
};

/** How many writes a row takes: its own, and its entry in the quarantine list when it enters or leaves. */
const writesFor = (step: RowStep): number =>
  step.change === undefined ? 0 : step.quarantined !== undefined || step.released === true ? 2 : 1;

/** At least one chunk, even if only the shard itself is written. Unchanged rows cost nothing. */
function* chunksOf(
  rows: readonly StoredRow[],
  decide: (key: DataKey) => RowStep,
): Generator<{ readonly rows: readonly DecidedRow[]; readonly isLast: boolean }> {
  let chunk: DecidedRow[] = [];
  let writes = 0;
  for (const row of rows) {
    const key = readDataKey(row.rowKey, row.cells);
    const step = decide(key);
    const more = writesFor(step);
    if (writes + more > MAX_ROWS_BEHIND_SHARD) {
      yield { rows: chunk, isLast: false };
      chunk = [];
      writes = 0;
    }
    chunk.push({ row, key, step });
    writes += more;
  }
  yield { rows: chunk, isLast: true };
}

/** ETags of the quarantine list's entries for rows that leave it, by row key. */
async function listedIn(
  tables: Tables,
  place: ShardPlace,
  rows: readonly DecidedRow[],
): Promise<ReadonlyMap<string, string>> {
  const listed = new Map<string, string>();
  for (const { row, step } of rows) {
    if (step.released !== true) continue;
    const entry = await find(tables, quarantineRow, { ...place, keyId: row.rowKey });
    if (entry) listed.set(row.rowKey, entry.etag);
  }
  return listed;
}

interface Chunk {
  readonly from: LoadedShard;
  readonly rows: readonly DecidedRow[];
  readonly listed: ReadonlyMap<string, string>;
  readonly end: End;
  readonly writer: string;
}

async function writeChunk(deps: PassWriting, place: ShardPlace, input: Chunk): Promise<Advanced> {
  const { from, rows, listed, end, writer } = input;
  const writtenBy = `${writer}.${deps.entropy.id()}`;
  let entries: Chunk['listed'] | undefined = listed;
  let guard = from;
  for (let losses = 0; losses < MAX_LOSSES; losses += 1) {
    if (losses > LOSSES_BEFORE_SMALLER && rows.length > SMALLEST_CHUNK_ROWS)
      return writeHalves(deps, place, { ...input, from: guard });
    const next = nextShard(deps, guard.value, rows, end);
    const writes = rows.flatMap((row) => rowWrites(row, { writtenBy, listed: entries }));
    const written = await writeBehindShard(deps.tables, place, { from: guard, next, writtenBy, rows: writes });
    if (written.outcome === 'committed') {
      logCountsBelowNone(deps.log, place, { before: guard.value, after: next });
      return { value: next, etag: written.etags[0] ?? '', writtenBy };
    }
    if (written.outcome === 'conflict' && written.index > 0) {
      // A row has changed since it was read, or the quarantine list holds a planted entry; the list is only a help.
      if (!writes[written.index - 1]?.rowKey.startsWith(QUARANTINE_PREFIX)) return undefined;
      entries = undefined;
      continue;
    }
    const now = await loadShard(deps.tables, place);
    if (now?.writtenBy === writtenBy) return now;
    if (!now || !stands(now.value, from.value)) return undefined;
    guard = now;
    await pauseAfterLosing(deps, losses);
  }
  return undefined;
}

/** Whether only writers of new keys have changed the shard: same generation, phase and cursor. */
const stands = (now: Shard, before: Shard): boolean =>
  now.generation === before.generation &&
  now.phase === before.phase &&
  now.cursor === before.cursor &&
  now.vain === before.vain;

/** Halves the chunk: under contention a short transaction wins sooner. */
async function writeHalves(deps: PassWriting, place: ShardPlace, input: Chunk): Promise<Advanced> {
  const middle = Math.ceil(input.rows.length / 2);
  const firstRows = input.rows.slice(0, middle);
  const first = await writeChunk(deps, place, { ...input, rows: firstRows, end: upTo(firstRows) });
  return first && writeChunk(deps, place, { ...input, from: first, rows: input.rows.slice(middle) });
}

function nextShard(deps: PassWriting, shard: Shard, rows: readonly DecidedRow[], end: End): Shard {
  const checked = shard.phase === 'verify' ? shard.checked + rows.length : shard.checked;
  return end({ ...counted(shard, movesOf(rows)), checked, touchedAt: deps.clock.now().toISOString() });
}

const movesOf = (rows: readonly DecidedRow[]): RowMove[] =>
  rows.flatMap(({ key, step: { change } }) => (change ? [{ before: key, after: { ...key, ...change } }] : []));

/** `listed` undefined: the quarantine list stays as it is. */
function rowWrites(
  { row, step }: DecidedRow,
  how: { readonly writtenBy: string; readonly listed: Chunk['listed'] | undefined },
): RowWrite[] {
  const { change, quarantined, released } = step;
  if (change === undefined) return [];
  const { rowKey, etag } = row;
  const write: RowWrite = { kind: 'merge', rowKey, cells: dataKeyChangeCells(change, how.writtenBy), etag };
  if (!how.listed) return [write];
  const entryKey = quarantineRowKey(rowKey);
  const entryEtag = released === true ? how.listed.get(rowKey) : undefined;
  if (quarantined !== undefined)
    return [write, { kind: 'insert', rowKey: entryKey, cells: quarantineRow.cells(quarantined) }];
  return entryEtag === undefined ? [write] : [write, { kind: 'delete', rowKey: entryKey, etag: entryEtag }];
}
