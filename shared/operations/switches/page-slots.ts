// Limits how many pages of passes a process works on at once to as many as the store handles in parallel. A caller's request waits behind each page in
// progress, so pages that only wait for each other cost callers time and do not speed up the switch.
import pLimit from 'p-limit';
import type { Clock } from '../../domain/ports.ts';

/**
 * Runs a page when there is room for it, in the order of asking. `rowsOf`: how many rows were moved, if the page was finished: only finished pages are
 * measured, and compared with pages of about the same length.
 */
export type PageSlots = <T>(page: () => Promise<T>, rowsOf: (done: T) => number | undefined) => Promise<T>;

/** As many messages as host.json lets a process work on. */
const MAX_PAGES = 16;
/** Fewer pages are too few to measure by. */
const MIN_MEASURED = 4;
/** A mean longer than this many times the shortest one: pages wait for each other. */
const TOO_LONG = 1.5;
const SHORT_ENOUGH = 1.3;
/** The shortest mean grows by this factor at each measurement, since a store may have become slower for good. */
const FORGETTING = 1.002;
/** A clock counts whole milliseconds. */
const MIN_MS = 1;
const ROWS_OF_A_LENGTH = 33;

/** Of pages of one length. */
interface Measured {
  shortestMs: number;
  /** Since the number of pages at once was last changed. */
  pages: number;
  sumMs: number;
}

/**
 * One for each process, for all companies. Starts with one page at once; grows by a quarter while pages take little longer than at best, and shrinks by
 * a quarter when they do. Pages ask no vault: a vault that does not answer would hold up all companies' switches.
 */
export function pageSlots(clock: Pick<Clock, 'now'>): PageSlots {
  const limit = pLimit(1);
  const byLength = new Map<number, Measured>();
  /** Counts changes of the limit: pages that began under another limit are not measured. */
  let changes = 0;

  const judge = (measured: Measured): void => {
    const { concurrency } = limit;
    if (measured.pages < Math.max(MIN_MEASURED, 2 * concurrency)) return;
    const meanMs = measured.sumMs / measured.pages;
    // A page by itself waits for no other, so its time is the new measure.
    measured.shortestMs = concurrency === 1 ? meanMs : Math.min(measured.shortestMs * FORGETTING, meanMs);
    for (const each of byLength.values()) [each.pages, each.sumMs] = [0, 0];
    const next = nextPages(concurrency, meanMs / measured.shortestMs);
    if (next === concurrency) return;
    changes += 1;
    limit.concurrency = next;
  };

  return (page, rowsOf) =>
    limit(async () => {
      const [begunMs, begunAt] = [clock.now().getTime(), changes];
      const done = await page();
      const [rows, tookMs] = [rowsOf(done), clock.now().getTime() - begunMs];
      if (rows === undefined || begunAt !== changes) return done;
      const length = Math.ceil(rows / ROWS_OF_A_LENGTH);
      const measured = byLength.get(length) ?? { shortestMs: Infinity, pages: 0, sumMs: 0 };
      byLength.set(length, measured);
      measured.pages += 1;
      measured.sumMs += Math.max(MIN_MS, tookMs);
      judge(measured);
      return done;
    });
}

function nextPages(pages: number, timesShortest: number): number {
  if (timesShortest > TOO_LONG) return Math.max(1, Math.floor(pages * 0.75));
  if (timesShortest < SHORT_ENOUGH) return Math.min(MAX_PAGES, pages + Math.ceil(pages / 4));
  return pages;
}
