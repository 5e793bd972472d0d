// What runs by the clock: finding what got stuck, purging what is due, looking at the vaults in force, signing chains of events, telling
// webhooks of them. `app` is passed in, so
// that nothing happens on import.
import type { TimerFunctionOptions } from '@azure/functions';
import { parseNcrontab } from '../../shared/domain/ncrontab.ts';
import { TIMERS, type TimerName } from '../../shared/domain/timer-beat.ts';
import { recordDataKeyCalls, type CallCounting } from '../../shared/operations/audit/data-key-calls.ts';
import { sweepOutboxes } from '../../shared/store/deliver.ts';
import type { StoreTime } from '../../shared/store/store-time.ts';
import { sweepHeads, type HeadSigning } from '../../shared/operations/audit/sign-heads.ts';
import { sweepSwitches, type SweepDependencies } from '../../shared/operations/switches/sweep.ts';
import { sweepSeals, type Resealing } from '../../shared/operations/keys/reseal.ts';
import { sweepKept, type KeptSweeping } from '../../shared/operations/switches/sweep-kept.ts';
import { sweepPurges, type PurgeSweeping } from '../../shared/operations/companies/sweep-purges.ts';
import { beginRounds } from '../../shared/operations/watch/rounds.ts';
import type { PlacedDependencies } from '../../shared/operations/watch/check-in-place.ts';
import { JOB_LIMIT_MS } from '../../shared/operations/watch/jobs.ts';
import { repairStandings } from '../../shared/operations/watch/repair-standings.ts';
import type { Following } from '../../shared/operations/watch/follow-key-version.ts';
import { forgetHeartbeats } from '../../shared/operations/watch/instances.ts';
import type { TimersByName, TimerTurns } from '../../shared/operations/watch/timer-turns.ts';
import { sweepNotifications, type Notifying } from '../../shared/operations/notifications/sweep-notifications.ts';
import { followVendorKey } from '../../shared/operations/watch/vendor-key.ts';

/** What is used of `app` from @azure/functions. */
export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void;
}

export type TimerServices = SweepDependencies &
  KeptSweeping &
  PurgeSweeping &
  Pick<PlacedDependencies, 'clock' | 'checkQueue'> &
  Following &
  CallCounting &
  HeadSigning &
  Resealing &
  Notifying &
  Pick<StoreTime, 'storeClock'>;

/** NCRONTAB, from the settings. */
export type Schedules = Readonly<Record<TimerName, string>>;

export const timersOf = (deps: TimerServices, schedules: Schedules): TimersByName => ({
  sweep: {
    schedule: parseNcrontab(schedules.sweep),
    limitMs: JOB_LIMIT_MS,
    jobs: [
      { name: 'resumed', run: () => sweepSwitches(deps) },
      { name: 'purged', run: () => sweepPurges(deps) },
      { name: 'keptKeysDeleted', run: () => sweepKept(deps) },
      { name: 'counted', run: () => recordDataKeyCalls(deps) },
      { name: 'delivered', run: () => sweepOutboxes(deps) },
      { name: 'standingsRepaired', run: () => repairStandings(deps) },
    ],
  },
  'vault-checks': {
    schedule: parseNcrontab(schedules['vault-checks']),
    limitMs: JOB_LIMIT_MS,
    jobs: [
      { name: 'begun', run: () => beginRounds(deps) },
      { name: 'vendorKeyFollowed', run: () => followVendorKey(deps) },
    ],
  },
  audit: {
    schedule: parseNcrontab(schedules.audit),
    limitMs: JOB_LIMIT_MS,
    jobs: [
      { name: 'signed', run: () => sweepHeads(deps) },
      { name: 'sealedAnew', run: () => sweepSeals(deps) },
      { name: 'heartbeatsForgotten', run: () => forgetHeartbeats(deps) },
    ],
  },
  notifications: {
    schedule: parseNcrontab(schedules.notifications),
    // Two slices, and behind each the receivers that were asked last.
    limitMs: 2 * JOB_LIMIT_MS,
    jobs: [{ name: 'notified', run: () => sweepNotifications(deps) }],
  },
});

export function registerTimers(app: TimerApp, turns: Pick<TimerTurns, 'bySchedule'>, schedules: Schedules): void {
  for (const name of TIMERS) app.timer(name, { schedule: schedules[name], handler: () => turns.bySchedule(name) });
}
