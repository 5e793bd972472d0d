// The failure that says which shard's counts do not fit, with the numbers.
import { failure } from './failure-catalogue.ts';
import type { Failure } from './failure.ts';
import { describeCounts } from './shard-counts.ts';
import type { LoadedShard } from '../store/shard-rows.ts';

const MAX_SHARDS_NAMED = 4;

export function countsDiffer(shards: readonly LoadedShard[]): Failure {
  const named = shards.slice(0, MAX_SHARDS_NAMED).map(({ value }) => {
    const { direction, fromVersion, writeVersion } = value;
    return `moved ${direction} from ${fromVersion} to ${writeVersion}, has ${describeCounts(value)}`;
  });
  const more = shards.length > MAX_SHARDS_NAMED ? [`and ${shards.length - MAX_SHARDS_NAMED} more shards`] : [];
  return failure('counts-differ', { detail: [...named, ...more].join('; ') });
}
