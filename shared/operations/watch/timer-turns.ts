// The turns of the timers. Each leaves a heartbeat; a turn is begun by the schedule, by a request, or by the first instance whose traffic finds it
// overdue. No two of a timer are begun at once, which only saves work: what two do at once is decided by ETags (invariant A25).
import type { Log, LogEntry } from '../../domain/ports.ts';
import type { Schedule } from '../../domain/ncrontab.ts';
import { err, ok, type Result } from '../../domain/result.ts';
import { isUnderWay, mayBegin, type StartedBy, type TimerName, type Turn } from '../../domain/timer-beat.ts';
import { change } from '../../store/act.ts';
import { list } from '../../store/found.ts';
import { insertIfAbsent } from '../../store/insert-if-absent.ts';
import type { Races } from '../../store/races.ts';
import { timerRow, timerRows } from '../../store/rows/heartbeat-rows.ts';
import { storeNow, type StoreTime } from '../../store/store-time.ts';
import type { Tables } from '../../store/tables.ts';
import { runJobs, type TimerJob } from './jobs.ts';

export interface Timer {
  readonly schedule: Schedule;
  readonly jobs: readonly TimerJob[];
  /** Of each job. */
  readonly limitMs: number;
}

export type TimersByName = Readonly<Record<TimerName, Timer>>;

export interface TurnDependencies extends StoreTime, Races {
  readonly tables: Tables;
  readonly log: Log;
  readonly instance: string;
  /** Of Keyswitch. */
  readonly version: string;
}

/** A turn that says nothing for so long beyond what its job may take is taken for dead. */
const SPARE_MS = 60_000;
/** How often an instance that has traffic looks whether a timer is overdue. */
const LOOK_EVERY_MS = 30_000;

export class TimerTurns {
  readonly #deps: TurnDependencies;
  readonly #timers: TimersByName;
  #lookedAtMs = -Infinity;

  constructor(deps: TurnDependencies, timers: TimersByName) {
    this.#deps = deps;
    this.#timers = timers;
  }

  /** The host's. While the store does not answer it is begun all the same: each job says for itself what it cannot do. Never throws. */
  async bySchedule(timer: TimerName): Promise<void> {
    const turn = this.#turn(timer, 'schedule');
    const claimed = await this.#orLost(timer, () => this.#claim(timer, turn));
    if (claimed === false) this.#log(timer, { level: 'info', event: 'timer.turn-skipped' });
    else await this.#run(timer, turn);
  }

