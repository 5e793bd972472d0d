import { describe, expect, it } from 'vitest';
import { companyKeyRowKey, switchRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import type { WorkMessage } from '../../../shared/domain/work-message.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/work.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { putSwitchOnAgenda } from '../../../shared/operations/switches/agenda.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { FaultyTables } from '../../fakes/faulty-tables.ts';
import { tablesBut } from '../../fakes/tables-but.ts';
import { agendaIn } from '../audit/chain.ts';
import { COMPANY, CONTOSO, CONTOSO_HOST, KEYRING, place, Rig, VENDOR } from './rig.ts';

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
    const slow = tablesBut(rig.store, {
      write: (table, ...rest) => {
        rig.clock.advance(1);
        return rig.store.write(table, ...rest);
      },
    });
    // Each shard takes three writes: its turn and one page in each pass.
    await handleSwitchWork({ ...rig.deps, tables: slow, messageBudgetMs: 4 }, { ...reprotect(0, 3), attempt: 3 });
    expect(await phases(rig)).toEqual(['1 done', '1 rewrap', '0 done', '0 done']);
    expect(rig.queue.take()).toEqual(reprotect(1, 3));
  });

  it('of a switch that there is not is told, and does nothing', async () => {
    const rig = await prepared(1);
    await handleSwitchWork(rig.deps, { ...ADVANCE, switchId: 'none' });
    expect(rig.log.events()).toEqual(['security.poison-message']);
    expect(rig.queue.size).toBe(0);
  });

  it('of a generation that is over does nothing', async () => {
    const rig = await prepared(20);
    await handleSwitchWork(rig.deps, { ...reprotect(0, 0), generation: 0 } as WorkMessage);
    expect([await phases(rig), rig.queue.size]).toEqual([['0 done', '0 done', '0 done', '0 done'], 0]);
  });
});

/** Every shard is done, and nobody has tried to end the switch. */
async function done(): Promise<Rig> {
  const rig = await prepared(20);
  await rig.pass('s1', 0, 1, 2, 3);
  rig.log.entries.length = 0;
  rig.vaults.calls.length = 0;
  return rig;
}

/** Nothing holds it back any more, and nothing is prepared. */
async function preparing(): Promise<Rig> {
  const rig = await Rig.withDataKeys(20);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  let losses = 0;
  // The one write that lets it go; then whoever did that was gone.
  const tables = beaten(rig, () => (losses += 1) > 1);
  await handleSwitchWork({ ...rig.deps, tables }, ADVANCE);
  rig.queue.clear();
  rig.log.entries.length = 0;
  return rig;
}

/** Somebody else writes first whenever the control rows are written while `loses` says so. */
function beaten(rig: Rig, loses: () => boolean): FaultyTables {
  const tables = new FaultyTables(rig.store);
  tables.at(({ table }) => table === 'companies' && loses()).isOutrun();
  return tables;
}

describe('a message to go on', () => {
  it('takes a new switch without a pause through all that comes before its rows, and asks for their work', async () => {
    const rig = await Rig.withDataKeys(20);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    rig.queue.clear();
    const sleep = (): never => expect.fail('a pause where nothing was lost');
    const timers = { sleep, yield: () => rig.deps.timers.yield() };
    await handleSwitchWork({ ...rig.deps, timers }, ADVANCE);
    expect([await stateOf(rig), rig.queue.size]).toEqual(['re-protecting', 4]);
  });

  it('ends a switch of which everything is done', async () => {
    const rig = await done();
    await handleSwitchWork(rig.deps, ADVANCE);
    expect([await stateOf(rig), rig.queue.size]).toEqual(['completed', 0]);
  });

  it('to a switch that is over takes it off the agenda, and does nothing else', async () => {
    const rig = await done();
    await handleSwitchWork(rig.deps, ADVANCE);
    await putSwitchOnAgenda(rig.store, place('s1'), rig.clock.now().toISOString());
    rig.vaults.calls.length = 0;
    await handleSwitchWork(rig.deps, ADVANCE);
    expect(agendaIn(rig.store, 'switch')).toEqual([]);
    expect([rig.vaults.calls, rig.queue.size]).toEqual([[], 0]);
  });

  it.each<[string, Partial<Switch>]>([
    ['is paused', { paused: true }],
    ['waits for somebody', { blocked: { reason: 'dead-letter', since: '2026-01-01T00:00:00.000Z', detail: 'x' } }],
  ])('to a switch that %s does nothing', async (_what, change) => {
    const rig = await done();
    await rig.tamperSwitch('s1', change);
    const before = [...rig.store.dump()];
    await handleSwitchWork(rig.deps, ADVANCE);
    expect([...rig.store.dump()]).toEqual(before);
    expect([rig.vaults.calls, rig.queue.size]).toEqual([[], 0]);
  });

  it('to a switch that is gone a moment later does nothing', async () => {
    const rig = await done();
    let reads = 0;
    const read: Tables['read'] = async (...at) => {
      const row = await rig.store.read(...at);
      if (at[2] === switchRowKey(KEYRING, 's1')) reads += 1;
      return reads > 1 ? undefined : row;
    };
    await handleSwitchWork({ ...rig.deps, tables: tablesBut(rig.store, { read }) }, ADVANCE);
    expect([await stateOf(rig), rig.queue.size]).toEqual(['re-protecting', 0]);
  });

  it('looks again, after a pause that grows, when others wrote first', async () => {
    const rig = await done();
    let losses = 0;
    const pauses: number[] = [];
    const sleep = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
    const tables = beaten(rig, () => (losses += 1) <= 3);
    await handleSwitchWork({ ...rig.deps, tables, timers: { ...rig.deps.timers, sleep } }, ADVANCE);
    expect(await stateOf(rig)).toBe('completed');
    expect(pauses.map((ms, index) => ms > 0 && ms <= 5 * 2 ** (index + 1))).toEqual([true, true, true]);
  });

  it.each([
    ['at its end', done, 're-protecting'],
    ['before its rows', preparing, 'preparing'],
  ])('that loses eight times %s goes again later', async (_where, begun, state) => {
    const rig = await begun();
    let losses = 0;
    const tables = beaten(rig, () => (losses += 1) > 0);
    await handleSwitchWork({ ...rig.deps, tables }, ADVANCE);
    expect([losses, await stateOf(rig)]).toEqual([8, state]);
    expect(rig.log.events()).toEqual(['store.unavailable']);
    expect(rig.queue.take()).toEqual({ ...ADVANCE, attempt: 1 });
  });

  it('counts its losses anew after each step that it made', async () => {
    const rig = await Rig.withDataKeys(20);
    await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
    rig.queue.clear();
    let losses = 0;
    let state = '';
    // Five times before each of the two steps.
    const five = beaten(rig, () => {
      losses = losses === 5 ? 0 : losses + 1;
      return losses > 0;
    });
    const tables = tablesBut(five, {
      read: async (...at) => {
        const row = await rig.store.read(...at);
        if (at[2] === switchRowKey(KEYRING, 's1')) state = String(row?.cells['state']);
        return row;
      },
    });
    await handleSwitchWork({ ...rig.deps, tables }, ADVANCE);
    expect([state, await stateOf(rig), rig.queue.size]).toEqual(['re-protecting', 're-protecting', 4]);
  });

  it('goes again later where a vault fails the end in passing, and is blocked where it denies it', async () => {
    const rig = await done();
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'vault-unreachable', times: 1 });
    await handleSwitchWork(rig.freshHost(), ADVANCE);
    expect([await stateOf(rig), rig.queue.take()]).toEqual(['re-protecting', { ...ADVANCE, attempt: 1 }]);
    rig.vaults.fail({ operation: 'unwrap', host: CONTOSO_HOST, failure: 'access-denied-rbac' });
    await handleSwitchWork(rig.freshHost(), ADVANCE);
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toMatchObject({ side: 'target' });
  });
});

