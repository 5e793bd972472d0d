// Many poison messages at the same moment, as a queue hands them out: none goes unrecorded because others are recorded, and all of them
// together are recorded a hundred times a day at most.
import { aheadOf } from '../../fakes/fake-system.ts';
import { expect, it } from 'vitest';
import { SYSTEM_PARTITION } from '../../../shared/store/rows/row-keys.ts';
import { recordPoison } from '../../../shared/operations/switches/poison.ts';
import { MAX_POISON_PER_DAY } from '../../../shared/operations/switches/poison.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { auditRig, type AuditRig } from '../audit/chain.ts';

const RACES_ONLY = { lostBefore: 0, lostAfter: 0, unavailable: 0 };
const DAY_MS = 24 * 60 * 60 * 1000;

const recorded = ({ store }: AuditRig): string[] =>
  [...store.dump()].filter(({ rowKey }) => rowKey.startsWith('poison|')).map(({ rowKey }) => rowKey);

/** Each over the store by itself, with others going first as the seed says. How many ended, and how many come again. */
async function atOnce(
  rig: AuditRig,
  values: readonly unknown[],
  { seed, faults = RACES_ONLY }: { readonly seed: number; readonly faults?: typeof RACES_ONLY },
): Promise<unknown[]> {
  const settled = await Promise.allSettled(
    values.map((value, index) => {
      const tables = new FaultyTables(rig.store, { seed: seed * 1_000 + index, faults });
      return recordPoison(rig.over(tables), { reason: 'a test', value });
    }),
  );
  return values.filter((_, index) => settled[index]?.status === 'rejected');
}

const messages = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

it.each([16, 32, 64])('%i that come at once are all recorded', async (count) => {
  for (let seed = 0; seed < 10; seed += 1) {
    const rig = auditRig();
    expect(await atOnce(rig, messages(count), { seed })).toEqual([]);
    expect(recorded(rig)).toHaveLength(count);
  }
});

it('those whose answers are lost are recorded once they have come again', async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const rig = auditRig();
    const faults = { lostBefore: 0.2, lostAfter: 0.2, unavailable: 0.05 };
    let left: unknown[] = messages(32);
    for (let deliveries = 0; left.length > 0 && deliveries < 10; deliveries += 1)
      left = await atOnce(rig, left, { seed: seed * 10 + deliveries, faults });
    expect(left).toEqual([]);
    expect(recorded(rig)).toHaveLength(32);
  }
});

it('more than there is room for on a day end all the same, with exactly so many recorded', async () => {
  const rig = auditRig();
  let left: unknown[] = messages(3 * MAX_POISON_PER_DAY);
  for (let deliveries = 0; left.length > 0 && deliveries < 10; deliveries += 1)
    left = await atOnce(rig, left, { seed: deliveries });
  expect(left).toEqual([]);
  expect(recorded(rig)).toHaveLength(MAX_POISON_PER_DAY);
  const counted = rig.store.peek('companies', SYSTEM_PARTITION, 'poisoncount')?.cells;
  expect(counted?.['notRecorded']).toBeGreaterThan(0);
});

it('an instance by whose clock it is yesterday still takes no slot from today', async () => {
  const rig = auditRig();
  rig.clock.advance(DAY_MS);
  await atOnce(rig, messages(MAX_POISON_PER_DAY), { seed: 1 });
  const before = recorded(rig);
  await recordPoison({ ...rig.deps, clock: aheadOf(rig.clock, -DAY_MS) }, { reason: 'a test', value: 'late' });
  expect(recorded(rig)).toEqual(before);
  rig.clock.advance(DAY_MS);
  await recordPoison(rig.deps, { reason: 'a test', value: 'tomorrow' });
  expect(recorded(rig)).toHaveLength(MAX_POISON_PER_DAY + 1);
});
