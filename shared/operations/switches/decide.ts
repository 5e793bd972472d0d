// Goes by the switch machine: looks at what it asks for, each thing when it asks, until it says what comes next.
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { failed, next, type Asked, type Known, type Next, type StepFailure } from '../../domain/switch-machine.ts';
import type { Switch } from '../../domain/switch.ts';

/** How to look at each thing. What has no entry is left to the step: the answer is then to ask for it. */
export type Looking = { readonly [A in Asked]?: () => Promise<Result<NonNullable<Known[A]>, StepFailure>> };

/** Fails with the first thing that cannot be told or does not hold. */
export async function decide(sw: Switch, known: Known, looking: Looking): Promise<Result<Next, StepFailure>> {
  const then = next(sw, known);
  const look = then.type === 'ask' ? looking[then.what] : undefined;
  if (then.type !== 'ask' || !look) return ok(then);
  const seen = await look();
  return seen.ok ? decide(sw, { ...known, [then.what]: seen.value }, looking) : seen;
}

/** What was found of one side of a switch, as the machine knows it. */
export const seen = <T, K>(
  side: NonNullable<StepFailure['side']>,
  found: Result<T, Failure>,
  as: (value: T) => K,
): Result<K, StepFailure> => (found.ok ? ok(as(found.value)) : err(failed(found.error, { side })));
