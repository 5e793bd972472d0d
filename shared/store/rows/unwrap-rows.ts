// How many data keys a company unwraps: one row, written by every process that counts. Pure. It proves nothing and is not sealed; one that cannot be
// read is begun anew.
import { isRecord, present } from '../../domain/plain-object.ts';
import type { BusiestHour, UnwrapHabit } from '../../domain/unwrap-habit.ts';
import { count, json, optionalText, text, type Cells } from './cells.ts';
import type { Row } from './row.ts';
import { UNWRAPS_ROW_KEY } from './row-keys.ts';

const FORMAT = 1;
const HOUR_MS = 3_600_000;

const timeOf = (hour: number): string => new Date(hour * HOUR_MS).toISOString();

function hourOf(time: string | undefined): number | undefined {
  const ms = time === undefined ? NaN : Date.parse(time);
  return Number.isFinite(ms) ? Math.floor(ms / HOUR_MS) : undefined;
}

function readHabit(cells: Cells): UnwrapHabit | undefined {
  const since = hourOf(text(cells, 'since'));
  const hour = hourOf(text(cells, 'hour'));
  const keys = count(cells, 'keys');
  const days = readDays(json(cells, 'days'));
  if (count(cells, 'format') !== FORMAT || since === undefined || hour === undefined) return undefined;
  if (keys === undefined || !days) return undefined;
  const risenIn = hourOf(optionalText(cells, 'risenIn'));
  return { since, hour, keys, days, lastCount: text(cells, 'lastCount') ?? '', ...present({ risenIn }) };
}

function readDays(value: unknown): readonly BusiestHour[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const days = (value as unknown[]).map((one) => {
    if (!isRecord(one)) return undefined;
    const { day, keys } = one;
    return isCount(day) && isCount(keys) ? { day, keys } : undefined;
  });
  return days.every((one) => one !== undefined) ? days : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const unwrapHabitRow: Row<{ readonly companyId: string }, UnwrapHabit, UnwrapHabit | undefined> = {
  table: 'health',
  partition: ({ companyId }) => companyId,
  key: () => UNWRAPS_ROW_KEY,
  cells: ({ since, hour, keys, days, risenIn, lastCount }) => ({
    format: FORMAT,
    since: timeOf(since),
    hour: timeOf(hour),
    keys,
    days: JSON.stringify(days),
    risenIn: risenIn === undefined ? '' : timeOf(risenIn),
    lastCount,
  }),
  read: readHabit,
};
