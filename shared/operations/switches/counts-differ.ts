// The failure that says which shard's counts do not fit, with the numbers.
import { failure } from '../../domain/failure-catalogue.ts';
import type { Failure } from '../../domain/failure.ts';
import { describeCounts } from '../../domain/shard-counts.ts';
import type { LoadedShard } from '../shard-rows.ts';

const MAX_SHARDS_NAMED = 4;

export function countsDiffer(shards: readonly LoadedShard[]): Failure {
  const named = shards.slice(0, MAX_SHARDS_NAMED).map(({ value }) => {
    const { direction, fromVersion, writeVersion } = value;
    return `moved ${direction} from ${fromVersion} to ${writeVersion}, has ${describeCounts(value)}`;
  });
  const more = shards.length > MAX_SHARDS_NAMED ? [`and ${shards.length - MAX_SHARDS_NAMED} more shards`] : [];
  return failure('counts-differ', { detail: [...named, ...more].join('; ') });
}
