// The generation and version that a keyring's next turn takes: above all that its shards and rows name. Pure.
import type { Keyring } from './keyring.ts';
import type { Shard } from './shard.ts';

/**
 * The next turn's generation: above that of every shard, not only above the keyring's. In restored tables with older control rows, shards may carry
 * generations that the keyring has never seen, and workers of those must not write any more.
 */
export const nextGeneration = (keyring: Keyring, shards: readonly ({ readonly value: Shard } | undefined)[]): number =>
  Math.max(keyring.generation, ...shards.map((shard) => shard?.value.generation ?? 0)) + 1;

/** Row keys hold ten digits; only tampering leads near this. */
const MAX_VERSION_NAMED = 1_000_000_000;

/**
 * The highest company-key version that a shard or its rows name. In restored tables with older control rows it may be above every version that the
 * keyring has reserved; a new key of the same number would be another key, and both would be needed.
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
