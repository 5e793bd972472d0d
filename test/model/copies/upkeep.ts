// What else changes what is stored: the timer that deletes kept keys, new versions of a KEK, new data keys, a company made anew. And the
// copying itself.
import { oneLess, put } from '../names.ts';
import type { CopiesOptions } from './options.ts';
import type { Step } from './switching.ts';
import {
  copyHasBegun,
  kekOf,
  providersInUse,
  sorted,
  type Control,
  type Kek,
  type Provider,
  type Shard,
  type State,
} from './state.ts';

export function* upkeepSteps(state: State, options: CopiesOptions): Iterable<Step> {
  const { control, shards, left } = state;
  if (options.beside === 'until-commit' && control.state === 'idle') {
    for (const [index, shard] of shards.entries()) {
      const bare = { ...shard, beside: [] };
      if (shard.beside.length > 0)
        yield [`shard ${index}: wraps taken away`, { ...state, shards: put(shards, index, bare) }];
    }
  }
  yield* timerSteps(state, options);
  if (left.follows > 0) for (const provider of providersInUse(control)) yield followed(state, provider, options);
  if (left.writes > 0) {
    for (const [index, shard] of shards.entries()) {
      const more: Shard = { ...shard, rows: [...shard.rows, { version: shard.to, former: 0 }] };
      yield [
        `shard ${index}: new data key at ${shard.to}`,
        { ...state, shards: put(shards, index, more), left: oneLess(left, 'writes') },
      ];
    }
  }
  if (left.remakes > 0 && control.state === 'idle') yield madeAnew(state, options);
}

const isKept = ({ state, active, lower, higher }: Control, version: number): boolean =>
  version !== active && (state === 'idle' || (version !== lower && version !== higher));

/** Deletes a kept key that no other one hangs by; while a copy is under way only those kept before it began. */
function* timerSteps(state: State, options: CopiesOptions): Iterable<Step> {
  const { control } = state;
  for (const { version } of control.keys) {
    if (!isKept(control, version) || control.keys.some(({ under }) => under === version)) continue;
    if (copyHasBegun(state) && state.young.includes(version) && !options.deletesEarly) continue;
    const keys = control.keys.filter((key) => key.version !== version);
    yield [`timer deletes kept ${version}`, { ...state, control: { ...control, keys } }];
  }
}

function followed(state: State, provider: Provider, options: CopiesOptions): Step {
  const { control } = state;
  const old = kekOf(control, provider);
  const version = control.keks[provider] + 1;
  const changed = (kek: Kek): Kek => (kek === old ? `${provider}${version}` : kek);
  const keys = control.keys.map((key) =>
    isKept(control, key.version) && !options.keptKeysFollow ? key : { ...key, wraps: key.wraps.map(changed) },
  );
  const shards = state.shards.map((shard) => ({
    ...shard,
    beside: shard.beside.map((one) => ({ ...one, kek: changed(one.kek) })),
  }));
  const after = { ...control, keys, keks: { ...control.keks, [provider]: version } };
  return [
    `new KEK version of ${provider} followed, the old one disabled`,
    { ...state, control: after, shards, left: oneLess(state.left, 'follows') },
  ];
}

function madeAnew(state: State, options: CopiesOptions): Step {
  const { control } = state;
  const first = control.high + 1;
  const life = control.life + 1;
  const kek = kekOf(control, 'A');
  const after: Control = {
    ...control,
    active: first,
    inForce: 'A',
    high: first,
    generation: 0,
    keys: [{ version: first, wraps: [kek], under: 0 }],
    life,
  };
  const shard: Shard = {
    generation: 0,
    to: first,
    phase: 'done',
    rows: [{ version: first, former: 0 }],
    beside: options.beside === 'narrowed' ? [{ version: first, kek }] : [],
    life,
  };
  return [
    `company deleted, and made anew at ${first}`,
    {
      ...state,
      control: after,
      shards: state.shards.map(() => shard),
      left: oneLess(state.left, 'remakes'),
      young: [],
      preparedLate: false,
      doneLate: false,
    },
  ];
}

/** Control once, and shard 0: shards are alike, and whether a row opens depends on control and on what is beside it alone. */
export function* copySteps(state: State, options: CopiesOptions): Iterable<Step> {
  const { control, copy } = state;
  const shard = state.shards[0];
  if (!shard) return;
  const inUse = sorted([...providersInUse(control)]);
  const mayCopyControl = options.order !== 'data-first' || copy.rows !== undefined;
  if (copy.control === undefined && mayCopyControl)
    yield ['** control copied', { ...state, copy: { ...copy, control } }];
  if (copy.rows !== undefined || (options.order === 'control-first' && copy.control === undefined)) return;
  if (copy.beside !== undefined) {
    const whole = { ...copy, rows: shard.rows, life: shard.life, inUse: sorted([...copy.inUse, ...inUse]) };
    yield ['** shard 0, data keys copied', { ...state, copy: whole }];
    return;
  }
  const begun = { ...copy, beside: shard.beside, inUse };
  if (options.inPages) yield ['** shard 0, first page (its ! rows) copied', { ...state, copy: begun }];
  else yield ['** shard 0 copied', { ...state, copy: { ...begun, rows: shard.rows, life: shard.life } }];
}
