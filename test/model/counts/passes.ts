// The turn of a shard, its two passes page by page, and what must hold before it is done and before the switch ends.
import { put } from '../names.ts';
import {
  exists,
  isAside,
  isAtTarget,
  isInUse,
  NONE,
  rewrapped,
  sourceOf,
  targetOf,
  verified,
  type Direction,
  type Row,
} from './rows.ts';
import type { CountsOptions, State } from './state.ts';

type Rule = CountsOptions['rule'];

/** One row written, and the count with it. */
export function withRow(state: State, at: number, after: Row): State {
  const before = state.rows[at];
  const change =
    Number(isAtTarget(after, state.direction)) - Number(before !== undefined && isAtTarget(before, state.direction));
  return { ...state, rows: put(state.rows, at, after), done: state.done + change };
}

export function turned(state: State, direction: Direction): State {
  const to = targetOf(direction);
  const movable = state.rows.filter(exists).length;
  let done = 0;
  if (to === targetOf(state.direction)) ({ done } = state);
  else if (to === sourceOf(state.direction)) done = Math.max(0, movable - state.done);
  return { ...state, direction, phase: 'rewrap', cursor: 0, done };
}

/** The next row's turn; behind the last row, or where the list is answered as if it were, what follows the phase. */
export function passed(state: State, rule: Rule, isAnsweredEmpty = false): State {
  const { direction, phase, cursor, rows } = state;
  const row = rows[cursor];
  if (row && !isAnsweredEmpty) {
    const after = phase === 'rewrap' ? rewrapped(row, direction) : verified(row, direction);
    return { ...withRow(state, cursor, after), cursor: cursor + 1 };
  }
  const isBehind = rows.some((one) => isInUse(one) && !isAtTarget(one, direction));
  if (rule === 'exact' && isBehind) return { ...state, phase: 'rewrap', cursor: 0 };
  if (phase === 'rewrap' || !mayBeDone(state, rule)) return { ...state, phase: 'verify', cursor: 0 };
  return { ...state, phase: 'done' };
}

/** Every live and deleted row is at its version, and nobody has still to compare one of them with the blob that it came from. */
function mayBeDone({ rows, direction }: State, rule: Rule): boolean {
  if (rule !== 'exact') return true;
  return rows.filter(isInUse).every((row) => isAtTarget(row, direction) && row.former === NONE);
}

export function mayEnd(state: State, rule: Rule): boolean {
  const { direction, phase, rows, done } = state;
  if (direction === 'idle' || phase !== 'done' || rows.some(isAside)) return false;
  return rule === 'movable' ? done === rows.filter(exists).length : mayBeDone(state, rule);
}
