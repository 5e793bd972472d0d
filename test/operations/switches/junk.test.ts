// Whoever may send to the queue and nothing else: what they can make grow, and what they can stop.
import { expect, it } from 'vitest';
import { handleWorkMessage } from '../../../functions/service-bus/work.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { MAX_POISON_PER_DAY } from '../../../shared/operations/switches/poison.ts';
import { handleDeadLetter } from '../../../shared/operations/switches/dead-letter.ts';
import { startRekey } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, KEYRING, place, Rig } from './rig.ts';

const JUNK = 100_000;
/** For each that is recorded a row, its slot, an event and its marker; and a count, the head of the chain and its item on the agenda. */
const MAX_GROWTH = 4 * MAX_POISON_PER_DAY + 3;

it('a hundred thousand junk messages leave a bounded number of rows, and are counted', async () => {
  const rig = await Rig.withDataKeys(1);
  const before = [...rig.store.dump()].length;
  // The log has a line for each: nobody needs them here.
  const deps = { ...rig.deps, log: { write: () => undefined } };
  for (let index = 0; index < JUNK; index += 1) await handleWorkMessage(deps, { junk: index }, {});
  const rows = [...rig.store.dump()];
  expect(rows.length - before).toBeLessThanOrEqual(MAX_GROWTH);
  expect(rows.filter(({ rowKey }) => rowKey.startsWith('poison|'))).toHaveLength(MAX_POISON_PER_DAY);
  const counted = rows.find(({ rowKey }) => rowKey === 'poisoncount')?.cells;
  expect(counted).toMatchObject({ notRecorded: JUNK - MAX_POISON_PER_DAY });
  rig.clock.advance(24 * 60 * 60 * 1000);
  await handleWorkMessage(deps, { junk: 'tomorrow' }, {});
  const now = [...rig.store.dump()];
  expect(now.filter(({ rowKey }) => rowKey.startsWith('poison|'))).toHaveLength(MAX_POISON_PER_DAY + 1);
  expect(now.filter(({ rowKey }) => rowKey.startsWith('poisonslot|'))).toHaveLength(MAX_POISON_PER_DAY);
}, 120_000);

it('well-formed messages for switches that there are not are bounded the same way', async () => {
  const rig = await Rig.withDataKeys(1);
  const before = [...rig.store.dump()].length;
  for (let index = 0; index < 1_000; index += 1) {
    await handleWorkMessage(rig.deps, { format: 1, kind: 'advance', attempt: 0, ...place(`made-up-${index}`) }, {});
  }
  expect([...rig.store.dump()].length - before).toBeLessThanOrEqual(MAX_GROWTH);
});

it.each([
  ['TTLExpiredException', undefined],
  ['HeaderSizeExceeded', undefined],
  ['MaxDeliveryCountExceeded', 'dead-letter'],
])('a dead letter by %s blocks a switch with %s', async (reason, blocked) => {
  const rig = await Rig.withDataKeys(1);
  await startRekey(rig.deps, place('s1'), ADMIN);
  const body = { format: 1, kind: 'advance', attempt: 0, companyId: COMPANY, keyringId: KEYRING, switchId: 's1' };
  await handleDeadLetter(rig.deps, { body, reason });
  expect((await loadSwitch(rig.store, place('s1')))?.value.blocked?.reason).toBe(blocked);
});
