import { expect, test } from 'vitest';
import {
  afterLastRow,
  counted,
  isTurnedTo,
  newShard,
  turned,
  type Shard,
  type Turn,
} from '../../shared/domain/shard.ts';

const NOTHING = new Uint8Array(0);
const BACK: Turn = { generation: 2, direction: 'back', fromVersion: 2, writeVersion: 1 };
const shard: Shard = {
  ...newShard({ writeVersion: 2, now: '2026-01-01T00:00:00.000Z' }),
  generation: 1,
  phase: 'rewrap',
  fromVersion: 1,
  live: 3,
  deleted: 1,
  quarantined: 1,
  at: { 2: 4 },
  aside: { 1: 1 },
  uncompared: 4,
  checked: 7,
};

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
    at: {},
    aside: {},
    uncompared: 0,
    checked: 0,
    vain: 0,
    closed: false,
    touchedAt: '2026-01-01T00:00:00.000Z',
  });
});

test('a turn begins the first pass anew, and changes no count', () => {
  const done: Shard = { ...shard, phase: 'done', cursor: 'key-9', vain: 1 };
  expect(turned(done, BACK)).toEqual({ ...done, ...BACK, phase: 'rewrap', cursor: '', checked: 0, vain: 0 });
});

test('no turn leads to a generation that the shard has or had', () => {
  expect(turned(shard, { ...BACK, generation: 1 })).toBeUndefined();
});

test('a shard is turned to a switch’s turn only if all of it is the same', () => {
  const { generation, direction, fromVersion, writeVersion } = shard;
  const turn = { generation, direction, fromVersion, writeVersion };
  expect(isTurnedTo(shard, turn)).toBe(true);
  for (const other of [{ generation: 2 }, { direction: 'back' }, { fromVersion: 0 }, { writeVersion: 3 }] as const) {
    expect(isTurnedTo(shard, { ...turn, ...other })).toBe(false);
  }
});

test('a row that moves is counted where it is now, and nothing else of the shard changes', () => {
  const before = { state: 'live', companyKeyVersion: 1, previous: NOTHING } as const;
  const after = { ...before, companyKeyVersion: 2, previous: Uint8Array.of(1) };
  expect(counted({ ...shard, at: { 1: 1, 2: 3 }, uncompared: 3 }, [{ before, after }])).toEqual(shard);
});

test('the first pass is over once every live and deleted row is at the version that is written', () => {
  expect(afterLastRow(shard, 'key-9')).toEqual({ ...shard, phase: 'verify', cursor: '' });
});

test('a shard is done once all of them are compared, too', () => {
  const verified: Shard = { ...shard, phase: 'verify', uncompared: 0 };
  expect(afterLastRow(verified, 'key-9')).toEqual({ ...verified, phase: 'done', cursor: 'key-9' });
});

const AGAIN = { cursor: '', checked: 0, vain: 1 };

test.each([
  ['counts a row elsewhere', 'rewrap', { at: { 1: 1, 2: 3 } }, 'rewrap'],
  ['counts a row elsewhere', 'verify', { at: { 2: 3, 7: 1 }, uncompared: 0 }, 'rewrap'],
  ['has a row that nobody compared', 'verify', { uncompared: 1 }, 'verify'],
  ['counts fewer than none somewhere', 'rewrap', { at: { 1: -1, 2: 5 } }, 'rewrap'],
  ['counts fewer than none somewhere', 'verify', { at: { 2: 4 }, lost: -1, uncompared: 0 }, 'rewrap'],
  ['counts more than there are', 'verify', { at: { 2: 5 }, uncompared: 0 }, 'rewrap'],
] as const)('a pass at whose end the shard %s goes again from the start (%s)', (_, phase, change, next) => {
  const seen: Shard = { ...shard, ...change, phase };
  expect(afterLastRow(seen, 'key-9')).toEqual({ ...seen, ...AGAIN, phase: next });
  expect(afterLastRow({ ...seen, vain: 1 }, 'key-9').vain).toBe(2);
});