  /** The turn, claimed, and its work, which the caller begins. Refused while a turn is under way. Throws StoreUnavailable. */
  async byRequest(
    timer: TimerName,
  ): Promise<Result<{ readonly claimed: Turn; readonly run: () => Promise<Turn> }, 'running'>> {
    const turn = this.#turn(timer, 'request');
    if (!(await this.#claim(timer, turn))) return err('running');
    return ok({ claimed: turn, run: () => this.#run(timer, turn) });
  }

  /** For every call that comes: answers at once, and now and then looks in the background for what is overdue. */
  lookForOverdue(): void {
    const nowMs = this.#deps.clock.now().getTime();
    if (Math.abs(nowMs - this.#lookedAtMs) < LOOK_EVERY_MS) return;
    this.#lookedAtMs = nowMs;
    void this.runOverdue();
  }

  /** Begins what is overdue, and is first among all instances to do so. Never throws. */
  async runOverdue(): Promise<void> {
    for (const timer of Object.keys(this.#timers) as TimerName[]) {
      const turn = this.#turn(timer, 'traffic');
      const claimed = await this.#orLost(timer, () => this.#claim(timer, turn));
      if (claimed !== true) continue;
      this.#log(timer, { level: 'warning', event: 'timer.started-by-traffic' });
      await this.#run(timer, turn);
    }
  }

  /** The first instance that knows a timer says when its first turn is due, so that one that never comes is late. Throws StoreUnavailable. */
  async expectTurns(): Promise<void> {
    const { tables } = this.#deps;
    const known = new Set((await list(tables, timerRows, {})).map(({ place }) => place.timer));
    for (const [timer, { schedule }] of Object.entries(this.#timers)) {
      if (known.has(timer)) continue;
      await insertIfAbsent(tables, timerRow, { timer }, { nextAt: nextAfter(schedule, storeNow(this.#deps)) });
    }
  }

  #turn(timer: TimerName, startedBy: StartedBy): Turn {
    const { entropy, instance, version } = this.#deps;
    const startedAt = storeNow(this.#deps);
    const until = this.#until(timer, startedAt);
    return {
      id: entropy.id(),
      startedAt: startedAt.toISOString(),
      startedBy,
      instance,
      version,
      until,
      done: {},
      failed: [],
    };
  }

  #until(timer: TimerName, from: Date): string {
    return new Date(from.getTime() + this.#timers[timer].limitMs + SPARE_MS).toISOString();
  }

  /** Whether the turn may be run. Throws StoreUnavailable. */
  async #claim(timer: TimerName, turn: Turn): Promise<boolean> {
    const claimed = await change<boolean>(this.#deps, async (tx) => {
      const held = await tx.find(timerRow, { timer });
      // An earlier attempt whose answer was lost.
      if (held?.value?.turn?.id === turn.id) return ok(true);
      const now = storeNow(this.#deps);
      const { startedBy } = turn;
      if (!(held ? mayBegin(held.value, startedBy, now) : startedBy !== 'traffic')) return ok(false);
      const nextAt = nextAfter(this.#timers[timer].schedule, now);
      tx.put(timerRow, { timer }, held, { nextAt, turn });
      return { done: () => true };
    });
    // All races lost: to instances that began it.
    return claimed.ok && claimed.value;
  }

  async #run(timer: TimerName, turn: Turn): Promise<Turn> {
    const { jobs, limitMs } = this.#timers[timer];
    let held = turn;
    const did = await runJobs(this.#deps.log, jobs, {
      limitMs,
      before: async () => {
        const now = storeNow(this.#deps);
        if (Date.parse(held.until ?? '') - now.getTime() > limitMs) return;
        held = { ...held, until: this.#until(timer, now) };
        await this.#keep(timer, held);
      },
    });
    if (Object.values(did.done).some((count) => count > 0))
      this.#deps.log.write({ level: 'info', event: `${timer}.done`, detail: did.done });
    const { until: _over, ...rest } = held;
    const ended: Turn = { ...rest, ...did, endedAt: storeNow(this.#deps).toISOString() };
    await this.#keep(timer, ended);
    return ended;
  }

  /** Unless another turn has been begun since. */
  async #keep(timer: TimerName, turn: Turn): Promise<void> {
    await this.#orLost(timer, () =>
      change<undefined>(this.#deps, async (tx) => {
        const held = await tx.find(timerRow, { timer });
        const now = storeNow(this.#deps);
        const isOurs = held?.value?.turn?.id === turn.id;
        if (!isOurs && held?.value && isUnderWay(held.value, now)) return ok(undefined);
        tx.put(timerRow, { timer }, held, { nextAt: nextAfter(this.#timers[timer].schedule, now), turn });
        return ok(undefined);
      }),
    );
  }

  /** A heartbeat must not keep a turn from its work, nor end the process. */
  async #orLost<T>(timer: TimerName, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const detail = { error: error instanceof Error ? error.name : 'unknown' };
      this.#log(timer, { level: 'warning', event: 'timer.heartbeat-lost', detail });
      return undefined;
    }
  }

  #log(timer: TimerName, entry: LogEntry): void {
    this.#deps.log.write({ ...entry, detail: { timer, ...entry.detail } });
  }
}

const nextAfter = (schedule: Schedule, now: Date): string => schedule.next(now).toISOString();
