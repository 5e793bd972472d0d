// An administrator who switches and changes their mind, workers who move the rows, and those of them who froze before they wrote.
import { oneLess, put } from '../names.ts';
import type { AfterOptions } from './options.ts';
import { madeOf, textOfControl, versionsOf, type Control, type ShardCells, type State, type Step } from './state.ts';

/** The copy has begun, and the disaster is still to come. */
const isCopying = ({ isOver, controlCopy, shardCopy }: State): boolean =>
  !isOver && (controlCopy !== undefined || shardCopy !== undefined);

const isHeld = (state: State, options: AfterOptions, wait: AfterOptions['waits'][number], isLate: boolean): boolean =>
  options.kind === 'region' && !state.isOver && options.waits.includes(wait) && isLate;

const written = (state: State, cells: ShardCells): State => ({
  ...state,
  shard: { etag: state.etag + 1, ...cells },
  etag: state.etag + 1,
});

function ended(state: State): State {
  const { control } = state;
  const { source, target } = versionsOf(control);
  const kept = source === 0 ? control.kept : [...new Set([...control.kept, source])].sort((a, b) => a - b);
  return {
    ...state,
    control: { ...control, state: 'idle', lower: 0, higher: 0, active: target, kept },
    preparedLate: false,
    doneLate: false,
    turnedLate: false,
  };
}

export function* adminSteps(state: State): Iterable<Step> {
  const { control, left } = state;
  if (control.state === 'idle' && left.switches > 0) yield prepared(state);
  const isCancelled = control.state === 'forward' && left.cancels > 0;
  if (!isCancelled && !(control.state === 'back' && left.forwards > 0)) return;
  const after: Control = {
    ...control,
    state: isCancelled ? 'back' : 'forward',
    generation: control.generation + 1,
  };
  yield [
    `${isCancelled ? 'cancel' : 'forward again'}, generation ${after.generation}`,
    {
      ...state,
      control: after,
      left: oneLess(left, isCancelled ? 'cancels' : 'forwards'),
      doneLate: false,
      turnedLate: isCopying(state),
    },
  ];
}

function prepared(state: State): Step {
  const { control } = state;
  const version = control.high + 1;
  const made = state.made + 1;
  const others = control.keys.filter((key) => key.version !== version);
  const after: Control = {
    ...control,
    state: 'forward',
    lower: control.active,
    higher: version,
    high: version,
    generation: control.generation + 1,
    keys: [...others, { version, made }].sort((a, b) => a.version - b.version),
  };
  return [
    `switch ${control.active} to ${version} prepared: key #${made}, generation ${after.generation}`,
    {
      ...state,
      control: after,
      left: oneLess(state.left, 'switches'),
      made,
      preparedLate: isCopying(state),
      doneLate: false,
      turnedLate: false,
    },
  ];
}

export function* workerSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { control, shard } = state;
  if (control.state !== 'idle') yield* passSteps(state, options);
  if (state.worker) {
    const { etag, cells } = state.worker;
    const without = { ...state, worker: undefined };
    yield ['frozen worker gives up', without];
    if (shard.etag === etag) yield ['frozen worker writes', written(without, cells)];
  }
  if (state.committer) {
    const without = { ...state, committer: undefined };
    yield ['frozen committer gives up', without];
    if (textOfControl(state.committer) === textOfControl(control)) {
      const stays = versionsOf(control).target;
      yield [`frozen committer ends it: ${stays} stays`, ended(without)];
    }
  }
}

function* passSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { control, shard } = state;
  const { target } = versionsOf(control);
  const plans: (readonly [string, ShardCells])[] = [];
  const { generation, phase, to, rows } = shard;
  if (generation < control.generation) {
    const waitsForTurn = isHeld(state, options, 'prepare', state.preparedLate) && control.state === 'forward';
    if (!waitsForTurn && !isHeld(state, options, 'turn', state.turnedLate)) {
      const turned = { generation: control.generation, to: target, phase: 'pass', rows } as const;
      plans.push([`turns the shard to ${target}, generation ${control.generation}`, turned]);
    }
  } else if (generation > control.generation) {
    const stuck = `STUCK: the shard is in generation ${generation}, the switch in ${control.generation}`;
    if (!isCopying(state) && options.tolerated === 'nothing') yield ['workers look', { ...state, wrong: stuck }];
  } else if (to !== target && options.tolerated !== 'all-but-loss') {
    const mixed = `MIXED: in generation ${generation} the shard leads to ${to}, the switch to ${target}`;
    yield ['workers look', { ...state, wrong: mixed }];
  } else if (phase === 'pass') {
    const behind = [...rows.entries()].filter(([, { version }]) => version !== target);
    for (const [at, { version }] of behind) {
      if (control.kept.includes(version) && !options.passMovesKept) {
        const wrong = `QUARANTINED: a row at ${version}, which a pass to ${target} does not know`;
        yield ['worker meets it', { ...state, wrong }];
        continue;
      }
      const moved = put(rows, at, { version: target, made: madeOf(control, target) ?? 0 });
      plans.push([`moves row ${at}: ${version} to ${target}`, { generation, to: target, phase, rows: moved }]);
    }
    if (behind.length === 0) plans.push(['finds the shard done', { generation, to: target, phase: 'done', rows }]);
  }
  for (const [label, cells] of plans) {
    yield [`worker ${label}`, { ...written(state, cells), doneLate: isCopying(state) }];
    if (options.hasFreezingWorker && !state.worker)
      yield [`worker about to: ${label}; freezes`, { ...state, worker: { etag: shard.etag, cells } }];
  }
  yield* endSteps(state, options);
}

/** Counts and the shard's own versions are asked: a `done` of some other life of this generation is not enough. */
function* endSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { control, shard } = state;
  const { target } = versionsOf(control);
  const isDone = shard.generation === control.generation && shard.phase === 'done' && shard.to === target;
  if (!isDone || shard.rows.some(({ version }) => version !== target)) return;
  if (isHeld(state, options, control.state === 'forward' ? 'commit' : 'end', state.doneLate)) return;
  yield [`${control.state} ends: ${target} stays`, ended(state)];
  if (options.hasFreezingCommitter && !state.committer && control.state !== 'settle')
    yield ['committer found every shard done; freezes', { ...state, committer: control }];
}
