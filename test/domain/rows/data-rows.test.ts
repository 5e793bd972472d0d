import { expect, test } from 'vitest';
import { readDataKey, shardWrittenBy } from '../../../shared/domain/rows/data-rows.ts';

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
