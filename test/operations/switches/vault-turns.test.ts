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

it('two of a company wait, a further one does nothing, and other companies have their own turns', async () => {
  const turns = new VaultTurns();
  const first = Promise.withResolvers<string>();
  const waiting = turns.run('a', () => first.promise);
  void turns.run('a', never);
  expect(await turns.run('a', () => Promise.resolve('done'))).toBe(NO_TURN);
  expect(await turns.run('b', () => Promise.resolve('done'))).toBe('done');
  first.resolve('done');
  expect(await waiting).toBe('done');
  await expect(turns.run('a', () => Promise.reject(new Error('a bug')))).rejects.toThrow('a bug');
  expect(await turns.run('a', () => Promise.resolve('done'))).toBe('done');
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
