import { expect, test } from 'vitest';
import type { DataKey } from '../../../shared/domain/data-key.ts';
import { viewOf } from '../../../shared/operations/data-keys/view.ts';

const AT = '2026-01-01T00:00:00.000Z';
const key: DataKey = {
  keyId: 'key-1',
  state: 'live',
  origin: 'imported',
  blob: Uint8Array.of(1),
  companyKeyVersion: 2,
  previous: Uint8Array.of(2),
  previousVersion: 1,
  stateBefore: 'live',
  quarantineReason: 'does-not-open',
  createdBy: 'a',
  writtenBy: 'b',
  createdAt: AT,
  deletedAt: AT,
  purgeAfter: AT,
};
const shown = { keyId: 'key-1', origin: 'imported', companyKeyVersion: 2, createdAt: AT };

test.each([
  ['live', {}],
  ['lost', {}],
  ['deleted', { deletedAt: AT, purgeAfter: AT }],
  ['quarantined', { quarantineReason: 'does-not-open' }],
] as const)('a key that is %s shows what belongs to that state, whatever else is in its row', (state, more) => {
  expect(viewOf({ ...key, state })).toEqual({ ...shown, state, ...more });
});

test('a tombstone is no key any more', () => {
  expect(viewOf({ ...key, state: 'tombstone' })).toBeUndefined();
});
