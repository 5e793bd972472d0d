// A copy that is not of one instant becomes the live store, while hosts that lived through it keep caches, ETags and plans; then life goes
// on. Is a data key lost, read by a wrong key, or written under a key that goes; does a switch stand still for ever?
import type { Model } from '../explore.ts';
import { callerSteps } from './callers.ts';
import { disasterSteps } from './disaster.ts';
import { AFTER, initialState, type AfterOptions } from './options.ts';
import { madeOf, nameOf, type State } from './state.ts';
import { adminSteps, workerSteps } from './switching.ts';
import { timerSteps } from './timer.ts';

export function afterModel(chosen: Partial<AfterOptions>): Model<State> {
  const options = { ...AFTER, ...chosen };
  return {
    initial: initialState(options),
    name: nameOf,
    fault: faultOf,
    *steps(state) {
      if (state.wrong !== '') return;
      yield* adminSteps(state);
      yield* workerSteps(state, options);
      yield* timerSteps(state, options);
      yield* callerSteps(state, options);
      yield* disasterSteps(state, options);
    },
  };
}

function faultOf({ control, shard, wrong }: State): string | undefined {
  if (wrong !== '') return wrong;
  for (const { version, made } of shard.rows) {
    const has = madeOf(control, version);
    if (has !== made)
      return `LOST: a row at ${version} made by #${made}; control has ${has === undefined ? 'no such key' : `#${has}`}`;
  }
  return undefined;
}
