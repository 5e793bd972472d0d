// What becomes of a check that has no answer yet. Pure. It may hold a place that vaults wait for which do answer.
export type Fate = 'stay' | 'move-over' | 'give-up';

/** A check that has taken so long may wait for a vault that does not answer: it leaves its place if another one waits for that. */
export const LATE_MS = 1_000;
/** And after so long in any case. */
const SLOW_MS = 2_000;
/** Where checks of vaults that answer take long, since this process has more to do than it can, none is given up for what takes them all as long. */
const UNUSUAL = 4;
/** What took longer was no answer. */
const ANSWERED_MS = 8_000;
const WEIGHT = 1 / 8;

/** `freeOfSilent`: places of those that do not answer, where it may wait for its whole time limit. */
export function fateOf(check: {
  readonly takenMs: number;
  /** Undefined before any check was answered. */
  readonly usualMs: number | undefined;
  readonly othersWait: boolean;
  readonly freeOfSilent: number;
}): Fate {
  const { takenMs, usualMs = Infinity, othersWait, freeOfSilent } = check;
  const mustLeave = takenMs >= SLOW_MS || (takenMs >= LATE_MS && othersWait);
  if (!mustLeave) return 'stay';
  if (freeOfSilent > 0) return 'move-over';
  return takenMs >= UNUSUAL * usualMs ? 'give-up' : 'stay';
}

/** How long checks take of vaults that answer, with one more that took so long. */
export function usualAfter(usualMs: number | undefined, tookMs: number): number | undefined {
  if (tookMs >= ANSWERED_MS) return usualMs;
  return usualMs === undefined ? tookMs : usualMs + WEIGHT * (tookMs - usualMs);
}
