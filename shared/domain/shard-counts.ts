// The exact counts of a shard, and the one function that changes them. Pure. Whoever writes data rows computes the counts of the `!shard`
// row beside them from each row as it was before and as it is after, here and nowhere else: so counts, rows and cursor move together,
// and whether a shard is done can be told from its counts alone (invariants 3 and 4).
import type { DataKeyState } from './data-key.ts';

/** How many rows are at each company-key version. A version at which none is has no entry; beyond so many versions all are one entry. */
export type VersionCounts = Readonly<Record<number, number>>;

/**
 * How many versions have an entry of their own in a cell that holds 32 Ki characters. Keyswitch's own writes have two, those of a torn store
 * a few more. Whoever relabels rows to more versions than these stops no write of the shard: it only never counts as done.
 */
export const MAX_COUNTED_VERSIONS = 256;
/**
 * The entry of all versions that have none of their own. Never the version of a row. Once `at` has it, it stays until the shard is counted
 * anew, also when it comes to none: what was added at one version and taken away at another must not cancel out.
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

/** What counts of a row. A row that is not there counts nothing, nor does a tombstone. */
export interface CountedRow {
  readonly state: DataKeyState;
  readonly companyKeyVersion: number;
  readonly previous: Uint8Array;
}

/** One row as it was before a transaction and as it is after; undefined where it is not there. */
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
 * The counts after rows have moved. Nothing is clamped: whoever relabels a row behind Keyswitch's back leaves a count below none when it
 * moves on, and that holds the shard from being done (invariant 4) instead of being made to look right. `own`: versions that have an entry
 * of their own however many there are, those that the shard is moved between.
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

/** All rows of a version are in one entry: in its own, or among the others until none is among them any more. */
function entryOf(counts: ReadonlyMap<number, number>, version: number): number {
  if (counts.has(version)) return version;
  return counts.has(OTHER_VERSIONS) || counts.size >= MAX_COUNTED_VERSIONS ? OTHER_VERSIONS : version;
}

function addAt(counts: Map<number, number>, version: number, by: 1 | -1): void {
  const now = (counts.get(version) ?? 0) + by;
  if (now === 0) counts.delete(version);
  else counts.set(version, now);
}

/** Everything that still has a blob which a pass must move: lost rows and tombstones are skipped. */
export const movable = (counts: ShardCounts): number => counts.live + counts.deleted + counts.quarantined;

export const total = (counts: ShardCounts): number => movable(counts) + counts.lost;

/** How many movable rows are at a company-key version. */
export const movableAt = (counts: ShardCounts, version: number): number =>
  (counts.at[version] ?? 0) + (counts.aside[version] ?? 0);

/** More versions than have an entry: only counting anew tells what is there. */
export const hasOtherVersions = ({ at, aside }: ShardCounts): boolean =>
  [at, aside].some((counts) => counts[OTHER_VERSIONS] !== undefined);

const isBelowNone = (count: number): boolean => count < 0;

/** True if a row was changed by somebody else: by Keyswitch's own writes alone no count can fall below none. */
export const hasCountBelowNone = (counts: ShardCounts): boolean =>
  [counts.live, counts.deleted, counts.quarantined, counts.lost, counts.uncompared].some(isBelowNone) ||
  Object.values(counts.at).some(isBelowNone) ||
  Object.values(counts.aside).some(isBelowNone);

/** Every live and deleted row is at `version`, and no count is below none: what the end of a first pass asks. */
export function allAreAt(counts: ShardCounts, version: number): boolean {
  if (hasCountBelowNone(counts)) return false;
  const expected = counts.live + counts.deleted;
  return Object.keys(counts.at).length === (expected === 0 ? 0 : 1) && (counts.at[version] ?? 0) === expected;
}

/** And none of them is uncompared: what `done` asks. */
export const areDoneAt = (counts: ShardCounts, version: number): boolean =>
  allAreAt(counts, version) && counts.uncompared === 0;

/** And none is quarantined, at whichever version: what the end of a switch asks of every shard (invariant A4). */
export const mayEndAt = (counts: ShardCounts, version: number): boolean =>
  areDoneAt(counts, version) && counts.quarantined === 0 && Object.keys(counts.aside).length === 0;

const MAX_VERSIONS_NAMED = 8;

/** For people: the numbers that do not fit, and nothing else; of many versions the first. */
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
