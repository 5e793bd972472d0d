// Lets a switch be seen half-way, on any machine: from about there on the table front holds its writes back, until whoever wanted to see it
// lets them go.
import type { Environment } from '../environment.ts';

export interface Hold {
  /** Whether anything is held back by now. */
  isReached(): Promise<boolean>;
  release(): Promise<void>;
}

const SHARDS = 16;
const ROWS_PER_WRITE = 99;

/** Each shard is turned by one write; then its rows move, up to 99 in a write. About half of those pass at once. */
export async function holdHalfWay({ tables }: Environment, keys: number): Promise<Hold> {
  const writes = SHARDS * Math.ceil(keys / SHARDS / ROWS_PER_WRITE);
  const skip = SHARDS + Math.ceil(writes / 2);
  await tables.plant({ operation: 'batch', target: 'datakeys', skip, effect: { hold: true } });
  return {
    isReached: async () => ((await tables.call('GET', '/held')) as { readonly held: number }).held > 0,
    release: () => tables.clearFaults(),
  };
}
