import { describe, expect, it } from 'vitest';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import { loadSwitch } from '../../../shared/operations/control-state.ts';
import type { Tables } from '../../../shared/operations/ports.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/handle-work.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { CONTOSO, CONTOSO_HOST, place, Rig } from './rig.ts';

const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...place('s1') } as const;
const reprotect = (firstShard: number, lastShard: number): WorkMessage => ({
  ...ADVANCE,
  kind: 'reprotect',
  generation: 1,
  firstShard,
  lastShard,
});

/** Prepared, and no message is left. */
async function prepared(keys: number): Promise<Rig> {
  const rig = await Rig.withDataKeys(keys);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ most: 2, enough: async () => (await stateOf(rig)) === 're-protecting' });
  rig.queue.clear();
  rig.log.entries.length = 0;
  rig.vaults.calls.length = 0;
  return rig;
}

const stateOf = async (rig: Rig): Promise<string | undefined> =>
  (await loadSwitch(rig.store, place('s1')))?.value.state;
const phases = async (rig: Rig): Promise<string[]> =>
  (await rig.shards()).map(({ generation, phase }) => `${generation} ${phase}`);

const away = (rig: Rig): FaultyTables =>
  new FaultyTables(rig.store, { seed: 1, faults: { lostBefore: 0, lostAfter: 0, unavailable: 1 } });

describe('a message', () => {
  it('asks for the work of every shard that is not done, one message each', async () => {
    const rig = await prepared(20);
    await handleSwitchWork(rig.deps, reprotect(2, 2));
    await handleSwitchWork(rig.deps, ADVANCE);
    const messages = [rig.queue.take(), rig.queue.take(), rig.queue.take(), rig.queue.take()];
    expect(messages).toEqual([reprotect(0, 0), reprotect(1, 1), reprotect(3, 3), undefined]);
  });

  it('works its shards, the last one too, and leaves the end to whoever works the others', async () => {
    const rig = await prepared(20);
    await handleSwitchWork(rig.deps, reprotect(1, 2));
    expect(await phases(rig)).toEqual(['0 done', '1 done', '1 done', '0 done']);
    expect([await stateOf(rig), rig.queue.size]).toEqual(['re-protecting', 0]);
  });

  it.each([
    [0, 3],
    [3, 0],
  ])('ends the switch with its last shard, in whatever order they come (%i before %i)', async (first, second) => {
    const rig = await prepared(20);
    await handleSwitchWork(rig.deps, reprotect(1, 2));
    await handleSwitchWork(rig.deps, reprotect(first, first));
    expect(await stateOf(rig)).toBe('re-protecting');
    await handleSwitchWork(rig.deps, reprotect(second, second));
    expect(await stateOf(rig)).toBe('completed');
  });

  it('hands over to a fresh continuation, from the shard on that it did not finish, when its time is up', async () => {
    const rig = await prepared(20);
    const slow: Tables = {
      read: rig.store.read.bind(rig.store),
      list: rig.store.list.bind(rig.store),
      write: (table, ...rest) => {
        rig.clock.advance(1);
        return rig.store.write(table, ...rest);
      },
    };
    // Each shard takes three writes: its turn and one page in each pass.
    await handleSwitchWork({ ...rig.deps, tables: slow, messageBudgetMs: 4 }, { ...reprotect(0, 3), attempt: 3 });
    expect(await phases(rig)).toEqual(['1 done', '1 rewrap', '0 done', '0 done']);
    expect(rig.queue.take()).toEqual(reprotect(1, 3));
  });

  it('of a generation that is over does nothing', async () => {
    const rig = await prepared(20);
    await handleSwitchWork(rig.deps, { ...reprotect(0, 0), generation: 0 } as WorkMessage);
    expect([await phases(rig), rig.queue.size]).toEqual([['0 done', '0 done', '0 done', '0 done'], 0]);
  });
});

describe('trouble', () => {
  it('that may pass is told by its code and goes again later, with its attempts counted', async () => {
    const rig = await prepared(20);
    rig.vaults.fail({ operation: 'unwrap', failure: 'vault-unreachable' });
    await handleSwitchWork(rig.deps, reprotect(0, 0));
    const detail = { ...place('s1'), code: 'vault-unreachable', side: 'source' };
    expect(rig.log.entries).toEqual([{ level: 'warning', event: 'switch.trouble', detail }]);
    const before = rig.clock.now().getTime();
    expect(rig.queue.take()).toEqual({ ...reprotect(0, 0), attempt: 1 });
    const waitedMs = rig.clock.now().getTime() - before;
    expect([waitedMs >= 500, waitedMs <= 1_000]).toEqual([true, true]);
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toBeUndefined();
  });

  it('that somebody must mend blocks the switch, which says what, where and since when', async () => {
    const rig = await prepared(20);
    for (const shard of [0, 1, 2]) await handleSwitchWork(rig.deps, reprotect(shard, shard));
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    await handleSwitchWork(rig.deps, reprotect(3, 3));
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toMatchObject({
      reason: 'provider',
      side: 'target',
      since: rig.clock.now().toISOString(),
      failure: { code: 'access-denied-rbac' },
    });
    expect(rig.queue.size).toBe(0);
  });

  it('is left to the timer after the sixth attempt', async () => {
    const rig = await prepared(1);
    await handleSwitchWork(rig.freshHost(away(rig)), { ...ADVANCE, attempt: 5 });
    expect(rig.queue.take()).toEqual({ ...ADVANCE, attempt: 6 });
    rig.log.entries.length = 0;
    await handleSwitchWork(rig.freshHost(away(rig)), { ...ADVANCE, attempt: 6 });
    expect(rig.queue.size).toBe(0);
    expect(rig.log.entries).toEqual([
      { level: 'warning', event: 'store.unavailable', detail: { ...place('s1'), reason: 'planted' } },
      { level: 'warning', event: 'switch.left-to-timer', detail: place('s1') },
    ]);
  });

  it('that is a bug is thrown', async () => {
    const rig = await prepared(1);
    const read: Tables['read'] = () => Promise.reject(new TypeError('a bug'));
    const tables = { read, list: rig.store.list.bind(rig.store), write: rig.store.write.bind(rig.store) };
    await expect(handleSwitchWork({ ...rig.deps, tables }, ADVANCE)).rejects.toThrow('a bug');
    expect(rig.queue.size).toBe(0);
  });
});
