// Many callers, many instances and no locks: whoever loses a transaction looks again and decides again. The bound keeps a request
// from going round for ever; the jitter keeps losers from meeting again.
import type { Refusal } from '../domain/refusal.ts';
import { err, type Result } from '../domain/result.ts';
import type { Entropy, Timers } from './ports.ts';

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

/** Tries until the attempt is decided. After MAX_ATTEMPTS lost races: `busy`, and nothing was done. */
export async function settleRaces<T>(
  races: Races,
  attempt: () => Promise<Result<T, Refusal> | 'lost-race'>,
): Promise<Result<T, Refusal>> {
  for (let losses = 0; losses < MAX_ATTEMPTS; losses += 1) {
    if (losses > 0) await pauseAfterLosing(races, losses);
    const decided = await attempt();
    if (decided !== 'lost-race') return decided;
  }
  return err({ type: 'busy', retryAfterSeconds: 1 });
}
