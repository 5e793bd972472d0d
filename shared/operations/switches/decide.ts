// Goes by the switch machine: looks at what it asks for, each thing when it asks, until it says what comes next.
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { next, type Asked, type Known, type Next } from '../../domain/switch-machine.ts';
import type { Switch } from '../../domain/switch.ts';

export interface SideFailure {
  readonly side: 'source' | 'target';
  readonly failure: Failure;
}

/** How to look at each thing. What has no entry is left to whoever carries out the step: the answer is then to ask for it. */
export type Looking = { readonly [A in Asked]?: () => Promise<Result<NonNullable<Known[A]>, SideFailure>> };

/** Fails with the first thing that cannot be told or does not hold. */
export async function decide(sw: Switch, known: Known, looking: Looking): Promise<Result<Next, SideFailure>> {
  const then = next(sw, known);
  const look = then.type === 'ask' ? looking[then.what] : undefined;
  if (then.type !== 'ask' || !look) return ok(then);
  const seen = await look();
  return seen.ok ? decide(sw, { ...known, [then.what]: seen.value }, looking) : seen;
}

/** What was found of one side of a switch, as the machine knows it. */
export const seen = <T, K>(
  side: SideFailure['side'],
  found: Result<T, Failure>,
  as: (value: T) => K,
): Result<K, SideFailure> => (found.ok ? ok(as(found.value)) : err({ side, failure: found.error }));
