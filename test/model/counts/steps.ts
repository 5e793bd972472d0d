// Who does what to the shard: its worker, callers, an administrator, and a world that breaks rows and answers lists wrongly.
import { oneLess } from '../names.ts';
import { mayEnd, passed, turned, withRow } from './passes.ts';
import { givenUp, isAside, isInUse, liveRow, NONE, purged, retried, targetOf } from './rows.ts';
import type { Budget, CountsOptions, State } from './state.ts';

export type Step = readonly [label: string, next: State];

const spent = (state: State, what: keyof Budget): State => ({ ...state, left: oneLess(state.left, what) });

export function* stepsFrom(state: State, { rule }: CountsOptions): Iterable<Step> {
  if (state.hasEnded) return;
  yield* turnSteps(state);
  if (state.direction !== 'idle' && state.phase !== 'done') yield* passSteps(state, rule);
  yield* insertSteps(state);
  yield* rowSteps(state);
  if (mayEnd(state, rule)) yield ['END', { ...state, hasEnded: true }];
}

function* turnSteps(state: State): Iterable<Step> {
  const { direction, left } = state;
  if (direction === 'idle') yield ['turned forward', turned(state, 'forward')];
  if (direction === 'forward' && left.cancels > 0)
    yield ['cancel: turned back', spent(turned(state, 'back'), 'cancels')];
  if (direction === 'back' && left.forwards > 0)
    yield ['turned forward again', spent(turned(state, 'forward'), 'forwards')];
}

function* passSteps(state: State, rule: CountsOptions['rule']): Iterable<Step> {
  const { phase, cursor, rows, left } = state;
  const after = passed(state, rule);
  yield [`page of ${phase}`, after];
  const row = rows[cursor];
  const moved = after.rows[cursor];
  if (!row || !moved) return;
  if (left.lies > 0) yield [`page of ${phase} answered empty`, spent(passed(state, rule, true), 'lies')];
  if (left.wrongWraps === 0 || phase !== 'rewrap' || moved === row || moved.former === NONE) return;
  const wrong = withRow(state, cursor, { ...moved, isWrong: true });
  yield ['page of rewrap, wrapped wrongly', spent({ ...wrong, cursor: cursor + 1 }, 'wrongWraps')];
}

/** A key is inserted under the version that the shard writes, behind all others or before them. */
function* insertSteps(state: State): Iterable<Step> {
  const { rows, cursor, left } = state;
  if (left.inserts === 0) return;
  const row = liveRow(targetOf(state.direction));
  const more = spent({ ...state, done: state.done + 1 }, 'inserts');
  yield ['new key behind all', { ...more, rows: [...rows, row] }];
  yield ['new key before all', { ...more, rows: [row, ...rows], cursor: cursor > 0 ? cursor + 1 : 0 }];
}

function* rowSteps(state: State): Iterable<Step> {
  const { rows, left, direction } = state;
  for (const [at, row] of rows.entries()) {
    if (isInUse(row)) {
      if (left.deletes > 0 && row.state === 'live')
        yield [`row ${at} deleted`, spent(withRow(state, at, { ...row, state: 'deleted' }), 'deletes')];
      if (row.state === 'deleted') {
        yield [`row ${at} restored`, withRow(state, at, { ...row, state: 'live' })];
        yield [`row ${at} purged`, withRow(state, at, purged())];
      }
      if (left.breaks > 0 && !row.isBroken)
        yield [`row ${at} broken`, spent(withRow(state, at, { ...row, isBroken: true }), 'breaks')];
    }
    if (isAside(row)) {
      if (!row.isBroken) yield [`row ${at}: retry`, withRow(state, at, retried(row, direction))];
      yield [`row ${at}: accept-loss`, withRow(state, at, givenUp(row))];
    }
  }
}
