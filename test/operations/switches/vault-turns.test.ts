import { expect, it } from 'vitest';
import { LAST_ROUND } from '../../../shared/domain/work-message.ts';
import { handleSwitchWork } from '../../../shared/operations/switches/handle-work.ts';
import { startSwitch } from '../../../shared/operations/switches/start-switch.ts';
import { NO_TURN, VaultTurns } from '../../../shared/operations/switches/vault-turns.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { stateOf } from '../tenants/tenant-rig.ts';
import { COMPANY, CONTOSO, place, Rig } from './rig.ts';

const never = (): Promise<never> => new Promise(() => undefined);
const ADVANCE = { format: 1, kind: 'advance', attempt: 0, ...place('s1') } as const;

/** As many of its messages wait as may. */
async function full(): Promise<Rig> {
  const rig = await Rig.withDataKeys(4);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  rig.queue.clear();
  for (let turn = 0; turn < 2; turn += 1) void rig.deps.vaultTurns.run(COMPANY, never);
  return rig;
}

/** Time goes on when the test says so. */
function turnsOfAMoment(): { readonly turns: VaultTurns; readonly patienceEnds: () => void } {
  const sleeps: (() => void)[] = [];
  const turns = new VaultTurns({ sleep: () => new Promise((resolve) => sleeps.push(resolve)) });
  return { turns, patienceEnds: () => sleeps.splice(0).forEach((wake) => wake()) };
}

const done = (): Promise<string> => Promise.resolve('done');

it('a message waits for a turn as long as a vault that answers takes, and gives its place back to one that does not', async () => {
  const { turns, patienceEnds } = turnsOfAMoment();
  const first = Promise.withResolvers<string>();
  const waiting = turns.run('a', () => first.promise);
  void turns.run('a', never);
  const third = turns.run('a', done);
  const fourth = turns.run('a', done);
  expect(await turns.run('b', done)).toBe('done');
  first.resolve('done');
  expect(await Promise.all([waiting, third, fourth])).toEqual(['done', 'done', 'done']);
  await expect(turns.run('a', () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
  void turns.run('a', never);
  const tooLate = turns.run('a', done);
  patienceEnds();
  expect(await tooLate).toBe(NO_TURN);
});

it('of a company that was waited for in vain, further messages do not wait until one of its turns has ended', async () => {
  const { turns, patienceEnds } = turnsOfAMoment();
  const silent = Promise.withResolvers<string>();
  for (const work of [() => silent.promise, never]) void turns.run('a', work);
  const inVain = turns.run('a', done);
  patienceEnds();
  expect([await inVain, await turns.run('a', done)]).toEqual([NO_TURN, NO_TURN]);
  silent.resolve('done');
  await silent.promise;
  expect(await turns.run('a', done)).toBe('done');
  void turns.run('a', never);
  const waits = turns.run('a', done);
  expect(await Promise.race([waits, new Promise((resolve) => setImmediate(resolve, 'waits'))])).toBe('waits');
});

it('companies whose vaults do not answer leave four of the sixteen places of a process, however many they are', async () => {
  const { turns, patienceEnds } = turnsOfAMoment();
  const held = Promise.withResolvers<string>();
  const works = Array.from({ length: 20 }, (_, index) => turns.run(`silent ${index >> 1}`, () => held.promise));
  const ours = turns.run('ours', done);
  patienceEnds();
  expect(await ours).toBe(NO_TURN);
  expect(await Promise.all(works.slice(12))).toEqual(Array(8).fill(NO_TURN));
  held.resolve('done');
  expect(await Promise.all(works.slice(0, 12))).toEqual(Array(12).fill('done'));
  expect(await turns.run('ours', done)).toBe('done');
});

it('a message without a turn asks no vault, notes no trouble and comes again soon', async () => {
  const rig = await full();
  rig.vaults.calls.length = 0;
  const before = rig.clock.now().getTime();
  await handleSwitchWork(rig.deps, ADVANCE);
  expect(rig.vaults.calls).toEqual([]);
  expect(rig.queue.take()).toEqual({ ...ADVANCE, attempt: 1 });
  expect(rig.clock.now().getTime() - before).toBeLessThanOrEqual(250);
});

it('goes round for about a minute, and is then left to the timer', async () => {
  const rig = await full();
  const before = rig.clock.now().getTime();
  await rig.queue.send([ADVANCE]);
  expect(await rig.drain()).toBe(1 + LAST_ROUND);
  expect(rig.clock.now().getTime() - before).toBeLessThan(75_000);
  expect(rig.log.events()).toContain('switch.left-to-timer');
});

it('so does a message whose keys must be opened anew, and its rows are moved when there is a turn', async () => {
  const rig = await Rig.withDataKeys(8, { shardCount: 1 });
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  await rig.drain({ enough: async () => (await stateOf(rig, 's1')) === 're-protecting' });
  const message = rig.queue.take()!;
  expect(message.kind).toBe('reprotect');
  rig.deps = rig.freshHost();
  const first = Promise.withResolvers<undefined>();
  const held = [1, 2].map(() => rig.deps.vaultTurns.run(COMPANY, () => first.promise));
  await handleSwitchWork(rig.deps, message);
  expect((await rig.shards())[0]).toMatchObject({ phase: 'rewrap', at: { 1: 8 } });
  expect(rig.queue.size).toBe(1);
  first.resolve(undefined);
  await Promise.all(held);
  await rig.drain();
  expect(await stateOf(rig, 's1')).toBe('completed');
  expect(await rig.openByCaller()).toBe(8);
});
