// What runs by the clock: finding what got stuck, purging what is due, looking at the vaults in force, signing chains of events. `app` is passed in, so
// that nothing happens on import.
import type { TimerFunctionOptions } from '@azure/functions';
import { recordDataKeyCalls, type CallCounting } from '../../shared/operations/audit/data-key-calls.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import { sweepHeads, type HeadSigning } from '../../shared/operations/audit/sign-heads.ts';
import { sweepSwitches, type SweepDependencies } from '../../shared/operations/switches/sweep.ts';
import { sweepSeals, type Resealing } from '../../shared/operations/keys/reseal.ts';
import { sweepKept, type KeptSweeping } from '../../shared/operations/switches/sweep-kept.ts';
import { sweepPurges, type PurgeSweeping } from '../../shared/operations/companies/sweep-purges.ts';
import { CHECK_SLICE_MS, sweepChecks, type CheckDependencies } from '../../shared/operations/watch/vault-checks.ts';
import { JOB_LIMIT_MS, runJobs, type TimerJob } from './jobs.ts';

/** What is used of `app` from @azure/functions. */
export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void;
}

export type TimerServices = SweepDependencies &
  KeptSweeping &
  PurgeSweeping &
  CheckDependencies &
  CallCounting &
  HeadSigning &
  Resealing;

export interface Timer {
  readonly jobs: readonly TimerJob[];
  /** Of each job. */
  readonly limitMs: number;
}

export const timersOf = (deps: TimerServices): Readonly<Record<'sweep' | 'vault-checks' | 'audit', Timer>> => ({
  sweep: {
    limitMs: JOB_LIMIT_MS,
    jobs: [
      { name: 'resumed', run: () => sweepSwitches(deps) },
      { name: 'purged', run: () => sweepPurges(deps) },
      { name: 'keptKeysDeleted', run: () => sweepKept(deps) },
      { name: 'counted', run: () => recordDataKeyCalls(deps) },
      { name: 'delivered', run: () => sweepOutboxes(deps) },
    ],
  },
  'vault-checks': { limitMs: CHECK_SLICE_MS + JOB_LIMIT_MS, jobs: [{ name: 'checked', run: () => sweepChecks(deps) }] },
  audit: {
    limitMs: JOB_LIMIT_MS,
    jobs: [
      { name: 'signed', run: () => sweepHeads(deps) },
      { name: 'sealedAnew', run: () => sweepSeals(deps) },
    ],
  },
});

export function registerTimers(
  app: TimerApp,
  deps: TimerServices,
  schedules: { readonly sweep: string; readonly checks: string; readonly audit: string },
): void {
  const timers = timersOf(deps);
  const register = (name: keyof typeof timers, schedule: string): void => {
    const { jobs, limitMs } = timers[name];
    app.timer(name, {
      schedule,
      handler: async () => {
        const done = await runJobs(deps.log, jobs, limitMs);
        const didSomething = Object.values(done).some((count) => count > 0);
        if (didSomething) deps.log.write({ level: 'info', event: `${name}.done`, detail: done });
      },
    });
  };
  register('sweep', schedules.sweep);
  register('vault-checks', schedules.checks);
  register('audit', schedules.audit);
}
