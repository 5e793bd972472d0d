import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  allAreAt,
  areDoneAt,
  countsAfter,
  describeCounts,
  hasCountBelowNone,
  MAX_COUNTED_VERSIONS,
  mayEndAt,
  movable,
  movableAt,
  NO_ROWS,
  OTHER_VERSIONS,
  total,
  type CountedRow,
  type ShardCounts,
} from '../../shared/domain/shard-counts.ts';

const row = (
  state: CountedRow['state'],
  companyKeyVersion = 1,
  previous: Uint8Array = new Uint8Array(0),
): CountedRow => ({ state, companyKeyVersion, previous });
const COMPARABLE = Uint8Array.of(1);
const of = (...rows: readonly CountedRow[]): ShardCounts =>
  countsAfter(
    NO_ROWS,
    rows.map((after) => ({ after })),
  );

describe('what counts of a row', () => {
  it.each([
    ['live', row('live', 3), { live: 1, at: { 3: 1 } }],
    ['soft-deleted', row('deleted', 3), { deleted: 1, at: { 3: 1 } }],
    ['live and not compared', row('live', 3, COMPARABLE), { live: 1, at: { 3: 1 }, uncompared: 1 }],
    ['soft-deleted and not compared', row('deleted', 3, COMPARABLE), { deleted: 1, at: { 3: 1 }, uncompared: 1 }],
    ['quarantined', row('quarantined', 3, COMPARABLE), { quarantined: 1, aside: { 3: 1 } }],
    ['lost', row('lost', 3, COMPARABLE), { lost: 1 }],
    ['a tombstone', row('tombstone', 0), {}],
  ] as const)('that is %s', (_, one, expected) => {
    expect(of(one)).toEqual({ ...NO_ROWS, ...expected });
    expect(countsAfter(of(one), [{ before: one }])).toEqual(NO_ROWS);
  });

  it('is counted anew from what it was and what it is, whatever the order of the moves', () => {
    const rows = fc.record({
      state: fc.constantFrom('live', 'deleted', 'quarantined', 'lost', 'tombstone'),
      companyKeyVersion: fc.nat({ max: 3 }),
      previous: fc.constantFrom(new Uint8Array(0), COMPARABLE),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(rows, rows), { maxLength: 12 }), (pairs) => {
        const moves = pairs.map(([before, after]) => ({ before, after }));
        expect(countsAfter(of(...pairs.map(([before]) => before)), moves)).toEqual(of(...pairs.map(([, now]) => now)));
      }),
    );
  });

  it('is never clamped: what was counted wrong stays to be seen', () => {
    const relabelled = countsAfter(of(row('live', 1), row('live', 1)), [
      { before: row('live', 7), after: row('live', 2) },
    ]);
    expect(relabelled).toEqual({ ...NO_ROWS, live: 2, at: { 1: 2, 2: 1, 7: -1 } });
    expect(hasCountBelowNone(relabelled)).toBe(true);
  });
});

describe('more versions than are counted one by one', () => {
  const MANY = 3_000;
  const rows = Array.from({ length: MANY }, (_, index) => row('live', index + 10));
  const many = (): ShardCounts => of(...rows);

  it('are one entry, and leave the cell far smaller than one may be', () => {
    const { live, at } = many();
    expect([live, Object.keys(at).length]).toEqual([MANY, MAX_COUNTED_VERSIONS + 1]);
    expect(at[OTHER_VERSIONS]).toBe(MANY - MAX_COUNTED_VERSIONS);
    const longest = Object.fromEntries(Object.keys(at).map((_, index) => [9e15 - index, -9_999_999]));
    expect(JSON.stringify(longest).length).toBeLessThan(16 * 1024);
    expect(describeCounts(many()).length).toBeLessThan(500);
  });

  it('leave the versions of the turn their own entry', () => {
    expect(countsAfter(many(), [{ after: row('live', 2) }], [1, 2]).at[2]).toBe(1);
    expect(countsAfter(many(), [{ after: row('live', 2) }]).at[2]).toBeUndefined();
  });

  it('are never done, nor proof that a version has no row, until they are counted anew', () => {
    const moves = rows.map((before) => ({ before, after: row('live', 2) }));
    const moved = countsAfter(many(), moves, [1, 2]);
    expect(moved).toEqual({ ...NO_ROWS, live: MANY, at: { 2: MANY, [OTHER_VERSIONS]: 0 } });
    expect([allAreAt(moved, 2), areDoneAt(moved, 2), mayEndAt(moved, 2)]).toEqual([false, false, false]);
    const anew = of(...rows.map(() => row('live', 2)));
    expect(mayEndAt(anew, 2)).toBe(true);
  });

  it('of quarantined rows are over when the last of them is released', () => {
    const aside = rows.map(({ companyKeyVersion }) => row('quarantined', companyKeyVersion));
    const released = aside.map((before) => ({ before, after: row('live', 2) }));
    expect(Object.keys(of(...aside).aside)).toHaveLength(MAX_COUNTED_VERSIONS + 1);
    expect(mayEndAt(countsAfter(of(...aside), released, [1, 2]), 2)).toBe(true);
  });
});

describe('sums', () => {
  const counts = { ...NO_ROWS, live: 2, deleted: 3, quarantined: 5, lost: 7, at: { 1: 4, 2: 1 }, aside: { 2: 5 } };

  it('are of what must be moved, and of all', () => {
    expect([movable(counts), total(counts)]).toEqual([10, 17]);
  });

  it('at a version hold the quarantined rows too', () => {
    expect([1, 2, 3].map((version) => movableAt(counts, version))).toEqual([4, 6, 0]);
  });

  it('are told in numbers, and only those that there are', () => {
    expect(describeCounts(counts)).toBe(
      '2 live, 3 deleted, 5 quarantined, 7 lost, 4 at version 1, 1 at version 2, 5 quarantined at version 2',
    );
    expect(describeCounts(NO_ROWS)).toBe('no rows');
  });
});

describe('a shard', () => {
  it('without rows is done at every version', () => {
    expect(mayEndAt(NO_ROWS, 9)).toBe(true);
  });

  it('may end with lost rows', () => {
    expect(mayEndAt(of(row('live', 2), row('lost', 1)), 2)).toBe(true);
  });

  it.each([
    ['a row elsewhere', of(row('live', 2), row('deleted', 1)), [false, false, false]],
    ['all its rows elsewhere', of(row('live', 1)), [false, false, false]],
    ['a row that nobody compared', of(row('live', 2, COMPARABLE)), [true, false, false]],
    ['a quarantined row', of(row('live', 2), row('quarantined', 1)), [true, true, false]],
    ['a quarantined row at that version', of(row('quarantined', 2)), [true, true, false]],
    ['quarantined rows that cancel out', { ...of(row('live', 2)), aside: { 1: 1, 2: -1 } }, [false, false, false]],
    ['more rows at the version than there are', { ...of(row('live', 2)), at: { 2: 2 } }, [false, false, false]],
    ['no rows, and some at a version', { ...NO_ROWS, at: { 2: 1 } }, [false, false, false]],
    ['fewer lost rows than none', { ...of(row('live', 2)), lost: -1 }, [false, false, false]],
  ] as const)('with %s: moved, done, fit to end', (_, counts, expected) => {
    expect([allAreAt(counts, 2), areDoneAt(counts, 2), mayEndAt(counts, 2)]).toEqual(expected);
  });
});
