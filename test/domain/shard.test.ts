import { expect, test } from 'vitest';
import { readShard, shardCells } from '../../shared/domain/rows/data-rows.ts';
import { counted, movable, newShard, total, turned, type Shard } from '../../shared/domain/shard.ts';

const moved: Shard = {
  ...newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' }),
  generation: 1,
  phase: 'done',
  fromVersion: 1,
  live: 2,
  done: 2,
};
const BACK = { generation: 2, direction: 'back', fromVersion: 2, writeVersion: 1 } as const;

test('a new shard is empty, and done', () => {
  expect(newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' })).toEqual({
    generation: 0,
    direction: 'forward',
    phase: 'done',
    fromVersion: 0,
    writeVersion: 2,
    cursor: '',
    live: 0,
    deleted: 0,
    quarantined: 0,
    lost: 0,
    done: 0,
    checked: 0,
    closed: false,
    touchedAt: '2026-01-01T00:00:00.000Z',
  });
});

test('a turn back counts as done what was not moved yet', () => {
  expect(turned({ ...moved, done: 1 }, BACK)).toMatchObject({ phase: 'rewrap', cursor: '', done: 1 });
});

test('a turn to a company key that is new to the shard counts nothing as done', () => {
  const on = { generation: 2, direction: 'forward', fromVersion: 2, writeVersion: 3 } as const;
  expect(turned({ ...moved, done: 1 }, on)).toMatchObject({ writeVersion: 3, done: 0 });
});

test('lost rows count among all, and not among those to be moved', () => {
  const shard = { ...moved, deleted: 3, quarantined: 5, lost: 7 };
  expect([total(shard), movable(shard)]).toEqual([17, 10]);
});

test('no turn leads to a generation that the shard has or had', () => {
  expect(turned(moved, { ...BACK, generation: 1 })).toBeUndefined();
});

// Found by the simulation (docs/simulation.md): such a row was still counted as moved when it was purged, and the turn after it
// wrote a count below none, which nobody could read any more.
test('a shard whose rows were relabelled behind its back stays readable', () => {
  const purged = counted(moved, { live: -1, done: 0 });
  const shard = turned({ ...purged, done: 3 }, BACK);
  expect(shard).toMatchObject({ live: 1, done: 0 });
  const given = counted(counted(moved, { live: -2, done: -2 }), { quarantined: -1, done: -1 });
  expect(readShard(shardCells(given, 'test'))).toMatchObject({ live: 0, quarantined: 0, done: 0 });
});