describe('a message for rows', () => {
  it('goes on to the end when others wrote first at the end', async () => {
    const rig = await prepared(20);
    for (const shard of [0, 1, 2]) await handleSwitchWork(rig.deps, reprotect(shard, shard));
    let losses = 0;
    const tables = beaten(rig, () => (losses += 1) === 1);
    await handleSwitchWork({ ...rig.deps, tables }, reprotect(3, 3));
    expect([losses > 1, await stateOf(rig)]).toEqual([true, 'completed']);
  });

  it('does nothing when the company key is gone: its switch went on without it', async () => {
    const rig = await prepared(20);
    const rowKey = companyKeyRowKey(KEYRING, 1);
    const row = await rig.store.read('companies', COMPANY, rowKey);
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag: row!.etag }]);
    await handleSwitchWork(rig.deps, reprotect(0, 0));
    expect([rig.log.entries, rig.queue.size]).toEqual([[], 0]);
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toBeUndefined();
  });

  it('is blocked on the side whose wrap somebody forged', async () => {
    const rig = await prepared(20);
    const rowKey = companyKeyRowKey(KEYRING, 2);
    const row = await rig.store.read('companies', COMPANY, rowKey);
    const [ours, theirs] = JSON.parse(String(row?.cells['wraps'])) as object[];
    const wraps = JSON.stringify([ours, { ...theirs, host: 'evil.vault.azure.net' }]);
    rig.store.tamper('companies', COMPANY, rowKey, { ...row?.cells, wraps });
    await handleSwitchWork(rig.deps, reprotect(0, 0));
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toMatchObject({
      side: 'target',
      failure: { code: 'row-forged' },
    });
  });

  it('is blocked on the side of the vault that denied it', async () => {
    const rig = await prepared(20);
    rig.vaults.fail({ operation: 'unwrap', host: VENDOR.host, failure: 'access-denied-rbac' });
    await handleSwitchWork(rig.deps, reprotect(0, 0));
    expect((await loadSwitch(rig.store, place('s1')))?.value.blocked).toMatchObject({ side: 'source' });
  });
});

describe('trouble', () => {
  it.each([
    [0, 500],
    [255, 1_000],
  ])('goes again after a time drawn by chance (%i of 255: %i ms)', async (drawn, delayMs) => {
    const rig = await prepared(1);
    const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(drawn);
    const id = (): string => 'an-id';
    const beforeMs = rig.clock.now().getTime();
    await handleSwitchWork({ ...rig.freshHost(away(rig)), entropy: { bytes, id } }, ADVANCE);
    expect(rig.queue.take()).toEqual({ ...ADVANCE, attempt: 1 });
    expect(rig.clock.now().getTime() - beforeMs).toBe(delayMs);
  });

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
    const tables = tablesBut(rig.store, { read });
    await expect(handleSwitchWork({ ...rig.deps, tables }, ADVANCE)).rejects.toThrow('a bug');
    expect(rig.queue.size).toBe(0);
  });
});
