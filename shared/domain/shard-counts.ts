// The exact counts of a shard, and the only function that changes them. Pure. Each write of data rows computes the counts of the `!shard` row
// beside them from each row before and after the write. So counts, rows and cursor move together, and the counts alone tell whether a
// shard is done (invariants 3 and 4).
import type { DataKeyState } from './data-key.ts';

/** How many rows are at each company-key version. Zero counts have no entry; above a number of versions, the rest share one entry. */
export type VersionCounts = Readonly<Record<number, number>>;

/**
 * How many versions have their own entry in a cell that holds 32 Ki characters. Keyswitch's own writes need two, a restored store a few more. Rows
 * tampered to more versions stop no write of the shard; it just never counts as done.
 */
export const MAX_COUNTED_VERSIONS = 256;
/**
 * The entry of all versions without their own; never the version of a row. Once `at` has it, it stays until the shard is counted again, even at
 * zero: a row added at one such version and one removed at another must not cancel out.
 */
export const OTHER_VERSIONS = -1;

export interface ShardCounts {
  readonly live: number;
  readonly deleted: number;
  readonly quarantined: number;
  readonly lost: number;
  /** Live and deleted rows, per company-key version: their sum is `live` + `deleted`. */
  readonly at: VersionCounts;
  /** Quarantined rows, per company-key version: their sum is `quarantined`. */
  readonly aside: VersionCounts;
  /** Live and deleted rows that still have the blob that they came from beside them. */
  readonly uncompared: number;
}

/** What counts about a row. An absent row counts nothing, nor does a tombstone. */
export interface CountedRow {
  readonly state: DataKeyState;
  readonly companyKeyVersion: number;
  readonly previous: Uint8Array;
}

/** One row before and after a transaction; undefined where it is absent. */
export interface RowMove {
  readonly before?: CountedRow | undefined;
  readonly after?: CountedRow | undefined;
}

export const NO_ROWS: ShardCounts = { live: 0, deleted: 0, quarantined: 0, lost: 0, at: {}, aside: {}, uncompared: 0 };

interface Tally {
  live: number;
  deleted: number;
  quarantined: number;
  lost: number;
  at: Map<number, number>;
  aside: Map<number, number>;
  uncompared: number;
}

const byVersion = (counts: VersionCounts): Map<number, number> =>
  new Map(Object.entries(counts).map(([version, count]) => [Number(version), count]));

/**
 * The counts after rows have moved. Nothing is clamped: a row whose version was tampered with makes a count negative when it moves on, which keeps
 * the shard from being done (invariant 4) instead of hiding it. `own`: the versions that the shard is moved between, which always have their own
 * entry.
 */
export function countsAfter(counts: ShardCounts, moves: Iterable<RowMove>, own: readonly number[] = []): ShardCounts {
  const { live, deleted, quarantined, lost, at, aside, uncompared } = counts;
  const tally: Tally = { live, deleted, quarantined, lost, at: byVersion(at), aside: byVersion(aside), uncompared };
  for (const { before, after } of moves) {
    if (before) add(tally, before, -1, own);
    if (after) add(tally, after, 1, own);
  }
  return { ...tally, at: Object.fromEntries(tally.at), aside: Object.fromEntries(tally.aside) };
}

function add(
  tally: Tally,
  { state, companyKeyVersion, previous }: CountedRow,
  by: 1 | -1,
  own: readonly number[],
): void {
  if (state === 'tombstone') return;
  tally[state] += by;
  if (state === 'lost') return;
  const counts = state === 'quarantined' ? tally.aside : tally.at;
  const entry = own.includes(companyKeyVersion) ? companyKeyVersion : entryOf(counts, companyKeyVersion);
  addAt(counts, entry, by);
  if (entry === OTHER_VERSIONS && state !== 'quarantined' && !counts.has(entry)) counts.set(entry, 0);
  if (state !== 'quarantined' && previous.length > 0) tally.uncompared += by;
}

/** All rows of a version are in one entry: its own, or the shared one for as long as that exists. */
function entryOf(counts: ReadonlyMap<number, number>, version: number): number {
  if (counts.has(version)) return version;
  return counts.has(OTHER_VERSIONS) || counts.size >= MAX_COUNTED_VERSIONS ? OTHER_VERSIONS : version;
}

function addAt(counts: Map<number, number>, version: number, by: 1 | -1): void {
  const now = (counts.get(version) ?? 0) + by;
  if (now === 0) counts.delete(version);
  else counts.set(version, now);
}

/** Rows with a blob that a pass must move: all but lost rows and tombstones. */
export const movable = (counts: ShardCounts): number => counts.live + counts.deleted + counts.quarantined;

export const total = (counts: ShardCounts): number => movable(counts) + counts.lost;

/** How many movable rows are at a company-key version. */
export const movableAt = (counts: ShardCounts, version: number): number =>
  (counts.at[version] ?? 0) + (counts.aside[version] ?? 0);

/** There are more versions than entries: only a new count tells what is there. */
export const hasOtherVersions = ({ at, aside }: ShardCounts): boolean =>
  [at, aside].some((counts) => counts[OTHER_VERSIONS] !== undefined);

const isBelowNone = (count: number): boolean => count < 0;

/** True if rows were written past Keyswitch: its own writes never make a count negative. */
export const hasCountBelowNone = (counts: ShardCounts): boolean =>
  [counts.live, counts.deleted, counts.quarantined, counts.lost, counts.uncompared].some(isBelowNone) ||
  Object.values(counts.at).some(isBelowNone) ||
  Object.values(counts.aside).some(isBelowNone);

/** Every live and deleted row is at `version`, and no count is negative: the condition for the end of a first pass. */
export function allAreAt(counts: ShardCounts, version: number): boolean {
  if (hasCountBelowNone(counts)) return false;
  const expected = counts.live + counts.deleted;
  return Object.keys(counts.at).length === (expected === 0 ? 0 : 1) && (counts.at[version] ?? 0) === expected;
}

/** And none of them is uncompared: the condition for `done`. */
export const areDoneAt = (counts: ShardCounts, version: number): boolean =>
  allAreAt(counts, version) && counts.uncompared === 0;

/** And none is quarantined at any version: the condition, for every shard, of a switch's end (invariant A4). */
export const mayEndAt = (counts: ShardCounts, version: number): boolean =>
  areDoneAt(counts, version) && counts.quarantined === 0 && Object.keys(counts.aside).length === 0;

const MAX_VERSIONS_NAMED = 8;

/** For people: only the numbers that are not zero; of many versions the first. */
export function describeCounts(counts: ShardCounts): string {
  const { live, deleted, quarantined, lost, at, aside, uncompared } = counts;
  const numbers = { live, deleted, quarantined, lost, uncompared };
  const named = Object.entries(numbers).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]));
  return [...named, ...versionsIn('at', at), ...versionsIn('quarantined at', aside)].join(', ') || 'no rows';
}

function versionsIn(what: string, counts: VersionCounts): string[] {
  const entries = Object.entries(counts);
  const named = entries
    .slice(0, MAX_VERSIONS_NAMED)
    .map(([version, count]) =>
      Number(version) === OTHER_VERSIONS ? `${count} ${what} other versions` : `${count} ${what} version ${version}`,
    );
  const more = entries.slice(MAX_VERSIONS_NAMED);
  if (more.length === 0) return named;
  const rows = more.reduce((sum, [, count]) => sum + count, 0);
  return [...named, `${rows} ${what} ${more.length} more versions`];
}
