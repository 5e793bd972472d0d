// When an event that was not taken is sent again, and when it is given up: the schedule of Standard Webhooks, each delay up to a fifth longer. What failed
// at once, as when the receiver of many companies' events was away, is so not sent again at once. Pure.

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DELAYS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS];
const LONGEST_DELAY_MS = 10 * HOUR_MS;
const SPREAD = 0.2;
/** What is due later was set by a clock that was ahead. */
export const LATEST_MS = LONGEST_DELAY_MS * (1 + SPREAD);
const GIVEN_UP_AFTER_MS = 72 * HOUR_MS;

interface Attempted {
  /** Failed so far, with the present one. */
  readonly attempts: number;
  /** When the event was recorded, and since when nothing was taken: its days count from the later one. */
  readonly at: string;
  /** Of the event, in hex: what its delays are spread by. */
  readonly hash: string;
  readonly failingSince: string;
  readonly now: Date;
  /** As the receiver asked. */
  readonly retryAfterMs?: number;
}

/** The time of the next attempt; undefined if the event is given up. The last attempt is made when the days are over. */
export function nextAttempt({ attempts, at, hash, failingSince, now, retryAfterMs = 0 }: Attempted): Date | undefined {
  const sinceMs = Math.max(Date.parse(at), Date.parse(failingSince));
  const leftMs = sinceMs + GIVEN_UP_AFTER_MS - now.getTime();
  if (!(leftMs > 0)) return undefined;
  const delayMs = Math.max(DELAYS_MS[attempts - 1] ?? LONGEST_DELAY_MS, retryAfterMs);
  const spreadMs = Math.floor(delayMs * SPREAD * shareOf(hash, attempts));
  return new Date(now.getTime() + Math.min(delayMs + spreadMs, leftMs));
}

const SHARE_DIGITS = 8;

/** From 0 to 1: other digits of the hash for each attempt. */
const shareOf = (hash: string, attempts: number): number => {
  const begin = (attempts * SHARE_DIGITS) % Math.max(1, hash.length);
  const share = Number.parseInt(hash.slice(begin, begin + SHARE_DIGITS), 16) / 16 ** SHARE_DIGITS;
  return Number.isFinite(share) ? share : 0;
};
