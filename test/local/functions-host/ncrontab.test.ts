import { expect, test } from 'vitest';
import { parseSchedule } from '../../../local/functions-host/ncrontab.ts';

const AFTER = new Date('2026-11-22T10:59:59.500Z'); // a Sunday

test.each([
  ['* * * * * *', '2026-11-22T11:00:00.000Z'],
  ['0 */5 * * * *', '2026-11-22T11:00:00.000Z'],
  ['30 */5 * * * *', '2026-11-22T11:00:30.000Z'],
  ['*/7 * * * *', '2026-11-22T11:00:00.000Z'],
  ['59 59 10 * * *', '2026-11-23T10:59:59.000Z'],
  ['0 0 9-17/4 * * Mon-Fri', '2026-11-23T09:00:00.000Z'],
  ['0 30 9 * Jan,mar Wed', '2027-01-06T09:30:00.000Z'],
  ['0 0 0 * january,D Tuesday', '2026-12-01T00:00:00.000Z'],
  ['0 0 0 29 2 *', '2028-02-29T00:00:00.000Z'],
  ['0 0 0 13 * 5', '2027-08-13T00:00:00.000Z'],
  ['0 0 0 31 * *', '2026-12-31T00:00:00.000Z'],
  ['00:00:30', '2026-11-22T11:00:29.500Z'],
])('%s fires next at %s', (schedule, expected) => {
  expect(parseSchedule(schedule).next(AFTER).toISOString()).toBe(expected);
});

test('the next time is always later, and firing again from it goes on', () => {
  const schedule = parseSchedule('0 */20 * * * *');
  const first = schedule.next(AFTER);
  expect(schedule.next(first).getTime() - first.getTime()).toBe(20 * 60_000);
});

test.each([
  '',
  '* * * *',
  '60 * * * * *',
  '0 0 24 * * *',
  '5-1 * * * * *',
  '*/0 * * * * *',
  '0 0 0 * * 7',
  'a * * * * *',
  '1e1 * * * * *',
  '0x1 * * * * *',
  '0 0 0 * * monster',
  '0 0 0 * janus *',
])('"%s" is refused', (schedule) => {
  expect(() => parseSchedule(schedule)).toThrow();
});

test('a schedule that never comes round fires at the end of time, as in NCrontab', () => {
  expect(parseSchedule('0 0 0 31 2 *').next(AFTER).toISOString()).toBe('9999-12-31T23:59:59.999Z');
});
