// What the next turn of a keyring takes, above all that its shards and rows name. Pure.
import type { Keyring } from './keyring.ts';
import type { Shard } from './shard.ts';

/**
 * Of the next turn: above that of every shard, and not only above the keyring's. Where the tables are copies of which the control rows are
 * older, shards were turned by what nobody knows of any more, and no worker of an older generation may write them.
 */
export const nextGeneration = (keyring: Keyring, shards: readonly ({ readonly value: Shard } | undefined)[]): number =>
  Math.max(keyring.generation, ...shards.map((shard) => shard?.value.generation ?? 0)) + 1;

/** Of a row key ten digits; only whoever relabels rows gets near it. */
const MAX_VERSION_NAMED = 1_000_000_000;

/**
 * The highest company-key version that a shard or its rows name. Where control rows are older than the data keys it may be above every version that
 * the keyring has reserved; a key of the same number would be another one, and both would be needed.
 */
export const highestVersionNamed = (shards: readonly ({ readonly value: Shard } | undefined)[]): number =>
  shards
    .flatMap((shard) => (shard ? [shard.value] : []))
    .flatMap(({ fromVersion, writeVersion, at, aside }) => [
      fromVersion,
      writeVersion,
      ...[at, aside].flatMap((counts) => Object.keys(counts).map(Number)),
    ])
    .reduce((highest, version) => (version <= MAX_VERSION_NAMED ? Math.max(highest, version) : highest), 0);
