// Holds the counts of each shard against the rows that are there.
import { expect } from 'vitest';
import { readDataKey } from '../../../shared/domain/rows/data-rows.ts';
import { dataKeysPartition } from '../../../shared/domain/rows/row-keys.ts';
import { place, type Rig } from './rig.ts';

export async function expectExactCounts(rig: Rig): Promise<void> {
  for (const [shard, { live, deleted, quarantined, lost, done, writeVersion }] of (await rig.shards()).entries()) {
    const partition = dataKeysPartition({ ...place(''), shard });
    const keys = [...rig.store.dump()]
      .filter(({ partitionKey, rowKey }) => partitionKey === partition && !rowKey.startsWith('!'))
      .map(({ rowKey, cells }) => readDataKey(rowKey, cells));
    const of = (state: string): number => keys.filter((key) => key.state === state).length;
    const atTarget = keys.filter(
      ({ state, companyKeyVersion }) => state !== 'lost' && companyKeyVersion === writeVersion,
    );
    const there = { live: of('live'), deleted: of('deleted'), quarantined: of('quarantined'), lost: of('lost') };
    expect({ live, deleted, quarantined, lost, done }).toEqual({ ...there, done: atTarget.length });
  }
}
