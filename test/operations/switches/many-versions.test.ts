// Somebody with access to the tables relabels rows to more company-key versions than a cell holds: no write of the shard fails for it, and
// no switch ends until every row has been counted anew.
import { expect, it } from 'vitest';
import { OTHER_VERSIONS } from '../../../shared/domain/shard-counts.ts';
import { SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';
import { recount } from '../../../shared/operations/switches/recount.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { getSwitch } from '../../../shared/operations/switches/view.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { dataKeysPartition } from '../../../shared/store/rows/row-keys.ts';
import { CONTOSO, place, Rig } from './rig.ts';

const KEYS = 3_000;
const HUGE = 9_000_000_000_000_000;
const keyId = (index: number): string => `key-${String(index).padStart(6, '0')}`;

it('rows at thousands of versions are quarantined by name, and the shard is written all the same', async () => {
  const rig = await Rig.withDataKeys(KEYS, { shardCount: 1 });
  for (let index = 0; index < KEYS - 10; index += 1)
    await rig.tamperDataKey(keyId(index), { companyKeyVersion: HUGE - index });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain();
  const view = await getSwitch(rig.deps, place('s1'));
  expect(view).toMatchObject({
    value: { blocked: { reason: 'counts-differ' }, progress: { quarantined: KEYS - 10 } },
  });
  const [shard] = await rig.shards();
  expect(shard?.at[OTHER_VERSIONS]).toBeLessThan(0);
  expect(shard?.aside[OTHER_VERSIONS]).toBeGreaterThan(2_000);
  const cells = rig.store.peek('datakeys', dataKeysPartition({ ...place(''), shard: 0 }), SHARD_ROW_KEY)?.cells;
  for (const cell of ['at', 'aside']) expect(String(cells?.[cell]).length).toBeLessThan(16 * 1024);

  // Whoever relabels them rightly, and has them counted anew, has the switch end.
  for (let index = 0; index < KEYS - 10; index += 1)
    await rig.tamperDataKey(keyId(index), { companyKeyVersion: 1, state: 'live' });
  expect(await recount(rig.deps, place('s1'), ADMIN)).toMatchObject({ ok: true, value: [{ outcome: 'recounted' }] });
  await rig.drain();
  expect(await rig.openByCaller()).toBe(KEYS);
  expect(await getSwitch(rig.deps, place('s1'))).toMatchObject({ value: { state: 'completed' } });
}, 60_000);
