// Two partitions, each as it was at an instant of its own, become the live store, and are repaired before service.
import type { AfterOptions } from './options.ts';
import { versionsOf, type Control, type Shard, type State, type Step } from './state.ts';

/** Above every version that anybody may have seen. */
const MARGIN = 1_000;

export function* disasterSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { controlCopy, shardCopy } = state;
  if (state.isOver) return;
  if (!controlCopy && (options.kind === 'region' || shardCopy))
    yield ['** control as of now', { ...state, controlCopy: state.control }];
  if (!shardCopy) yield ['** shard as of now', { ...state, shardCopy: state.shard }];
  if (controlCopy && shardCopy) yield replaced(state, controlCopy, shardCopy, options);
}

function replaced(state: State, controlCopy: Control, shardCopy: Shard, options: AfterOptions): Step {
  let control = options.hasMargin ? { ...controlCopy, high: controlCopy.high + MARGIN } : controlCopy;
  let shard = shardCopy;
  let { etag } = state;
  if (options.kind === 'restore') {
    etag += 1;
    shard = { ...shard, etag };
  }
  if (options.isRepaired) {
    etag += 1;
    const generation = Math.max(control.generation, shard.generation) + 1;
    control = { ...control, state: control.state === 'idle' ? 'settle' : control.state, generation };
    shard = { etag, generation, to: versionsOf(control).target, phase: 'pass', rows: shard.rows };
  }
  const after: State = {
    ...state,
    control,
    shard,
    controlCopy: undefined,
    shardCopy: undefined,
    isOver: true,
    etag,
    preparedLate: false,
    doneLate: false,
    turnedLate: false,
  };
  const forgotten = { cache: [], writer: undefined, worker: undefined, committer: undefined };
  return [
    `** DISASTER: these are the store now${options.isRepaired ? ', repaired' : ''}`,
    options.isRestarted ? { ...after, ...forgotten } : after,
  ];
}
