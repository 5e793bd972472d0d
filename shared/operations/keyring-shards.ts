// The `!shard` rows of a new keyring. Inserted only where there is none: another who makes the same keyring loses nothing.
import pLimit from 'p-limit';
import { dataKeysPartition } from '../domain/rows/row-keys.ts';
import { shardCells } from '../domain/rows/data-rows.ts';
import { newShard, SHARD_ROW_KEY } from '../domain/shard.ts';
import type { Clock, Entropy, RowWrite, Tables } from './ports.ts';
import { loadShard, type LoadedShard } from './shard-rows.ts';

const WRITES_IN_FLIGHT = 16;
const MAX_SENDS = 3;

/** False if it cannot be told of one whether it is there: do it again. */
export async function insertShards(
  deps: { readonly tables: Pick<Tables, 'read' | 'write'>; readonly clock: Clock; readonly entropy: Entropy },
  keyring: {
    readonly companyId: string;
    readonly keyringId: string;
    readonly shardCount: number;
    readonly writeVersion: number;
  },
): Promise<boolean> {
  const { companyId, keyringId, writeVersion } = keyring;
  const shard = newShard({ writeVersion, now: deps.clock.now().toISOString() });
  const cells = shardCells(shard, deps.entropy.id());
  const numbers = Array.from({ length: keyring.shardCount }, (_, number) => number);
  const there = await pLimit(WRITES_IN_FLIGHT).map(numbers, async (number) => {
    const place = { companyId, keyringId, shard: number };
    let stray: LoadedShard | undefined;
    for (let sends = 0; sends < MAX_SENDS; sends += 1) {
      const write: RowWrite = stray
        ? { kind: 'replace', rowKey: SHARD_ROW_KEY, cells, etag: stray.etag }
        : { kind: 'insert', rowKey: SHARD_ROW_KEY, cells };
      const written = await deps.tables.write('datakeys', dataKeysPartition(place), [write]);
      if (written.outcome === 'committed') return true;
      if (written.outcome === 'unknown') continue;
      const there = await loadShard(deps.tables, place);
      // An earlier company of this id may have left one, put there by somebody who froze: its version is below every one of ours.
      stray = there && there.value.writeVersion < writeVersion ? there : undefined;
      if (there && !stray) return true;
    }
    return false;
  });
  return there.every(Boolean);
}
