// The switch as control has it: ordered, prepared, turned round by whoever changed their mind, and ended.
import { oneLess } from '../names.ts';
import type { CopiesOptions } from './options.ts';
import {
  copyHasBegun,
  kekOf,
  providerOf,
  providerThatStays,
  sorted,
  versionsOf,
  type CompanyKey,
  type Control,
  type Copy,
  type Provider,
  type State,
} from './state.ts';

export type Step = readonly [label: string, next: State];

export function* adminSteps(state: State, options: CopiesOptions): Iterable<Step> {
  const { control, left } = state;
  if (control.state === 'idle' && left.switches > 0)
    for (const target of options.targets) yield prepared(state, target, options);
  if (control.state === 'forward' && left.cancels > 0) {
    const after: Control = { ...control, state: 'back', generation: control.generation + 1 };
    yield ['cancel', { ...state, control: after, left: oneLess(left, 'cancels'), doneLate: false }];
  }
  if (control.state === 'back' && left.forwards > 0) {
    const after: Control = { ...control, state: 'forward', generation: control.generation + 1 };
    yield ['forward again', { ...state, control: after, left: oneLess(left, 'forwards'), doneLate: false }];
  }
}

function prepared(state: State, target: Provider, options: CopiesOptions): Step {
  const { control } = state;
  const version = control.high + 1;
  const wraps = sorted([kekOf(control, control.inForce), kekOf(control, target)]);
  const keys = control.keys.map((key): CompanyKey => {
    if (key.version === control.active) return { version: key.version, wraps, under: 0 };
    return options.keep === 'rewrapped' ? { ...key, wraps } : key;
  });
  const after: Control = {
    ...control,
    state: 'forward',
    source: control.inForce,
    target,
    lower: control.active,
    higher: version,
    high: version,
    generation: control.generation + 1,
    keys: [...keys, { version, wraps, under: 0 }],
  };
  return [
    `switch ${control.inForce} to ${target}, ${control.active} to ${version}: prepared`,
    {
      ...state,
      control: after,
      left: oneLess(state.left, 'switches'),
      copy: withControlAgain(state, after, options),
      preparedLate: copyHasBegun(state),
      doneLate: false,
    },
  ];
}

/** Copied anew at a prepare and at an end, control is never older than the rows. */
function withControlAgain({ copy }: State, control: Control, options: CopiesOptions): Copy {
  const isAgain = options.controlCopiedAtChanges && copy.control !== undefined && copy.rows === undefined;
  return isAgain ? { ...copy, control } : copy;
}

/** The end of a switch or of a cancel: one version stays, under one provider, and the other one is kept as `keep` says. */
export function ended(state: State, options: CopiesOptions): Step {
  const { control } = state;
  const { source, target } = versionsOf(control);
  const stays = providerThatStays(control);
  if (stays === '') throw new Error('no switch is under way');
  const keys = control.keys.flatMap((key): CompanyKey[] => {
    const narrowed = { ...key, wraps: key.wraps.filter((kek) => providerOf(kek) === stays) };
    if (key.version === target) return [{ ...narrowed, under: 0 }];
    if (key.version === source) {
      if (options.keep === 'nothing') return [];
      return options.keep === 'linked' ? [{ version: source, wraps: [], under: target }] : [narrowed];
    }
    if (options.keep === 'newest') return [];
    return options.keep === 'rewrapped' ? [narrowed] : [key];
  });
  const after: Control = {
    ...control,
    state: 'idle',
    source: '',
    target: '',
    lower: 0,
    higher: 0,
    active: target,
    inForce: stays,
    keys,
  };
  return [
    `${control.state === 'forward' ? 'COMMIT' : 'END OF CANCEL'}: ${target} stays, under ${stays}`,
    {
      ...state,
      control: after,
      copy: withControlAgain(state, after, options),
      young: copyHasBegun(state) ? sorted([...state.young, source]) : state.young,
      preparedLate: false,
      doneLate: false,
    },
  ];
}
