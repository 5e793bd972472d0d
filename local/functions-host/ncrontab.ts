// Schedules of timer triggers as the Functions host takes them (TimerSchedule.Create): NCRONTAB, five fields without seconds, or a time span.
import { parseNcrontab, type Schedule } from '../../shared/domain/ncrontab.ts';
import { IndexingError } from './function-errors.ts';
import { parseTimeSpan } from './time-span.ts';

export type { Schedule };

/** When a schedule fires that never does: DateTime.MaxValue, to the millisecond. */
const NEVER = new Date('9999-12-31T23:59:59.999Z');

/** Throws an IndexingError for what is neither. */
export function parseSchedule(text: string): Schedule {
  const intervalMs = parseTimeSpan(text);
  if (intervalMs !== undefined && intervalMs > 0) {
    return { next: (after) => new Date(after.getTime() + intervalMs) };
  }
  const fields = text.trim().split(/\s+/);
  const cron = read(fields.length === 5 ? `0 ${text.trim()}` : text);
  if (!cron) {
    const message = `The schedule expression '${text}' was not recognized as a valid cron expression or timespan string.`;
    throw new IndexingError('Microsoft.Azure.WebJobs.Extensions', message);
  }
  return { next: (after) => nextOf(cron, after) };
}

function read(text: string): Schedule | undefined {
  try {
    return parseNcrontab(text);
  } catch {
    return undefined;
  }
}

function nextOf(schedule: Schedule, after: Date): Date {
  try {
    return schedule.next(after);
  } catch {
    return NEVER;
  }
}
