// How many data keys a company has unwrapped in an hour, how many it usually does, and when that is far more than usual. Pure.
//
// Its habit is the busiest hour of the third busiest day of the last fourteen weeks: what it has done on three days is no news, and no one or two
// days, of an attack or of a mistake, become a habit.

const HOURS_PER_DAY = 24;
const MINUTES_PER_HOUR = 60;
const HOUR_MS = 3_600_000;
export const HABIT_DAYS = 98;
const DAYS_THAT_MAKE_A_HABIT = 3;
/** So many times its habit is unusual. */
export const FAR_BEYOND = 5;
/** Nothing is unusual of a company that was not known for so long. */
const LEARNING_HOURS = 7 * HOURS_PER_DAY;

export interface BusiestHour {
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly keys: number;
}

export interface UnwrapHabit {
  /** Hours since 1970: of the first count, and the one that is counted now. */
  readonly since: number;
  readonly hour: number;
  /** Unwrapped in that hour, as far as was counted. */
  readonly keys: number;
  /** Of days on which there were any, the newest last; of the present day as far as it is over. */
  readonly days: readonly BusiestHour[];
  /** The hour that the present rise was told of; absent if there is none. */
  readonly risenIn?: number;
  /** Which count was added last, to know it after a lost answer. */
  readonly lastCount: string;
}

/** What one process has counted in one minute. */
export interface UnwrapCount {
  /** Minutes since 1970. */
  readonly minute: number;
  readonly keys: number;
  /** Names this count and no other. */
  readonly name: string;
}

/** The first time that an hour is unusual. */
export interface Rise {
  readonly hour: number;
  readonly keys: number;
  readonly usual: number;
}

/** The busiest hour of the third busiest day; 0 with fewer days. */
export const usualOf = ({ days }: Pick<UnwrapHabit, 'days'>): number =>
  days.map(({ keys }) => keys).toSorted((a, b) => b - a)[DAYS_THAT_MAKE_A_HABIT - 1] ?? 0;

const mostOf = (habit: UnwrapHabit, atLeast: number): number => Math.max(atLeast, FAR_BEYOND * usualOf(habit));

/**
 * Undefined where the count changes nothing: it was added before, or comes when its hour is over. `atLeast`: up to so many keys in an hour are unusual
 * for no company.
 */
export function afterCount(
  before: UnwrapHabit | undefined,
  count: UnwrapCount,
  { now, atLeast }: { readonly now: Date; readonly atLeast: number },
): { readonly habit: UnwrapHabit; readonly rise?: Rise } | undefined {
  if (before?.lastCount === count.name) return undefined;
  const hour = Math.floor(count.minute / MINUTES_PER_HOUR);
  const present = inHour(before, hour, { now, atLeast });
  if (!present) return undefined;
  const habit = { ...present, keys: present.keys + count.keys, lastCount: count.name };
  const isKnown = hour - habit.since >= LEARNING_HOURS;
  if (!isKnown || habit.risenIn !== undefined || habit.keys <= mostOf(habit, atLeast)) return { habit };
  return { habit: { ...habit, risenIn: hour }, rise: { hour, keys: habit.keys, usual: usualOf(habit) } };
}

/** The habit as that hour goes on or begins. Undefined if it is over: a store that was away must not add up several hours in one. */
function inHour(
  before: UnwrapHabit | undefined,
  hour: number,
  { now, atLeast }: { readonly now: Date; readonly atLeast: number },
): UnwrapHabit | undefined {
  if (!before) return { since: hour, hour, keys: 0, days: [], lastCount: '' };
  if (before.hour === hour) return before;
  // What lies ahead of the clock was counted by a clock that was ahead.
  if (before.hour > Math.floor(now.getTime() / HOUR_MS) + 1)
    return { ...before, since: Math.min(before.since, hour), hour, keys: 0 };
  if (before.hour > hour) return undefined;
  const { risenIn, ...rest } = before;
  const goesOn = hour === before.hour + 1 && 2 * before.keys > mostOf(before, atLeast);
  const days = daysWith(before, dayOf(hour));
  return { ...rest, ...(goesOn && risenIn !== undefined ? { risenIn } : {}), hour, keys: 0, days };
}

const dayOf = (hour: number): number => Math.floor(hour / HOURS_PER_DAY);

/** With the hour that is over, and without days that are too long ago, or have not come. */
function daysWith({ days, hour, keys }: UnwrapHabit, today: number): readonly BusiestHour[] {
  const day = dayOf(hour);
  const before = days.find((one) => one.day === day)?.keys ?? 0;
  return [...days.filter((one) => one.day !== day), { day, keys: Math.max(before, keys) }]
    .filter((one) => one.day > today - HABIT_DAYS && one.day <= today)
    .toSorted((a, b) => a.day - b.day);
}
