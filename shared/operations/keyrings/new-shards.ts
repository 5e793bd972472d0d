// The `!shard` rows of a new keyring. Inserts only absent ones, so that another call that makes the same keyring loses nothing.
import pLimit from 'p-limit';
import { insertIfAbsent } from '../../store/insert-if-absent.ts';
import { shardRow } from '../../store/rows/data-rows.ts';
import { newShard } from '../../domain/shard.ts';
import type { Tables } from '../../store/tables.ts';
import type { Clock, Entropy } from '../../domain/ports.ts';
import { shardPlaces } from '../../store/shard-rows.ts';

const WRITES_IN_FLIGHT = 16;

/** False if it stays unknown whether all are there: call again. */
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
  const written = { shard, writtenBy: deps.entropy.id() };
  const there = await pLimit(WRITES_IN_FLIGHT).map(shardPlaces(keyring), (place) =>
    insertIfAbsent(deps.tables, shardRow, place, written),
  );
  return there.every(Boolean);
}
