// Runs the switch machine: looks at each thing that it asks for, when it asks, until it says what comes next.
import type { Failure } from '../../domain/failure.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { failed, next, type Asked, type Known, type Next, type StepFailure } from '../../domain/switch-machine.ts';
import type { Switch } from '../../domain/switch.ts';

/** How to look at each thing. What has no entry here is left to the step, and the answer is then `ask`. */
export type Looking = { readonly [A in Asked]?: () => Promise<Result<NonNullable<Known[A]>, StepFailure>> };

/** Fails with the first thing that cannot be read or does not hold. */
export async function decide(sw: Switch, known: Known, looking: Looking): Promise<Result<Next, StepFailure>> {
  const then = next(sw, known);
  const look = then.type === 'ask' ? looking[then.what] : undefined;
  if (then.type !== 'ask' || !look) return ok(then);
  const seen = await look();
  return seen.ok ? decide(sw, { ...known, [then.what]: seen.value }, looking) : seen;
}

/** What was found on one side of a switch, in the machine's terms. */
export const seen = <T, K>(
  side: NonNullable<StepFailure['side']>,
  found: Result<T, Failure>,
  as: (value: T) => K,
): Result<K, StepFailure> => (found.ok ? ok(as(found.value)) : err(failed(found.error, { side })));
