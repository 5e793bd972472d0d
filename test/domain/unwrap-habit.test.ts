import { describe, expect, it } from 'vitest';
import { afterCount, FAR_BEYOND, HABIT_DAYS, usualOf, type UnwrapHabit } from '../../shared/domain/unwrap-habit.ts';

const AT_LEAST = 1_000;
const HOURS_PER_DAY = 24;
/** A Monday, in hours since 1970. */
const BEGIN = 490_896;
const timeOf = (hour: number): Date => new Date(hour * 3_600_000);

/** A company whose unwraps are counted hour by hour; each hour's in two counts of two processes. */
class Company {
  habit: UnwrapHabit | undefined;
  readonly rises: number[] = [];
  #counts = 0;

  hour(hour: number, keys: number): this {
    for (const part of [Math.floor(keys / 2), keys - Math.floor(keys / 2)]) this.count(hour, part);
    return this;
  }

  count(hour: number, keys: number, name = `count ${(this.#counts += 1)}`, now = timeOf(hour + 1)): boolean {
    const after = afterCount(this.habit, { minute: hour * 60 + 30, keys, name }, { now, atLeast: AT_LEAST });
    if (!after) return false;
    this.habit = after.habit;
    if (after.rise) this.rises.push(after.rise.hour - BEGIN);
    return true;
  }

  /** At ten o'clock of each of these days. */
  days(busiest: readonly number[], first = 0): this {
    busiest.forEach((keys, day) => this.hour(BEGIN + (first + day) * HOURS_PER_DAY + 10, keys));
    return this;
  }
}

const days = (count: number, keys: number): number[] => Array.from({ length: count }, () => keys);
/** At ten o'clock of the day, in hours from the beginning. */
const ten = (day: number): number => day * HOURS_PER_DAY + 10;

describe('unwrapping far beyond a habit', () => {
  it.each<[string, number[], number[]]>([
    ['is nothing of a company in its first week', [...days(6, 10), 1_000_000], []],
    ['is not what is at most the least that counts', [...days(20, 10), AT_LEAST], []],
    [
      'is what is more than the least that counts, of a company that unwraps little',
      [...days(20, 10), AT_LEAST + 1],
      [20],
    ],
    ['is not five times the habit', [...days(20, 5_000), 25_000], []],
    ['is more than five times the habit', [...days(20, 5_000), 25_001], [20]],
    [
      'is measured by the third busiest day: one or two days make no habit',
      [...days(20, 5_000), 24_000, 24_000, 25_001],
      [22],
    ],
    ['is not what was there on three days', [...days(20, 5_000), ...days(3, 20_000), 100_000], []],
    [
      'is not a use that doubles each week',
      Array.from({ length: 140 }, (_, day) => 500 * 2 ** Math.floor(day / 7)),
      [],
    ],
    [
      'is told of on three days where it stays so, and is the habit then',
      [...days(20, 5_000), ...days(10, 50_000)],
      [20, 21, 22],
    ],
    [
      'is what a company does that was idle for longer than its habit is kept',
      [...days(20, 5_000), ...days(HABIT_DAYS, 0), 5_001],
      [118],
    ],
    [
      'is not what a company does once in thirty days, after three times',
      once(30, 5).map((busy) => (busy ? 50_000 : 1_000)),
      [30, 60, 90],
    ],
  ])('%s', (_, busiest, rises) => {
    expect(new Company().days(busiest).rises).toEqual(rises.map(ten));
  });

  it('is told of once in a rise, however many counts and hours it has', () => {
    const company = new Company().days(days(20, 5_000));
    for (let hour = 0; hour < 6; hour += 1) company.hour(BEGIN + ten(20) + hour, 40_000);
    expect(company.rises).toEqual([ten(20)]);
  });

  it('is told of again after an hour of half of it, and not where it only went down a little', () => {
    const company = new Company().days(days(20, 5_000));
    for (const [hour, keys] of [40_000, 20_000, 40_000, 12_000, 40_000].entries())
      company.hour(BEGIN + ten(20) + hour, keys);
    expect(company.rises).toEqual([ten(20), ten(20) + 4]);
  });

  it('is told of again after an hour without any', () => {
    const company = new Company().days(days(20, 5_000));
    company.hour(BEGIN + ten(20), 40_000).hour(BEGIN + ten(20) + 2, 40_000);
    expect(company.rises).toEqual([ten(20), ten(20) + 2]);
  });

  it('is seen where each of many processes alone does nothing unusual', () => {
    const company = new Company().days(days(20, 5_000));
    for (let process = 0; process < 40; process += 1) company.count(BEGIN + ten(20), 1_000, `process ${process}`);
    expect(company.rises).toEqual([ten(20)]);
  });
});

describe('a count', () => {
  it('that comes twice is added once', () => {
    const company = new Company().days(days(20, 5_000));
    expect(company.count(BEGIN + ten(20), 20_000, 'the same')).toBe(true);
    expect(company.count(BEGIN + ten(20), 20_000, 'the same')).toBe(false);
    expect(company.rises).toEqual([]);
  });

  it('of an hour that is over is left out: hours that come together do not add up to one', () => {
    const company = new Company().days(days(20, 5_000));
    company.hour(BEGIN + ten(20), 10);
    for (let hour = 1; hour < 10; hour += 1)
      expect(company.count(BEGIN + ten(20) - hour, 20_000, `late ${hour}`, timeOf(BEGIN + ten(20)))).toBe(false);
    expect(company.rises).toEqual([]);
  });

  it('by a clock that is ahead keeps the others from being counted no longer than until the next one', () => {
    const company = new Company().days(days(20, 5_000));
    company.count(BEGIN + ten(400), 10);
    expect(company.count(BEGIN + ten(20), 7, 'right', timeOf(BEGIN + ten(20)))).toBe(true);
    expect(company.habit).toMatchObject({ hour: BEGIN + ten(20), keys: 7 });
  });
});

it('a habit is kept for so many days and no longer, one number for each', () => {
  const { habit } = new Company().days(days(3 * HABIT_DAYS, 7));
  // Beside the present day.
  expect(habit?.days).toHaveLength(HABIT_DAYS - 1);
  expect(usualOf({ days: habit?.days ?? [] })).toBe(7);
  expect(FAR_BEYOND).toBe(5);
});

function once(every: number, times: number): boolean[] {
  return Array.from({ length: every * times + 1 }, (_, day) => day > 0 && day % every === 0);
}
