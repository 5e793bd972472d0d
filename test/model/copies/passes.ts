// Workers: they turn shards, move and compare rows, and end the switch.
import { put } from '../names.ts';
import type { CopiesOptions } from './options.ts';
import {
  copyHasBegun,
  keyOf,
  providerOf,
  providerThatStays,
  sorted,
  versionsOf,
  type Beside,
  type Control,
  type Shard,
  type State,
} from './state.ts';
import { ended, type Step } from './switching.ts';

export function* workerSteps(state: State, options: CopiesOptions): Iterable<Step> {
  const { control, shards } = state;
  if (control.state === 'idle') return;
  const isReached = ({ generation, phase }: Shard): boolean => generation === control.generation && phase === 'done';
  for (const [index, shard] of shards.entries()) yield* shardSteps(state, index, shard, options);
  if (!shards.every(isReached)) return;
  const wait = control.state === 'forward' ? 'commit' : 'end';
  if (options.order === 'region' && state.doneLate && options.waits.includes(wait)) return;
  yield ended(state, options);
}

function* shardSteps(state: State, index: number, shard: Shard, options: CopiesOptions): Iterable<Step> {
  const { control } = state;
  const { target } = versionsOf(control);
  const become = (cells: Partial<Shard>): State => ({
    ...state,
    shards: put(state.shards, index, { ...shard, ...cells }),
  });
  if (shard.generation < control.generation) {
    // Only the way forward is held: nothing is at the new version before, so that a turn back brings nothing there.
    const isHeld = options.order === 'region' && options.waits.includes('prepare') && state.preparedLate;
    if (isHeld && control.state === 'forward') return;
    yield [
      `shard ${index} turned: new keys at ${target}, generation ${control.generation}`,
      become({
        generation: control.generation,
        to: target,
        phase: 'pass',
        beside: besideAfterTurn(shard, control, options),
      }),
    ];
    return;
  }
  if (shard.phase !== 'pass') return;
  const behind = [...shard.rows.entries()].filter(([, row]) => row.version !== target);
  for (const [at, { version, former }] of behind) {
    const moved = { version: target, former: former === target ? 0 : version };
    yield [`shard ${index}, row ${at}: ${version} to ${target}`, become({ rows: put(shard.rows, at, moved) })];
  }
  if (behind.length > 0) return;
  const rows = shard.rows.map(({ version }) => ({ version, former: 0 }));
  const beside = besideAfterDone(shard, control, options);
  yield [
    `shard ${index} verified and done`,
    { ...become({ phase: 'done', rows, beside }), doneLate: copyHasBegun(state) },
  ];
}

const wrapsOf = (control: Control, version: number): Beside[] =>
  (keyOf(control, version)?.wraps ?? []).map((kek) => ({ version, kek }));

function besideAfterTurn(shard: Shard, control: Control, options: CopiesOptions): readonly Beside[] {
  const { source, target } = versionsOf(control);
  if (options.beside === 'none') return shard.beside;
  const versions = options.beside === 'narrowed' ? sorted([source, target]) : [target];
  return versions.flatMap((version) => wrapsOf(control, version));
}

function besideAfterDone(shard: Shard, control: Control, options: CopiesOptions): readonly Beside[] {
  if (options.beside === 'until-done') return [];
  if (options.beside !== 'narrowed') return shard.beside;
  const stays = providerThatStays(control);
  return wrapsOf(control, versionsOf(control).target).filter(({ kek }) => providerOf(kek) === stays);
}
