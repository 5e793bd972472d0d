// Runs the app's timer triggers. Off until told: of several hosts one only may fire them, and who that is the parent
// decides. One run of a timer never overlaps the next.
import { expandSettings, type AppSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core-api.ts';
import type { TypedData } from './core-types.ts';
import type { FunctionErrors } from './function-errors.ts';
import { describeError, type HostLog } from './host-log.ts';
import type { Invoker } from './invoke.ts';
import { parseSchedule, type Schedule } from './ncrontab.ts';
import { findTrigger } from './triggers.ts';

interface TimerTriggers {
  /** Whether this host is the one that fires. */
  setEnabled(enabled: boolean): void;
  /** Fires one now, whoever is the one. False when there is no timer of that name. */
  fire(name: string): boolean;
}

interface Timer {
  readonly name: string;
  readonly registered: RegisteredFunction;
  readonly bindingName: string;
  readonly schedule: Schedule;
  readonly runOnStartup: boolean;
}

/** setTimeout takes no longer wait. */
const MAX_WAIT_MS = 2 ** 31 - 1;

export function createTimerTriggers(
  functions: readonly RegisteredFunction[],
  surroundings: {
    readonly settings: AppSettings;
    readonly invoker: Invoker;
    readonly log: HostLog;
    readonly errors: FunctionErrors;
  },
): TimerTriggers {
  const { settings, invoker, log, errors } = surroundings;
  const timers = errors.index(functions, (registered) => readTimer(registered, settings));
  const waits = new Map<string, NodeJS.Timeout>();
  const known = new Set<string>();
  let enabled = false;
  let started = false;

  /** The first run of a timer is one whose status nobody has kept, and that is past due: as after a deployment, or an hour of being away. */
  async function run(timer: Timer): Promise<void> {
    const now = new Date();
    try {
      const data = timerData(known.has(timer.name), now, timer.schedule.next(now));
      known.add(timer.name);
      await invoker.invoke(timer.registered, { inputData: [{ name: timer.bindingName, data }] });
    } catch (error) {
      log('error', `Function.${timer.name}`, `Failed. ${describeError(error)}`);
    }
  }

  function wait(timer: Timer, until: Date): void {
    const ms = Math.max(0, until.getTime() - Date.now());
    const next = async (): Promise<void> => {
      if (ms <= MAX_WAIT_MS) await run(timer);
      if (enabled) wait(timer, ms <= MAX_WAIT_MS ? timer.schedule.next(new Date()) : until);
    };
    clearTimeout(waits.get(timer.name));
    waits.set(
      timer.name,
      setTimeout(() => void next(), Math.min(ms, MAX_WAIT_MS)),
    );
  }

  return {
    setEnabled: (on) => {
      if (on === enabled) return;
      enabled = on;
      for (const wanted of waits.values()) clearTimeout(wanted);
      waits.clear();
      if (!on) return;
      for (const timer of timers) {
        wait(timer, timer.runOnStartup && !started ? new Date() : timer.schedule.next(new Date()));
      }
      started = true;
    },
    fire: (name) => {
      const timer = timers.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (timer) void run(timer);
      return timer !== undefined;
    },
  };
}

function readTimer(registered: RegisteredFunction, settings: AppSettings): Timer[] {
  const { name: bindingName, binding } = findTrigger(registered.metadata);
  if (binding.type !== 'timerTrigger') return [];
  const { schedule, runOnStartup } = binding as { schedule?: string; runOnStartup?: boolean };
  const parsed = parseSchedule(expandSettings(schedule ?? '', settings));
  const { name } = registered.metadata;
  return [{ name, registered, bindingName, schedule: parsed, runOnStartup: runOnStartup === true }];
}

function timerData(isKnown: boolean, now: Date, next: Date): TypedData {
  const status = { Last: now.toISOString(), Next: next.toISOString(), LastUpdated: now.toISOString() };
  return {
    json: JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: isKnown ? status : null,
      IsPastDue: !isKnown,
    }),
  };
}
