// What a switch is sent when something came that it may have waited for.
import { describe, expect, it } from 'vitest';
import { keyringRowKey } from '../../../shared/store/rows/row-keys.ts';
import type { Switch } from '../../../shared/domain/switch.ts';
import { loadSwitch } from '../../../shared/store/control-state.ts';
import { startSwitch } from '../../../shared/operations/switches/start.ts';
import { wakeSwitch } from '../../../shared/operations/switches/messages.ts';
import { ADMIN } from '../../fakes/actors.ts';
import { COMPANY, CONTOSO, KEYRING, place, Rig } from './rig.ts';

async function ordered(): Promise<Rig> {
  const rig = await Rig.withDataKeys(12);
  await startSwitch(rig.deps, { ...place('s1'), target: CONTOSO }, ADMIN);
  return rig;
}

/** Its rows may be moved, and these shards are done. */
async function reProtecting(...done: readonly number[]): Promise<Rig> {
  const rig = await ordered();
  const state = async (): Promise<string | undefined> => (await loadSwitch(rig.store, place('s1')))?.value.state;
  await rig.drain({ enough: async () => (await state()) === 're-protecting' });
  await rig.pass('s1', ...done);
  return rig;
}

async function tamper(rig: Rig, change: Partial<Switch>): Promise<Rig> {
  await rig.tamperSwitch('s1', change);
  return rig;
}

async function sentTo(rig: Rig, switchId = 's1'): Promise<unknown[]> {
  rig.queue.clear();
  await wakeSwitch(rig.deps, place(switchId));
  const sent = [rig.queue.take()];
  for (let next = rig.queue.take(); next; next = rig.queue.take()) sent.push(next);
  return sent.filter((message) => message !== undefined);
}

describe('a message to go on', () => {
  it.each([
    ['has not begun', ordered],
    ['has moved all its rows', () => reProtecting(0, 1, 2, 3)],
  ])('is sent to a switch that %s', async (_what, make) => {
    expect(await sentTo(await make())).toEqual([{ format: 1, kind: 'advance', attempt: 0, ...place('s1') }]);
  });

  it('is sent to a switch that is being prepared: that waits for tenants too', async () => {
    expect(await sentTo(await tamper(await ordered(), { state: 'preparing' }))).toHaveLength(1);
  });

  it.each<[string, () => Promise<Rig>]>([
    ['has rows left', () => reProtecting(0, 1, 2)],
    ['has all its rows left', () => reProtecting()],
    ['is paused at its end', async () => tamper(await reProtecting(0, 1, 2, 3), { paused: true })],
    ['is on its way back', async () => tamper(await reProtecting(0, 1, 2, 3), { state: 'rolling-back' })],
    ['was completed', async () => tamper(await reProtecting(0, 1, 2, 3), { state: 'completed' })],
  ])('is not sent to a switch that %s', async (_what, make) => {
    expect(await sentTo(await make())).toEqual([]);
  });

  it('is sent to none that is gone, nor whose keyring is', async () => {
    const rig = await reProtecting(0, 1, 2, 3);
    expect(await sentTo(rig, 'none')).toEqual([]);
    const rowKey = keyringRowKey(KEYRING);
    const { etag } = rig.store.peek('companies', COMPANY, rowKey)!;
    await rig.store.write('companies', COMPANY, [{ kind: 'delete', rowKey, etag }]);
    expect(await sentTo(rig)).toEqual([]);
  });
});
