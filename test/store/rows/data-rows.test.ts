import { describe, expect, it, test } from 'vitest';
import type { DataKey } from '../../../shared/domain/data-key.ts';
import { MalformedRow } from '../../../shared/store/rows/cells.ts';
import {
  BEFORE_DATA_KEYS,
  dataKeyCells,
  dataKeyChangeCells,
  quarantineRowKey,
  readDataKey,
  readShard,
  shardCells,
  shardWrittenBy,
} from '../../../shared/store/rows/data-rows.ts';
import { newShard, SHARD_ROW_KEY } from '../../../shared/domain/shard.ts';

const AT = '2026-01-01T00:00:00.000Z';
const key: DataKey = {
  keyId: 'key-1',
  state: 'quarantined',
  origin: 'imported',
  blob: Uint8Array.of(1),
  companyKeyVersion: 2,
  previous: Uint8Array.of(2),
  previousVersion: 1,
  stateBefore: 'deleted',
  quarantineReason: 'differs-after-rewrap',
  createdBy: 'a',
  writtenBy: 'b',
  createdAt: AT,
  deletedAt: AT,
  purgeAfter: AT,
};

test('a row of which nothing can be read is a live key that opens with nothing', () => {
  expect(readDataKey('key-1', { state: 'odd', origin: 7, blob: 'text' })).toEqual({
    keyId: 'key-1',
    state: 'live',
    origin: 'generated',
    blob: new Uint8Array(0),
    companyKeyVersion: 0,
    previous: new Uint8Array(0),
    previousVersion: 0,
    createdBy: '',
    writtenBy: '',
    createdAt: '',
    stateBefore: undefined,
    quarantineReason: undefined,
    deletedAt: undefined,
    purgeAfter: undefined,
  });
});

test('a shard row that does not say who wrote it was written by nobody who asks', () => {
  expect(shardWrittenBy({})).toBe('');
});

describe('a shard row', () => {
  const shard = {
    ...newShard({ writeVersion: 2, now: AT }),
    live: 3,
    at: { 1: 1, 2: 2 },
    aside: { 3: 4 },
    cursor: 'key-1',
    phase: 'verify',
  } as const;
  const COUNTS = ['live', 'deleted', 'quarantined', 'lost', 'uncompared'];
  const NUMBERS = ['generation', 'fromVersion', 'writeVersion', 'checked', 'vain', ...COUNTS];

  it('comes back as it was written, with who wrote it', () => {
    const cells = shardCells(shard, 'worker');
    expect([readShard(cells), shardWrittenBy(cells)]).toEqual([shard, 'worker']);
  });

  it.each(['direction', 'phase', 'cursor', ...NUMBERS, 'at', 'aside', 'closed', 'touchedAt'])(
    'is malformed without its cell %s, and says so',
    (name) => {
      const wrong = new MalformedRow(`row !shard: cell ${name} is missing or malformed`);
      expect(() => readShard({ ...shardCells(shard, 'worker'), [name]: undefined })).toThrow(wrong);
    },
  );

  // Found by the simulation (docs/simulation.md): a count below none made a shard unreadable, and no row of it could be written any more.
  it('is read as it counts, also below none', () => {
    const below = { ...shard, live: -1, deleted: -2, quarantined: -3, lost: -4, uncompared: -5, at: { 7: -6 } };
    expect(readShard(shardCells(below, 'worker'))).toEqual(below);
  });

  it.each([
    '',
    '7',
    '[]',
    '{"one":1}',
    '{"01":1}',
    '{"1":0}',
    '{"1":1.5}',
    '{"1":"1"}',
    '{"-2":1}',
    '{"-1":1.5}',
    '{"1":null}',
  ])('is malformed where %j should count rows by version', (text) => {
    for (const name of ['at', 'aside'])
      expect(() => readShard({ ...shardCells(shard, 'worker'), [name]: text })).toThrow(
        new MalformedRow(`row !shard: cell ${name} is missing or malformed`),
      );
  });

  it('of a later format is malformed', () => {
    expect(() => readShard({ ...shardCells(shard, 'worker'), format: 2 })).toThrow(
      new MalformedRow('row !shard: cell format is missing or malformed'),
    );
  });

  it.each([
    ['forward', 'rewrap'],
    ['back', 'done'],
  ] as const)('may go %s, and be at %s', (direction, phase) => {
    expect(readShard(shardCells({ ...shard, direction, phase }, ''))).toMatchObject({ direction, phase });
  });
});

describe('a data key’s row', () => {
  it('comes back as it was written', () => {
    expect(readDataKey('key-1', dataKeyCells(key))).toEqual(key);
  });

  it('empties what goes away, so that a merge takes it away', () => {
    const { stateBefore: _, quarantineReason: _reason, deletedAt: _deleted, purgeAfter: _purge, ...live } = key;
    const empty = { stateBefore: '', quarantineReason: '', deletedAt: '', purgeAfter: '' };
    expect(dataKeyCells(live)).toMatchObject(empty);
  });

  it('is changed in the cells of the change, and in who wrote it', () => {
    expect(dataKeyChangeCells({ state: 'live' }, 'w')).toEqual({ state: 'live', writtenBy: 'w' });
    const released = { stateBefore: undefined, quarantineReason: undefined };
    expect(dataKeyChangeCells(released, 'w')).toEqual({ stateBefore: '', quarantineReason: '', writtenBy: 'w' });
    const held = { stateBefore: 'live', quarantineReason: 'does-not-open' } as const;
    expect(dataKeyChangeCells(held, 'w')).toEqual({ ...held, writtenBy: 'w' });
  });

  it('lies behind every row of ours in its partition', () => {
    const ours = [SHARD_ROW_KEY, quarantineRowKey('~')];
    expect(ours.every((rowKey) => rowKey < BEFORE_DATA_KEYS)).toBe(true);
    expect(quarantineRowKey('key-1')).toBe('!quarantine|key-1');
    expect(['0', 'A', 'a'].every((keyId) => keyId > BEFORE_DATA_KEYS)).toBe(true);
  });
});
