// What this instance has counted, written by itself: on Flex Consumption the timers run on other instances. Each minute, and once more when
// the host tells it to stop. Nothing happens on import.
import { recordDataKeyCalls, type CallCounting } from '../shared/operations/audit/data-key-calls.ts';

/** What is used of `app` from @azure/functions. */
interface TerminateApp {
  readonly hook: { appTerminate(handler: () => Promise<void>): unknown };
}

const EVERY_MS = 60_000;
/** The host gives a worker five seconds to end (azure-functions-host, WorkerTerminateGracePeriodInSeconds): the last write needs some of them. */
const LAST_MS = 3_000;

/** The interval keeps no process alive. */
export function recordOwnCounts(app: TerminateApp, deps: CallCounting): void {
  const record = async (budgetMs?: number): Promise<void> => {
    try {
      await recordDataKeyCalls(deps, budgetMs);
    } catch (error) {
      const name = error instanceof Error ? error.name : 'unknown';
      deps.log.write({ level: 'error', event: 'audit.bug', detail: { error: name } });
    }
  };
  const interval = setInterval(() => void record(), EVERY_MS);
  interval.unref();
  app.hook.appTerminate(async () => {
    clearInterval(interval);
    deps.dataKeyCalls.endMinute();
    await record(LAST_MS);
  });
}
