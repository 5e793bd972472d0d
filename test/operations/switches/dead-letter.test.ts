import { describe, expect, it } from 'vitest';
import { switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { handleDeadLetter } from '../../../shared/operations/switches/dead-letter.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

const PLACE = place('s1');
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...PLACE };
const REPROTECT = { ...ADVANCE, kind: 'reprotect', generation: 1, firstShard: 0, lastShard: 0 };
const REASON = 'MaxDeliveryCountExceeded';

async function reProtecting(): Promise<Rig> {
  const rig = await Rig.withDataKeys(5);
  await startSwitch(rig.deps, { ...PLACE, target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await switchOf(rig)).state === 're-protecting' });
  rig.clock.advance(1_000);
  return rig;
}

const switchOf = async (rig: Rig): Promise<Switch> => (await loadSwitch(rig.store, PLACE))!.value;
const poisonIn = (rig: Rig) =>
  [...rig.store.dump()].filter(({ rowKey }) => rowKey.startsWith('poison|')).map(({ cells }) => cells);

describe('a message that the queue gave up on', () => {
  it.each([ADVANCE, REPROTECT])(
    'blocks its switch from now on, for the reason that the queue gave ($kind)',
    async (body) => {
      const rig = await reProtecting();
      await handleDeadLetter(rig.deps, { body, reason: REASON, messageId: 'm-1' });
      const since = rig.clock.now().toISOString();
      expect((await switchOf(rig)).blocked).toEqual({ reason: 'dead-letter', since, detail: REASON });
      expect(poisonIn(rig)).toMatchObject([{ reason: `dead letter: ${REASON}`, messageId: 'm-1' }]);
    },
  );

  it('is recorded without an id where it has none', async () => {
    const rig = await reProtecting();
    await handleDeadLetter(rig.deps, { body: ADVANCE, reason: REASON });
    expect(poisonIn(rig)).toMatchObject([{ messageId: '' }]);
  });

  it('blocks nothing where it is of an older generation', async () => {
    const rig = await reProtecting();
    await handleDeadLetter(rig.deps, { body: { ...REPROTECT, generation: 0 }, reason: REASON });
    expect((await switchOf(rig)).blocked).toBeUndefined();
    expect(poisonIn(rig)).toHaveLength(1);
  });

  it('is recorded by what is wrong with it where it is not understood', async () => {
    const rig = await reProtecting();
    await handleDeadLetter(rig.deps, { body: { ...ADVANCE, format: 2 }, reason: REASON });
    expect(poisonIn(rig)).toMatchObject([{ reason: 'unknown format' }]);
    expect((await switchOf(rig)).blocked).toBeUndefined();
  });

  it('is recorded, and no more, where its switch is not there or cannot be read', async () => {
    const rig = await reProtecting();
    await handleDeadLetter(rig.deps, { body: { ...ADVANCE, switchId: 's2' }, reason: REASON });
    rig.store.tamper('companies', COMPANY, switchRowKey(KEYRING, 's1'), { format: 1 });
    await handleDeadLetter(rig.deps, { body: ADVANCE, reason: REASON });
    expect(poisonIn(rig)).toHaveLength(2);
  });

  it('comes again where a bug keeps its switch from being read', async () => {
    const rig = await reProtecting();
    const read: Tables['read'] = (table, partition, rowKey) =>
      rowKey === switchRowKey(KEYRING, 's1')
        ? Promise.reject(new TypeError('a bug'))
        : rig.store.read(table, partition, rowKey);
    const tables = tablesBut(rig.store, { read });
    await expect(handleDeadLetter({ ...rig.deps, tables }, { body: ADVANCE, reason: REASON })).rejects.toThrow('a bug');
  });
});
