// Instances of Keyswitch with timers whose jobs a test names.
import { parseNcrontab } from '../../../shared/domain/ncrontab.ts';
import type { TimerBeat, TimerName } from '../../../shared/domain/timer-beat.ts';
import type { TimerJob } from '../../../shared/operations/watch/jobs.ts';
import { TimerTurns } from '../../../shared/operations/watch/timer-turns.ts';
import { find } from '../../../shared/store/found.ts';
import { timerRow } from '../../../shared/store/rows/heartbeat-rows.ts';
import type { Tables } from '../../../shared/store/tables.ts';
import { POLICY } from '../../fixtures/policy.ts';
import { SCHEDULES } from '../../fixtures/schedules.ts';
import { TestWorld } from '../../world.ts';

export class TurnsRig extends TestWorld {
  /** What the jobs of `sweep` were asked to do, by instance. */
  readonly ran: string[] = [];

  /** An instance. `jobs` are those of `sweep`; the other timers have nothing to do. */
  instance(
    name: string,
    {
      jobs,
      tables = this.store,
      aheadMs = 0,
    }: { readonly jobs?: readonly TimerJob[]; readonly tables?: Tables; readonly aheadMs?: number } = {},
  ): TimerTurns {
    const services = { ...this.startHost(POLICY, { tables, instance: name, aheadMs }), version: '1.2.3' };
    const ran = { name: 'swept', run: () => Promise.resolve(this.ran.push(name)) };
    const timer = (which: TimerName, its: readonly TimerJob[]) => ({
      schedule: parseNcrontab(SCHEDULES[which]),
      limitMs: 60_000,
      jobs: its,
    });
    return new TimerTurns(services, {
      sweep: timer('sweep', jobs ?? [ran]),
      'vault-checks': timer('vault-checks', []),
      audit: timer('audit', []),
      notifications: timer('notifications', []),
    });
  }

  async beat(timer: TimerName = 'sweep'): Promise<TimerBeat | undefined> {
    return (await find(this.store, timerRow, { timer }))?.value;
  }
}
