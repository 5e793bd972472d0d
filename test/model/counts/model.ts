// One shard in pages of one row, with lists that may be answered short: what must `done`, and the end of a switch, ask of the counts?
import type { Model } from '../explore.ts';
import { mayEnd, passed, withRow } from './passes.ts';
import { exists, givenUp, isAside, isAtTarget, NONE, retried } from './rows.ts';
import { COUNTS, initialState, nameOf, type CountsOptions, type State } from './state.ts';
import { stepsFrom } from './steps.ts';

export function countsModel(chosen: Partial<CountsOptions>): Model<State> {
  const options = { ...COUNTS, ...chosen };
  return {
    initial: initialState(options),
    name: nameOf,
    steps: (state) => stepsFrom(state, options),
    fault: (state) => faultOf(state, options.rule),
  };
}

function faultOf(state: State, rule: CountsOptions['rule']): string | undefined {
  const { direction, phase, rows, done } = state;
  const kept = rows.filter(exists);
  const truly = rows.filter((row) => isAtTarget(row, direction)).length;
  if (rule === 'movable' && done !== truly) return `COUNTS: done says ${done}, it is ${truly}`;
  if (kept.some((row) => row.isWrong && row.former === NONE)) return 'LOST: a wrong blob, and its former one is gone';
  if (!state.hasEnded)
    return direction === 'idle' || endsByItself(state, rule) ? undefined : `STUCK: ${phase}, done ${done}`;
  for (const [at, row] of kept.entries()) {
    if (!isAtTarget(row, direction)) return `LOST: ended, and row ${at} is at ${row.version}`;
    const wrong = row.isWrong ? ', and is wrong' : '';
    if (row.former !== NONE) return `UNCOMPARED: ended, and row ${at} was never compared with its former blob${wrong}`;
  }
  return undefined;
}

/** With honest lists from here on, and every quarantined row decided. */
function endsByItself(from: State, rule: CountsOptions['rule']): boolean {
  let state = from;
  for (let step = 0; step < 10 * (from.rows.length + 2); step += 1) {
    if (mayEnd(state, rule)) return true;
    if (state.phase !== 'done') {
      state = passed(state, rule);
      continue;
    }
    const at = state.rows.findIndex(isAside);
    const row = state.rows[at];
    if (!row) return false;
    state = withRow(state, at, row.isBroken ? givenUp(row) : retried(row, state.direction));
  }
  return false;
}
