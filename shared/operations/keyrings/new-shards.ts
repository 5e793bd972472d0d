// The `!shard` rows of a new keyring. Inserted only where there is none: another who makes the same keyring loses nothing.
import pLimit from 'p-limit';
import { dataKeysPartition } from '../../store/rows/row-keys.ts';
import { shardCells } from '../../store/rows/data-rows.ts';
import { newShard, SHARD_ROW_KEY } from '../../domain/shard.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import { shardPlaces } from '../../store/shard-rows.ts';

const WRITES_IN_FLIGHT = 16;
const MAX_SENDS = 3;

/** False if it cannot be told of one whether it is there: do it again. */
export async function insertShards(
  deps: { readonly tables: Pick<Tables, 'write'>; readonly clock: Clock; readonly entropy: Entropy },
  keyring: {
    readonly companyId: string;
    readonly keyringId: string;
    readonly shardCount: number;
    readonly writeVersion: number;
  },
): Promise<boolean> {
  const shard = newShard({ writeVersion: keyring.writeVersion, now: deps.clock.now().toISOString() });
  const cells = shardCells(shard, deps.entropy.id());
  const there = await pLimit(WRITES_IN_FLIGHT).map(shardPlaces(keyring), async (place) => {
    const partition = dataKeysPartition(place);
    const write = { kind: 'insert', rowKey: SHARD_ROW_KEY, cells } as const;
    for (let sends = 0; sends < MAX_SENDS; sends += 1) {
      const written = await deps.tables.write('datakeys', partition, [write]);
      if (written.outcome === 'committed' || (written.outcome === 'conflict' && written.reason === 'exists'))
        return true;
    }
    return false;
  });
  return there.every(Boolean);
}
