// What runs by the clock: finding what got stuck, purging what is due, looking at the vaults in force, signing chains of events. `app` is passed in, so
// that nothing happens on import.
import type { TimerFunctionOptions } from '@azure/functions';
import { recordDataKeyCalls, type CallCounting } from '../../shared/operations/audit/data-key-calls.ts';
import { sweepOutboxes } from '../../shared/operations/audit/deliver.ts';
import { sweepHeads, type HeadSigning } from '../../shared/operations/audit/sign-heads.ts';
import { sweepSwitches, type SweepDependencies } from '../../shared/operations/switches/sweep.ts';
import { sweepPurges, type PurgeSweeping } from '../../shared/operations/sweep-purges.ts';
import { sweepChecks, type CheckDependencies } from '../../shared/operations/vault-checks.ts';

/** What is used of `app` from @azure/functions. */
export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void;
}

export type TimerServices = SweepDependencies & PurgeSweeping & CheckDependencies & CallCounting & HeadSigning;

export function registerTimers(
  app: TimerApp,
  deps: TimerServices,
  schedules: { readonly sweep: string; readonly checks: string; readonly audit: string },
): void {
  app.timer('sweep', {
    schedule: schedules.sweep,
    handler: async () => {
      const resumed = await sweepSwitches(deps);
      const purged = await sweepPurges(deps);
      await recordDataKeyCalls(deps);
      const delivered = await sweepOutboxes(deps);
      const detail = { resumed, purged, delivered };
      if (resumed + purged + delivered > 0) deps.log.write({ level: 'info', event: 'sweep.done', detail });
    },
  });
  app.timer('vault-checks', {
    schedule: schedules.checks,
    handler: async () => {
      await sweepChecks(deps);
    },
  });
  app.timer('audit', {
    schedule: schedules.audit,
    handler: async () => {
      await sweepHeads(deps);
    },
  });
}
