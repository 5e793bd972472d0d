// Holds the counts of each shard against the rows that are there.
import { expect } from 'vitest';
import { readDataKey } from '../../../shared/store/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { countsAfter, NO_ROWS } from '../../../shared/domain/shard-counts.ts';
import { place, type Rig } from './rig.ts';

export async function expectExactCounts(rig: Rig): Promise<void> {
  for (const [shard, { live, deleted, quarantined, lost, at, aside, uncompared }] of (await rig.shards()).entries()) {
    const partition = dataKeysPartition({ ...place(''), shard });
    const moves = [...rig.store.dump()]
      .filter(({ partitionKey, rowKey }) => partitionKey === partition && !rowKey.startsWith('!'))
      .map(({ rowKey, cells }) => ({ after: readDataKey(rowKey, cells) }));
    expect({ live, deleted, quarantined, lost, at, aside, uncompared }).toEqual(countsAfter(NO_ROWS, moves));
  }
}
