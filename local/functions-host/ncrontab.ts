// Schedules of timer triggers as the Functions host takes them: NCRONTAB, five fields without seconds, or a time span.
import { parseNcrontab, type Schedule } from '../../shared/domain/ncrontab.ts';
import { parseTimeSpan } from './time-span.ts';

export type { Schedule };

export function parseSchedule(text: string): Schedule {
  const intervalMs = parseTimeSpan(text);
  if (intervalMs !== undefined && intervalMs > 0) {
    return { next: (after) => new Date(after.getTime() + intervalMs) };
  }
  const fields = text.trim().split(/\s+/);
  return parseNcrontab(fields.length === 5 ? `0 ${text.trim()}` : text);
}
