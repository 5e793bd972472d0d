// An act in its company, as it is just before: what every scene is made by.
import type { Switch, SwitchState } from '../../shared/domain/switch.ts';
import { startSwitch } from '../../shared/operations/switches/start.ts';
import { loadSwitch } from '../../shared/store/control-state.ts';
import { ADMIN } from '../fakes/actors.ts';
import { CONTOSO, place, Rig } from '../operations/switches/rig.ts';

export type Host = ReturnType<Rig['freshHost']>;

/** An act in its company, which may be tried again and again. */
export interface Scene {
  readonly rig: Rig;
  readonly act: (host: Host) => Promise<unknown>;
}

export const SWITCH = place('s1');

/** A company with data keys, after this; and the act, which is told what that came to. */
export const after =
  <T>(before: (rig: Rig) => Promise<T>, act: (host: Host, rig: Rig, told: T) => Promise<unknown>, dataKeys = 3) =>
  async (): Promise<Scene> => {
    const rig = await Rig.withDataKeys(dataKeys, { shardCount: 1 });
    const told = await before(rig);
    return { rig, act: (host) => act(host, rig, told) };
  };
export const at = (act: (host: Host) => Promise<unknown>): (() => Promise<Scene>) =>
  after(() => Promise.resolve(), act);

export const order = (host: Host, vendor?: { readonly maySwitch: boolean }): Promise<unknown> =>
  startSwitch(host, { ...SWITCH, target: CONTOSO, ...(vendor ? { vendor } : {}) }, ADMIN);
export const ordered = (rig: Rig): Promise<unknown> => order(rig.freshHost());

type IsThere = (sw: Switch) => boolean;
const isIn =
  (state: SwitchState): IsThere =>
  (sw) =>
    sw.state === state;
export const isBlocked: IsThere = ({ blocked }) => blocked !== undefined;

/** Messages are worked until the switch has come there. What a dead worker had taken is told of again, as the timer does. */
export const worksUntil =
  (isThere: IsThere) =>
  async (host: Host, rig: Rig): Promise<void> => {
    rig.deps = host;
    const enough = async (): Promise<boolean> => {
      const sw = await loadSwitch(rig.store, SWITCH);
      return sw !== undefined && isThere(sw.value);
    };
    for (let tries = 0; tries < 2 && !(await enough()); tries += 1) {
      await host.queue.send([{ format: 1, kind: 'advance', attempt: 0, ...SWITCH }]);
      await rig.drain({ enough });
      // The lease of a worker that died runs out.
      if (!(await enough())) rig.clock.advance(host.endLeaseMs);
    }
  };
export const works = (state: SwitchState): ReturnType<typeof worksUntil> => worksUntil(isIn(state));
export const workedUntil =
  (state: SwitchState) =>
  async (rig: Rig): Promise<void> => {
    await ordered(rig);
    await works(state)(rig.freshHost(), rig);
  };
