// That this instance lives, written by itself: when it starts, and each minute. Nothing happens on import.
import type { Log } from '../shared/domain/ports.ts';
import { sayInstanceLives, type Living } from '../shared/operations/watch/instances.ts';
import type { TimerTurns } from '../shared/operations/watch/timer-turns.ts';

/** What is used of `app` from @azure/functions. */
interface LifeApp {
  readonly hook: { appStart(handler: () => void): unknown; appTerminate(handler: () => void): unknown };
}

const EVERY_MS = 60_000;

/** The interval keeps no process alive. Nothing waits for a heartbeat: one that is lost is made up for by the next. */
export function keepInstanceHeartbeat(
  app: LifeApp,
  deps: Living & { readonly log: Log },
  turns: Pick<TimerTurns, 'expectTurns'>,
): void {
  const beat = async (): Promise<void> => {
    try {
      await sayInstanceLives(deps);
      await turns.expectTurns();
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      deps.log.write({ level: 'warning', event: 'instance.heartbeat-lost', detail: { error: reason } });
    }
  };
  let interval: NodeJS.Timeout | undefined;
  app.hook.appStart(() => {
    interval = setInterval(() => void beat(), EVERY_MS);
    interval.unref();
    void beat();
  });
  app.hook.appTerminate(() => clearInterval(interval));
}
