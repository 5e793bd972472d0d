// NCRONTAB schedules of timer triggers: `{second} {minute} {hour} {day} {month} {day of week}`. Always UTC, as in the Functions host. Pure:
// `after` is passed in.

export interface Schedule {
  /** The first instant strictly after `after` at which it fires. */
  next(after: Date): Date;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const FIELDS: readonly Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of week', min: 0, max: 6, names: DAYS },
];
/** February 29 comes at least every eight years. */
const MAX_YEARS = 8;

/** Throws if the text is no schedule; `next` throws if it never fires. */
export function parseNcrontab(text: string): Schedule {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) throw new Error(`'${text}' is no schedule: it needs six fields.`);
  const sets = FIELDS.map((field, index) => parseField(fields[index] ?? '', field));
  return { next: (after) => search(sets, after, text) };
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  const values = new Set<number>();
  for (const item of text.toLowerCase().split(',')) {
    const found = /^(\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
    if (!found) throw new Error(`'${text}' is no ${field.name} of a schedule.`);
    const [, all, from = '', to, step] = found;
    const first = all === '*' ? field.min : parseValue(from, field);
    // `5/10` means from 5 on, every tenth.
    const last = all === '*' || (to === undefined && step !== undefined) ? field.max : parseValue(to ?? from, field);
    const stride = Number(step ?? 1);
    if (stride < 1 || last < first) throw new Error(`'${text}' is no ${field.name} of a schedule.`);
    for (let value = first; value <= last; value += stride) values.add(value);
  }
  return values;
}

/** Digits, or the beginning of a name; the first name that fits counts, as in NCrontab (CrontabField.ParseValue). */
function parseValue(text: string, { name, min, max, names }: Field): number {
  const named = names?.findIndex((whole) => whole.startsWith(text)) ?? -1;
  const value = named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isInteger(value) || value < min || value > max) throw new Error(`'${text}' is no ${name} of a schedule.`);
  return value;
}

/** Skips whole months, days, hours and minutes that cannot match. */
function search(sets: readonly ReadonlySet<number>[], after: Date, text: string): Date {
  const [seconds, minutes, hours, days, months, weekdays] = sets;
  const at = new Date(after.getTime());
  at.setUTCMilliseconds(0);
  at.setUTCSeconds(at.getUTCSeconds() + 1);
  const limit = at.getUTCFullYear() + MAX_YEARS;
  while (at.getUTCFullYear() <= limit) {
    if (months?.has(at.getUTCMonth() + 1) !== true) {
      at.setUTCMonth(at.getUTCMonth() + 1, 1);
      at.setUTCHours(0, 0, 0);
    } else if (days?.has(at.getUTCDate()) !== true || weekdays?.has(at.getUTCDay()) !== true) {
      at.setUTCDate(at.getUTCDate() + 1);
      at.setUTCHours(0, 0, 0);
    } else if (hours?.has(at.getUTCHours()) !== true) {
      at.setUTCHours(at.getUTCHours() + 1, 0, 0);
    } else if (minutes?.has(at.getUTCMinutes()) !== true) {
      at.setUTCMinutes(at.getUTCMinutes() + 1, 0);
    } else if (seconds?.has(at.getUTCSeconds()) !== true) {
      at.setUTCSeconds(at.getUTCSeconds() + 1);
    } else {
      return at;
    }
  }
  throw new Error(`'${text}' never fires.`);
}
