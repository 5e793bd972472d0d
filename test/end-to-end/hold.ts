// Holds switches in the middle of their work for as long as a test needs, however fast or slow the machine is: the tables take the first
// few transactions on data keys and refuse the others, as a store that is over its limits does. Whoever is refused comes back by itself.
import type { Run } from './run.ts';

/** As SHORT_SETTINGS has it: each shard is turned by a transaction of its own. */
const SHARDS = 4;
/** Beside the turns: so some rows are moved. Never all: each shard has at least one for either pass, so more than these and the turns. */
const MOVES = 2;

/**
 * From now on only a few transactions move data keys, until what this answers is called. For a company with keys in each of its shards; nobody
 * but the switch may write data keys before they are used up. `turned`: its shards are turned already.
 */
export async function holdInTheMiddle({ environment }: Run, { turned = false } = {}): Promise<() => Promise<void>> {
  const { tables } = environment;
  const effect = { status: 503 };
  await tables.plant({ operation: 'batch', target: 'datakeys', skip: (turned ? 0 : SHARDS) + MOVES, effect });
  return () => tables.clearFaults();
}
