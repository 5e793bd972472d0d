// When a vault is due: from the minute, a hash of the connection and how it was found, and from nothing that is written at each check.
import { describe, expect, it } from 'vitest';
import {
  lastDue,
  MAX_INTERVAL,
  nextDue,
  phaseOf,
  slotOf,
  startOfSlot,
  type Pace,
} from '../../shared/domain/check-pace.ts';

const SINCE = 29_000_000;
const silent: Pace = { kind: 'silent', since: startOfSlot(SINCE).toISOString() };

const dueIn = (pace: Pace | undefined, phase: number, minutes: number): readonly number[] =>
  Array.from({ length: minutes }, (_, minute) => minute).filter((minute) => {
    const slot = SINCE + minute;
    return lastDue(pace, phase, { after: slot - 1, upTo: slot }) === slot;
  });

describe('a vault', () => {
  it.each<[string, Pace | undefined, number]>([
    ['that is well', { kind: 'well' }, 5],
    ['that is not', { kind: 'ill' }, 1],
    ['that was never checked', undefined, 1],
  ])('%s is due at the same distance, whatever its phase', (_what, pace, interval) => {
    for (const phase of [0, 1, 4, 2 ** 32 - 1]) {
      const due = dueIn(pace, phase, 30);
      expect(due.slice(1).map((minute, index) => minute - due[index]!)).toEqual(
        Array(30 / interval - 1).fill(interval),
      );
    }
  });

  it('that is silent is due ever more rarely, and in every 16 minutes in the end', () => {
    for (const phase of [0, 7, 123_456_789]) {
      const due = dueIn(silent, phase, 400);
      expect(due.slice(0, 4)).toEqual([0, 1, 2, 3]);
      const gaps = due.slice(1).map((minute, index) => minute - due[index]!);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * MAX_INTERVAL);
      expect(new Set(gaps.slice(-10))).toEqual(new Set([16]));
      // Five days cost less than an hour of checks.
      expect(dueIn(silent, phase, 7_200).length).toBeLessThan(480);
    }
  });

  it('whose silence begins in the future, by a clock that was ahead, is due every minute', () => {
    expect(dueIn({ kind: 'silent', since: startOfSlot(SINCE + 99).toISOString() }, 3, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  it('that was missed in several minutes is due once for all of them', () => {
    expect(lastDue({ kind: 'well' }, 0, { after: SINCE, upTo: SINCE + 12 })).toBe(SINCE + 10);
    expect(lastDue({ kind: 'well' }, 0, { after: SINCE + 5, upTo: SINCE + 9 })).toBeUndefined();
    expect(lastDue({ kind: 'ill' }, 0, { after: SINCE + 9, upTo: SINCE + 9 })).toBeUndefined();
  });

  it('is next due when it will be', () => {
    for (const pace of [{ kind: 'well' }, { kind: 'ill' }, silent] as const)
      for (let after = SINCE; after < SINCE + 100; after += 1) {
        const next = nextDue(pace, 11, after);
        expect(next).toBeGreaterThan(after);
        expect(lastDue(pace, 11, { after, upTo: next - 1 })).toBeUndefined();
        expect(lastDue(pace, 11, { after, upTo: next })).toBe(next);
      }
  });
});

it('connections are spread evenly over the minutes', () => {
  const counts = [0, 0, 0, 0, 0];
  for (let index = 0; index < 5_000; index += 1)
    counts[phaseOf({ companyId: `company-${index}`, connectionId: 'main' }) % 5]! += 1;
  for (const count of counts) expect(count).toBeGreaterThan(900);
  expect(phaseOf({ companyId: 'a', connectionId: 'b' })).not.toBe(phaseOf({ companyId: 'a', connectionId: 'c' }));
});

it('a minute is a slot', () => {
  expect(slotOf(new Date('2026-01-01T00:00:59.999Z'))).toBe(slotOf(new Date('2026-01-01T00:00:00.000Z')));
  expect(startOfSlot(slotOf(new Date('2026-01-01T00:07:31.000Z'))).toISOString()).toBe('2026-01-01T00:07:00.000Z');
});
