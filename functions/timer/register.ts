// What runs by the clock: finding what got stuck, purging what is due, looking at the vaults in force. `app` is passed in, so
// that nothing happens on import.
import type { TimerFunctionOptions } from '@azure/functions';
import { sweepSwitches, type SweepDependencies } from '../../shared/operations/switches/sweep.ts';
import { sweepPurges, type PurgeSweeping } from '../../shared/operations/sweep-purges.ts';
import { sweepChecks, type CheckDependencies } from '../../shared/operations/vault-checks.ts';

/** What is used of `app` from @azure/functions. */
export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void;
}

export type TimerServices = SweepDependencies & PurgeSweeping & CheckDependencies;

export function registerTimers(
  app: TimerApp,
  deps: TimerServices,
  schedules: { readonly sweep: string; readonly checks: string },
): void {
  app.timer('sweep', {
    schedule: schedules.sweep,
    handler: async () => {
      const resumed = await sweepSwitches(deps);
      const purged = await sweepPurges(deps);
      if (resumed + purged > 0) deps.log.write({ level: 'info', event: 'sweep.done', detail: { resumed, purged } });
    },
  });
  app.timer('vault-checks', {
    schedule: schedules.checks,
    handler: async () => {
      await sweepChecks(deps);
    },
  });
}
