// Many callers, many instances and no locks: the loser of a transaction reads again and decides again. The number of attempts is bounded,
// and random pauses keep losers from meeting again.
import type { Refusal } from '../domain/refusal.ts';
import { err, type Result } from '../domain/result.ts';
import { type WriteOutcome } from './tables.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import type { Entropy, Timers } from '../domain/ports.ts';

export interface Races {
  readonly timers: Timers;
  readonly entropy: Entropy;
}

const MAX_ATTEMPTS = 12;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 400;

/** A pause of a random length that grows with the attempts already lost. */
export async function pauseAfterLosing({ timers, entropy }: Races, losses: number): Promise<void> {
  const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** losses, LONGEST_PAUSE_MS);
  const share = ((entropy.bytes(1)[0] ?? 0) + 1) / 256;
  await timers.sleep(longestMs * share);
}

/** Why an attempt decided nothing: others were first, or the answer to its write was lost. */
export type Undecided = 'lost-race' | 'no-answer';

export const undecided = (written: Exclude<WriteOutcome, { readonly outcome: 'committed' }>): Undecided =>
  written.outcome === 'unknown' ? 'no-answer' : 'lost-race';

/**
 * Repeats the attempt until it is decided. After MAX_ATTEMPTS lost races: `busy`, and nothing was done. If one of them had no answer, it is
 * unknown what was done, and it throws StoreUnavailable.
 */
export async function settleRaces<T>(
  races: Races,
  attempt: () => Promise<Result<T, Refusal> | Undecided>,
): Promise<Result<T, Refusal>> {
  let isAnswerMissing = false;
  for (let losses = 0; losses < MAX_ATTEMPTS; losses += 1) {
    if (losses > 0) await pauseAfterLosing(races, losses);
    const decided = await attempt();
    if (decided !== 'lost-race' && decided !== 'no-answer') return decided;
    if (decided === 'no-answer') isAnswerMissing = true;
  }
  if (isAnswerMissing) throw new StoreUnavailable('the outcome of a write stays unknown');
  return err({ type: 'busy', retryAfterSeconds: 1 });
}
