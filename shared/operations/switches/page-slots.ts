// How many pages of passes one process has under way at once: as many as the store answers side by side. A caller's request waits behind every
// page that is under way, in this process and in the store, so pages that only make each other wait cost callers time and the switch gains nothing.
import pLimit from 'p-limit';
import type { Clock } from '../../domain/ports.ts';

/**
 * Lets a page be worked on when there is room for it, in the order of asking. `rowsOf`: how many rows were moved, if the page was
 * worked on to its end: only such are measured, and compared with pages of about the same length.
 */
export type PageSlots = <T>(page: () => Promise<T>, rowsOf: (done: T) => number | undefined) => Promise<T>;

/** As many messages as host.json lets a process work on. */
const MAX_PAGES = 16;
/** Fewer pages say little of what a page takes. */
const MIN_MEASURED = 4;
/** Longer than this many times the shortest mean: pages wait for each other. */
const TOO_LONG = 1.5;
const SHORT_ENOUGH = 1.3;
/** By so much the shortest mean grows each time that pages are looked at: a store may have become slower for good. */
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
 * One for each process, for all companies. Begins with one page; grows by a quarter while pages take little longer than they do at best, and
 * shrinks by a quarter when they do. No vault is asked in one: a silent vault would hold up the switches of all companies.
 */
export function pageSlots(clock: Clock): PageSlots {
  const limit = pLimit(1);
  const byLength = new Map<number, Measured>();
  /** Pages that began under another number of pages at once say nothing of this one. */
  let changes = 0;

  const judge = (measured: Measured): void => {
    const { concurrency } = limit;
    if (measured.pages < Math.max(MIN_MEASURED, 2 * concurrency)) return;
    const meanMs = measured.sumMs / measured.pages;
    // A page by itself waits for none of the others: what it takes now is the measure, whatever it took before.
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
