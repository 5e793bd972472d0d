// Whether this instance can work, that is whether its store answers; and, for monitors and operators, which timers are late. A late timer is no
// instance's doing and callers lose nothing by it, so it makes none of them unready. Probes need no sign-in, so one answer serves all of them for
// some seconds, and probes that come during the read wait for it.
import { find, list } from './found.ts';
import { timerRows } from './rows/heartbeat-rows.ts';
import { isSettled, resealingRow, type ResealingState } from './rows/resealing-rows.ts';
import { type Tables } from './tables.ts';
import { ExpiringCache } from '../domain/expiring-cache.ts';
import { ok } from '../domain/result.ts';
import { StoreUnavailable } from '../domain/store-unavailable.ts';
import { isTimer, timerState } from '../domain/timer-beat.ts';
import type { Log } from '../domain/ports.ts';
import { storeNow, type StoreTime } from './store-time.ts';

/** How long an answer holds, a good or a bad one. */
export const READINESS_TTL_MS = 5_000;

export interface Found {
  readonly isReady: boolean;
  readonly at: Date;
  /** For operators: why it is not. */
  readonly reason?: string;
  /** Timers whose turn is late, by name. */
  readonly late: readonly string[];
  /** For operators: what works today and may stop. */
  readonly warnings: readonly string[];
}

interface Looking extends StoreTime {
  readonly tables: Pick<Tables, 'read' | 'list'>;
  readonly log: Log;
}

export class Readiness {
  readonly #deps: Looking;
  readonly #found: ExpiringCache<Found>;

  constructor(deps: Looking) {
    this.#deps = deps;
    this.#found = new ExpiringCache(deps.clock, { ttlMs: READINESS_TTL_MS, maxEntries: 1 });
  }

  async find(): Promise<Found> {
    const found = await this.#found.get('', async () => ok(await this.#look()));
    return found.ok ? found.value : found.error;
  }

  async #look(): Promise<Found> {
    const { tables, clock, log } = this.#deps;
    let reason: string | undefined;
    let warnings: readonly string[] = [];
    let late: readonly string[] = [];
    try {
      // Any row will do, even an absent one; this one may hold a warning.
      const row = await find(tables, resealingRow, {});
      const timers = (await list(tables, timerRows, {})).filter(({ place }) => isTimer(place.timer));
      const now = storeNow(this.#deps);
      late = timers.filter(({ value }) => timerState(value, now) === 'late').map(({ place }) => place.timer);
      const failed = timers.filter(({ value }) => (value?.turn?.failed.length ?? 0) > 0);
      warnings = [
        ...(row ? warningsOf(row.value) : []),
        ...late.map((timer) => `The timer ${timer} is late: what it does is not done.`),
        ...failed.map(
          ({ place, value }) =>
            `The last turn of the timer ${place.timer} failed in ${value?.turn?.failed.join(', ') ?? ''}: the log says why.`,
        ),
      ];
    } catch (error) {
      // Of an unexpected error only its name: its message could hold anything.
      reason = error instanceof StoreUnavailable ? error.message : error instanceof Error ? error.name : 'no Error';
      log.write({ level: 'error', event: 'readiness.not-ready', detail: { reason } });
    }
    const found = { isReady: reason === undefined, at: clock.now(), late, warnings };
    return { ...found, ...(reason === undefined ? {} : { reason }) };
  }
}

function warningsOf(state: ResealingState | undefined): readonly string[] {
  if (!state) return [];
  const { left, version } = state;
  if (left > 0)
    return [
      `${left} seals do not name the newest version of the seal key yet, ${version}: keep older versions enabled, or enable them again, until none is left.`,
    ];
  return isSettled(state)
    ? []
    : [
        `Rows may have been sealed by an older version of the seal key than ${version} since they were looked at: keep older versions enabled until this warning is gone.`,
      ];
}
