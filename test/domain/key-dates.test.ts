import { describe, expect, it } from 'vitest';
import { warnedOf } from '../../shared/domain/key-dates.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;
const days = (count: number, ms = 0): Date => new Date(NOW.getTime() + count * DAY_MS + ms);

describe('the dates of a version', () => {
  it.each([
    ['expires in a year', { expires: days(365) }, undefined],
    ['expires in 30 days and a moment', { expires: days(30, 1) }, undefined],
    ['expires in 30 days', { expires: days(30) }, ['expiry', 30]],
    ['expires in 7 days and a moment', { expires: days(7, 1) }, ['expiry', 30]],
    ['expires in 7 days', { expires: days(7) }, ['expiry', 7]],
    ['expires in a day', { expires: days(1) }, ['expiry', 1]],
    ['expires in a moment', { expires: days(0, 1) }, ['expiry', 1]],
    ['has expired', { expires: NOW }, undefined],
    ['has no dates', {}, undefined],
    ['is a day old', { created: days(-1) }, undefined],
    ['becomes too old in 30 days', { created: days(-70) }, ['rotation', 30]],
    ['becomes too old in 7 days', { created: days(-93) }, ['rotation', 7]],
    ['becomes too old in a day', { created: days(-99) }, ['rotation', 1]],
    ['is just too old', { created: days(-100) }, ['rotation', 0]],
    ['is far too old', { created: days(-1_000) }, ['rotation', 0]],
    ['is due before it expires', { created: days(-98), expires: days(5) }, ['rotation', 7]],
    ['expires before it is due', { created: days(-90), expires: days(5) }, ['expiry', 7]],
    ['has expired before it was due', { created: days(-200), expires: days(-150) }, undefined],
  ] as const)('of one that %s', (_what, dates, expected) => {
    const warned = warnedOf(dates, { now: NOW, rotationDays: 100 });
    expect(warned && [warned.about, warned.within]).toEqual(expected);
  });

  it.each([{ rotationDays: 0 }, {}])('say nothing of rotation where the vendor asks for none (%j)', (policy) => {
    expect(warnedOf({ created: days(-5_000) }, { now: NOW, ...policy })).toBeUndefined();
  });
});
