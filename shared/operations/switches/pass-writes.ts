// Writing what a pass decided for a run of rows: transactions of at most 99 rows behind the `!shard` row, one after the other,
// each under the ETag that the one before it gave. Whoever lost the race for the shard looks again before writing anything.
import { dataKeyChangeCells, QUARANTINE_PREFIX, quarantineRowKey } from '../../domain/rows/data-rows.ts';
import { dataKeysPartition } from '../../domain/rows/row-keys.ts';
import { counted, sumOfChanges, type CountChange, type Phase, type Shard } from '../../domain/shard.ts';
import type { RowStep } from '../../domain/reprotect-row.ts';
import {
  MAX_WRITES_PER_TRANSACTION,
  type Clock,
  type Entropy,
  type RowWrite,
  type Tables,
  type Timers,
} from '../ports.ts';
import { pauseAfterLosing } from '../races.ts';
import { loadShard, shardWrite, type LoadedShard, type ShardPlace } from '../shard-rows.ts';

export interface PassWriting {
  readonly tables: Tables;
  readonly timers: Timers;
  readonly entropy: Entropy;
  readonly clock: Clock;
}

/** What is to be written for one row, and what the shard counts for it. */
export interface DecidedRow {
  readonly rowKey: string;
  readonly etag: string;
  readonly step: RowStep;
  /** ETag of the row's entry in the quarantine list, if it has one. */
  readonly quarantineEtag?: string | undefined;
}

/** The shard as it stands after the writes; undefined if it is no longer as the pass found it: read it again. */
export type Advanced = LoadedShard | undefined;

const MAX_ROWS = MAX_WRITES_PER_TRANSACTION - 1;
const LOSSES_BEFORE_SMALLER = 2;
const MAX_LOSSES = 10;
const SMALLEST_CHUNK_ROWS = 8;

/** Writes decided rows in order; `end` is where the pass stands after the last of them. */
export async function writeDecided(
  deps: PassWriting,
  place: ShardPlace,
  input: {
    readonly from: LoadedShard;
    readonly rows: readonly DecidedRow[];
    readonly end: { readonly cursor: string; readonly phase: Phase };
    /** Names this worker's pass; each transaction gets a name of its own from it. */
    readonly writer: string;
  },
): Promise<Advanced> {
  const { rows, end, writer } = input;
  let shard: Advanced = input.from;
  for (const chunk of chunksOf(rows)) {
    if (!shard) return undefined;
    const isLast = chunk.end === rows.length;
    const cursor = isLast ? end.cursor : (rows[chunk.end - 1]?.rowKey ?? end.cursor);
    const phase: Phase = isLast ? end.phase : shard.value.phase;
    shard = await writeChunk(deps, place, {
      from: shard,
      rows: rows.slice(chunk.start, chunk.end),
      end: { cursor, phase },
      writer,
    });
  }
  return shard;
}

/** How many writes a row takes: its own, and its entry in the quarantine list when it enters or leaves. */
const writesFor = ({ step }: DecidedRow): number =>
  step.change === undefined ? 0 : step.quarantined !== undefined || step.released === true ? 2 : 1;

/** At least one chunk, also when there is nothing but the shard itself to write. Unchanged rows cost nothing. */
function chunksOf(rows: readonly DecidedRow[]): { start: number; end: number }[] {
  const chunks: { start: number; end: number }[] = [];
  let start = 0;
  let writes = 0;
  for (const [index, row] of rows.entries()) {
    const more = writesFor(row);
    if (writes + more > MAX_ROWS) {
      chunks.push({ start, end: index });
      start = index;
      writes = 0;
    }
    writes += more;
  }
  chunks.push({ start, end: rows.length });
  return chunks;
}

async function writeChunk(
  deps: PassWriting,
  place: ShardPlace,
  input: {
    readonly from: LoadedShard;
    readonly rows: readonly DecidedRow[];
    readonly end: { readonly cursor: string; readonly phase: Phase };
    readonly writer: string;
  },
): Promise<Advanced> {
  const { from, rows, end, writer } = input;
  const writtenBy = `${writer}.${deps.entropy.id()}`;
  const partition = dataKeysPartition(place);
  let listEntries = true;
  let guard = from;
  for (let losses = 0; losses < MAX_LOSSES; losses += 1) {
    if (losses > LOSSES_BEFORE_SMALLER && rows.length > SMALLEST_CHUNK_ROWS)
      return writeHalves(deps, place, { ...input, from: guard });
    const next = nextShard(deps, guard.value, rows, end);
    const writes = [
      shardWrite(next, { etag: guard.etag, writtenBy }),
      ...rows.flatMap((row) => rowWrites(row, writtenBy, listEntries)),
    ];
    const written = await deps.tables.write('datakeys', partition, writes);
    if (written.outcome === 'committed') return { value: next, etag: written.etags[0] ?? '', writtenBy };
    if (written.outcome === 'conflict' && written.index > 0) {
      // Somebody changed a row since it was read, or planted an entry in the quarantine list; the list is only a help.
      if (!writes[written.index]?.rowKey.startsWith(QUARANTINE_PREFIX)) return undefined;
      listEntries = false;
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

/** A shard that only writers of new keys have touched: the same generation, phase and cursor. */
const stands = (now: Shard, before: Shard): boolean =>
  now.generation === before.generation && now.phase === before.phase && now.cursor === before.cursor;

/** Under contention a short transaction wins sooner. */
async function writeHalves(
  deps: PassWriting,
  place: ShardPlace,
  input: Parameters<typeof writeChunk>[2],
): Promise<Advanced> {
  const middle = Math.ceil(input.rows.length / 2);
  const firstRows = input.rows.slice(0, middle);
  const first = await writeChunk(deps, place, {
    from: input.from,
    rows: firstRows,
    end: { cursor: firstRows.at(-1)?.rowKey ?? input.end.cursor, phase: input.from.value.phase },
    writer: input.writer,
  });
  return first && writeChunk(deps, place, { ...input, from: first, rows: input.rows.slice(middle) });
}

function nextShard(
  deps: PassWriting,
  shard: Shard,
  rows: readonly DecidedRow[],
  end: { readonly cursor: string; readonly phase: Phase },
): Shard {
  const change = rows.reduce<CountChange>((sum, { step }) => sumOfChanges(sum, step.counts), {});
  const checked = shard.phase === 'verify' ? shard.checked + rows.length : shard.checked;
  return { ...counted(shard, change), ...end, checked, touchedAt: deps.clock.now().toISOString() };
}

function rowWrites(row: DecidedRow, writtenBy: string, listEntries: boolean): RowWrite[] {
  const { change, quarantined, released } = row.step;
  if (change === undefined) return [];
  const write: RowWrite = {
    kind: 'merge',
    rowKey: row.rowKey,
    cells: dataKeyChangeCells(change, writtenBy),
    etag: row.etag,
  };
  if (!listEntries) return [write];
  const entryKey = quarantineRowKey(row.rowKey);
  if (quarantined !== undefined)
    return [write, { kind: 'insert', rowKey: entryKey, cells: { format: 1, reason: quarantined } }];
  if (released === true && row.quarantineEtag !== undefined) {
    return [write, { kind: 'delete', rowKey: entryKey, etag: row.quarantineEtag }];
  }
  return [write];
}
