// How a bug is described: a search and replace on a copy of the product.
export interface Patch {
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedBug {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The first seed to try: for a bug that few seeds find, one shortly before one that does. It saves time and proves no less. */
  readonly from: number;
}

export const inFile = (file: string, ...changes: readonly (readonly [find: string, replace: string])[]): Patch[] =>
  changes.map(([find, replace]) => ({ file, find, replace }));

export const bug = (name: string, from: number, ...patches: readonly Patch[][]): PlantedBug => ({
  name,
  from,
  patches: patches.flat(),
});

/** Beside another bug: what would then be lost is what the counts are for. */
export const COUNTS_NOT_COMPARED = [
  inFile(
    'shared/domain/shard.ts',
    ["if (phase === 'verify' && areDoneAt(shard, writeVersion))", "if (phase === 'verify')"],
    ["if (phase === 'rewrap' && allAreAt(shard, writeVersion))", "if (phase === 'rewrap')"],
  ),
  inFile(
    'shared/domain/switch-machine.ts',
    ["if (differ.length > 0) return { type: 'counts-differ', shards: differ };", ''],
    ['!shard || !mayEndAt(shard, writeVersion)', '!shard || shard.quarantined > 0'],
  ),
];
