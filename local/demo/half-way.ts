// Lets a small switch be seen half-way. With a few hundred keys a switch is over before anybody can look; so, for these only,
// the table front holds some writes back for a moment, once. Large switches are never slowed.
import type { Environment } from '../environment.ts';

interface Hold {
  release(): Promise<void>;
}

const SHARDS = 16;
const ROWS_PER_WRITE = 99;
const HOLD_MS = 1_500;
/** From here on a switch lasts long enough. */
export const LARGE_SWITCH_KEYS = 5_000;

/** Each shard is turned by one write; then its rows move, up to 99 in a write. About half of those pass at once. */
export async function holdHalfWay({ tables }: Environment, keys: number): Promise<Hold> {
  const writes = SHARDS * Math.ceil(keys / SHARDS / ROWS_PER_WRITE);
  const skip = SHARDS + Math.ceil(writes / 2);
  await tables.plant({ operation: 'batch', target: 'datakeys', skip, times: SHARDS, effect: { delayMs: HOLD_MS } });
  return { release: () => tables.clearFaults() };
}
