// The timer that deletes kept company keys.
import type { AfterOptions } from './options.ts';
import type { State, Step } from './state.ts';

/** Kept company keys go long after the disaster; until then the time that they are kept for lasts. */
export function* timerSteps(state: State, options: AfterOptions): Iterable<Step> {
  const { control, shard } = state;
  if (!state.isOver) return;
  const isDone = control.state === 'idle' && shard.generation === control.generation && shard.phase === 'done';
  const isProof = isDone && shard.rows.every(({ version }) => version === control.active);
  for (const version of control.kept) {
    if (options.deletion === 'on-proof' && !isProof) continue;
    const keys = control.keys.filter((key) => key.version !== version);
    const kept = control.kept.filter((other) => other !== version);
    yield [`timer deletes kept ${version}`, { ...state, control: { ...control, keys, kept } }];
  }
}
