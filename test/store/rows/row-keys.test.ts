// Keys of rows that are stored: if one changed, what is stored already would not be found any more.
import { expect, test } from 'vitest';
import * as keys from '../../../shared/store/rows/row-keys.ts';

test.each([
  [keys.keyringRowKey('default'), 'keyring|default'],
  [keys.companyKeyRowKey('default', 12), 'companykey|default|0000000012'],
  [keys.connectionRowKey('contoso'), 'connection|contoso'],
  [keys.switchRowKey('default', 's1'), 'switch|default|s1'],
  [keys.poisonRowKey('abc'), 'poison|abc'],
  [keys.poisonSlotRowKey(7), 'poisonslot|07'],
  [keys.recordRowKey(12), '0000000000000012'],
  [keys.markerRowKey('e1'), 'marker|e1'],
  [keys.signedRowKey(12), 'signed|0000000000000012'],
  [keys.dataKeysPartition({ companyId: 'acme', keyringId: 'default', shard: 3 }), 'acme|default|3'],
])('%s is where it always was', (key, expected) => {
  expect(key).toBe(expected);
});

test('the keys under a prefix are all that begin with it, and no others', () => {
  const { after, before } = keys.rowKeysUnder('switch|default|');
  const isUnder = (key: string): boolean => key > after && key < before;
  expect(['switch|default|0', 'switch|default|~'].every(isUnder)).toBe(true);
  expect(['switch|default', 'switch|default-2|0', 'switch|defaulu|0', 'switch|defaul|0'].some(isUnder)).toBe(false);
});
