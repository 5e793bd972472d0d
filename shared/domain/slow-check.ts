// What becomes of a check that has no answer yet. Pure. It may hold a place that vaults wait for which do answer.
export type Fate = 'stay' | 'move-over' | 'give-up';

/** A check that has taken so long may wait for a vault that does not answer: it leaves its place if another one waits for that. */
export const LATE_MS = 1_000;
/** And after so long in any case. */
export const SLOW_MS = 2_000;

/** `freeOfSilent`: places of those that do not answer, where it may wait for its whole time limit. */
export function fateOf(check: {
  readonly takenMs: number;
  readonly othersWait: boolean;
  readonly freeOfSilent: number;
}): Fate {
  const mustLeave = check.takenMs >= SLOW_MS || (check.takenMs >= LATE_MS && check.othersWait);
  if (!mustLeave) return 'stay';
  return check.freeOfSilent > 0 ? 'move-over' : 'give-up';
}
