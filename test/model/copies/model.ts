// The switch as whole transactions, while the company's partition and a shard are copied at any instants of one history (a backup, or a
// region that lags behind): does every data key of the copy open with the provider in force there, and with none that was left?
import type { Model } from '../explore.ts';
import { faultOf } from './judge.ts';
import { COPIES, initialState, type CopiesOptions } from './options.ts';
import { nameOf, type State } from './state.ts';
import { workerSteps } from './passes.ts';
import { adminSteps } from './switching.ts';
import { copySteps, upkeepSteps } from './upkeep.ts';

export function copiesModel(chosen: Partial<CopiesOptions>): Model<State> {
  const options = { ...COPIES, ...chosen };
  return {
    initial: initialState(options),
    name: nameOf,
    fault: (state) => faultOf(state, options),
    *steps(state) {
      yield* adminSteps(state, options);
      yield* workerSteps(state, options);
      yield* upkeepSteps(state, options);
      yield* copySteps(state, options);
    },
  };
}
