// What the product could do about copies that are not of one instant, each as a choice of the model, and how much may happen in a history.
import type { Budget, Provider, State } from './state.ts';

export interface CopiesOptions extends Budget {
  /**
   * What becomes of the company key that a switch leaves behind. `nothing`: it is deleted. `wrapped`: it keeps its wrap of the provider
   * that stays. `newest`: the same, and one kept earlier goes. `rewrapped`: it is wrapped for the next provider too, at each switch.
   * `linked`: it is kept under the company key that stays, as the product does.
   */
  readonly keep: 'nothing' | 'wrapped' | 'newest' | 'rewrapped' | 'linked';
  /** Wraps in the shard's own partition: `until-done`, `until-commit`, or narrowed at `done` to the provider that stays. */
  readonly beside: 'none' | 'until-done' | 'until-commit' | 'narrowed';
  /** Which partition is copied first. `region`: any two instants that the waits allow, as of a secondary that lags behind. */
  readonly order: 'any' | 'data-first' | 'control-first' | 'region';
  /** What a switch waits for the secondary with: its first turn forward, its commit, the end of a cancel. */
  readonly waits: readonly ('prepare' | 'commit' | 'end')[];
  /** Control is copied by itself too: at every prepare before any shard is turned, and at every end. */
  readonly controlCopiedAtChanges: boolean;
  /** A new version of a KEK is followed by the wraps of kept keys, too. */
  readonly keptKeysFollow: boolean;
  /** A shard is copied page by page, with its `!` rows on the first. */
  readonly inPages: boolean;
  /** The timer deletes kept keys while a copy is under way. */
  readonly deletesEarly: boolean;
  readonly shards: number;
  readonly targets: readonly Provider[];
}

export const COPIES: CopiesOptions = {
  keep: 'linked',
  beside: 'none',
  order: 'any',
  waits: [],
  controlCopiedAtChanges: false,
  keptKeysFollow: true,
  inPages: false,
  deletesEarly: false,
  shards: 1,
  switches: 2,
  cancels: 1,
  forwards: 1,
  writes: 0,
  follows: 0,
  remakes: 0,
  targets: ['A', 'B', 'C'],
};

export function initialState(options: CopiesOptions): State {
  const { switches, cancels, forwards, writes, follows, remakes } = options;
  const beside = options.beside === 'narrowed' ? [{ version: 1, kek: 'A1' } as const] : [];
  const shard = { generation: 0, to: 1, phase: 'done', rows: [{ version: 1, former: 0 }], beside, life: 0 } as const;
  return {
    control: {
      state: 'idle',
      source: '',
      target: '',
      lower: 0,
      higher: 0,
      active: 1,
      inForce: 'A',
      high: 1,
      generation: 0,
      keys: [{ version: 1, wraps: ['A1'], under: 0 }],
      keks: { A: 1, B: 1, C: 1 },
      life: 0,
    },
    shards: Array.from({ length: options.shards }, () => shard),
    left: { switches, cancels, forwards, writes, follows, remakes },
    copy: { life: 0, inUse: [] },
    young: [],
    preparedLate: false,
    doneLate: false,
  };
}
