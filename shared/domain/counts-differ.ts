// The failure that names the shards whose counts do not fit their rows, with the numbers.
import { failure } from './failures.ts';
import type { Failure } from './failure.ts';
import { describeCounts } from './shard-counts.ts';
import type { Shard } from './shard.ts';

const MAX_SHARDS_NAMED = 4;

export function countsDiffer(shards: readonly Shard[]): Failure {
  const named = shards.slice(0, MAX_SHARDS_NAMED).map((shard) => {
    const { direction, fromVersion, writeVersion } = shard;
    return `moved ${direction} from ${fromVersion} to ${writeVersion}, has ${describeCounts(shard)}`;
  });
  const more = shards.length > MAX_SHARDS_NAMED ? [`and ${shards.length - MAX_SHARDS_NAMED} more shards`] : [];
  return failure('counts-differ', { detail: [...named, ...more].join('; ') });
}
