// Calls as a second clock: where the host's timers do not fire, an instance that has calls begins what is overdue. After the answer, so that no caller
// waits. Nothing happens on import.
import type { PostInvocationContext } from '@azure/functions';
import type { TimerTurns } from '../../shared/operations/watch/timer-turns.ts';

/** What is used of `app` from @azure/functions. */
interface HookApp {
  readonly hook: { postInvocation(handler: (context: PostInvocationContext) => void): unknown };
}

export function startOverdueByTraffic(app: HookApp, turns: Pick<TimerTurns, 'lookForOverdue'>): void {
  app.hook.postInvocation(({ invocationContext }) => {
    if (invocationContext.options.trigger.type === 'httpTrigger') turns.lookForOverdue();
  });
}
