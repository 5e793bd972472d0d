// A timer's heartbeat as every instance reads it: whether a turn is under way, whether the next one is overdue or late, who may begin one. Pure.
// All times are the store's, which all hosts share.

/** Also the names of their functions. */
export const TIMERS = ['sweep', 'vault-checks', 'audit', 'notifications'] as const;
export type TimerName = (typeof TIMERS)[number];

/** Another version may have others. */
export const isTimer = (name: string): name is TimerName => TIMERS.some((timer) => timer === name);

/** `traffic`: an instance that had a call found the timer overdue. */
export type StartedBy = 'schedule' | 'request' | 'traffic';

export interface Turn {
  readonly id: string;
  readonly startedAt: string;
  readonly startedBy: StartedBy;
  readonly instance: string;
  /** Of Keyswitch. */
  readonly version: string;
  /** While it goes on: when to take it for dead unless it says more. */
  readonly until?: string;
  readonly endedAt?: string;
  /** How much each job did. */
  readonly done: Readonly<Record<string, number>>;
  /** Jobs that threw or did not come back. */
  readonly failed: readonly string[];
}

export interface TimerBeat {
  /** When the next turn is due by the schedule. */
  readonly nextAt: string;
  /** The last one that was begun; absent before the first. */
  readonly turn?: Turn;
}

/** `late` is worth a red light; `overdue` is started by traffic. */
export type TimerState = 'on-time' | 'running' | 'overdue' | 'late';

/** Longer than a timer's own instance takes to start. */
const OVERDUE_AFTER_MS = 60_000;
/** The schedule, and then traffic, have had their chance. */
const LATE_AFTER_MS = 5 * 60_000;
/** No turn says that it needs longer: a later end was written by a host whose clock was wrong. */
const LONGEST_TURN_MS = 15 * 60_000;

export function isUnderWay({ turn }: TimerBeat, now: Date): boolean {
  if (turn?.until === undefined) return false;
  const leftMs = Date.parse(turn.until) - now.getTime();
  return leftMs > 0 && leftMs <= LONGEST_TURN_MS;
}

/** `undefined` is a heartbeat that cannot be read: it says nothing, and so its timer is late until a turn writes another. */
export function timerState(beat: TimerBeat | undefined, now: Date): TimerState {
  if (!beat || isFromTheFuture(beat, now)) return 'late';
  if (isUnderWay(beat, now)) return 'running';
  const pastMs = now.getTime() - Date.parse(beat.nextAt);
  if (pastMs > LATE_AFTER_MS) return 'late';
  return pastMs > OVERDUE_AFTER_MS ? 'overdue' : 'on-time';
}

/** A turn that begins after now proves that a clock was wrong, and so may `nextAt` be. */
const isFromTheFuture = ({ turn }: TimerBeat, now: Date): boolean =>
  turn !== undefined && Date.parse(turn.startedAt) - now.getTime() > LATE_AFTER_MS;

/**
 * The host runs one scheduled turn of a timer at a time, so a scheduled one that is still said to go on has died. Any other waits for the turn that is
 * under way; traffic begins none that is not overdue.
 */
export function mayBegin(beat: TimerBeat | undefined, by: StartedBy, now: Date): boolean {
  const state = timerState(beat, now);
  if (by === 'traffic') return state === 'overdue' || state === 'late';
  return state !== 'running' || (by === 'schedule' && beat?.turn?.startedBy === 'schedule');
}
