// What one run of a model must come to, and the run itself.
import { afterModel } from './after/model.ts';
import type { AfterOptions } from './after/options.ts';
import { copiesModel } from './copies/model.ts';
import type { CopiesOptions } from './copies/options.ts';
import { countsModel } from './counts/model.ts';
import type { CountsOptions } from './counts/state.ts';
import { explore, type Exploration } from './explore.ts';

export interface Expectation {
  readonly title: string;
  readonly outcome: 'sound' | 'fault';
  /** How many states are met: all that there are, or those up to the first fault. */
  readonly states: number;
  readonly run: () => Exploration;
}

const MAX_STATES = 1_500_000;

type Run<Options> = readonly [
  title: string,
  outcome: Expectation['outcome'],
  states: number,
  options: Partial<Options>,
];

const expectation = (model: string, [title, outcome, states]: Run<unknown>, run: () => Exploration): Expectation => ({
  title: `${model}: ${title}`,
  outcome,
  states,
  run,
});

export const copies = (...run: Run<CopiesOptions>): Expectation =>
  expectation('copies', run, () => explore(copiesModel(run[3]), MAX_STATES));
export const after = (...run: Run<AfterOptions>): Expectation =>
  expectation('after', run, () => explore(afterModel(run[3]), MAX_STATES));
export const counts = (...run: Run<CountsOptions>): Expectation =>
  expectation('counts', run, () => explore(countsModel(run[3]), MAX_STATES));
