import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthPrefixed, lengthPrefixedWithin } from '../../shared/domain/length-prefixed.ts';

test('each text stands behind its length in bytes', () => {
  expect(lengthPrefixed(['ab', '', 'é']).toString('hex')).toBe('00000002' + '6162' + '00000000' + '00000002' + 'c3a9');
});

test('no two lists of texts have the same encoding', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme', maxLength: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(texts, texts, (a, b) => {
      expect(lengthPrefixed(a).equals(lengthPrefixed(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test.each([
  ['fit the space', 100, true],
  ['fill it to the byte', 11, true],
  ['do not fit it', 10, false],
  ['meet no space at all', 0, false],
])('texts that %s are encoded alike, in memory that is used again where they can be', (_, bytes, isUsedAgain) => {
  const space = Buffer.alloc(bytes, 1);
  const encoded = lengthPrefixedWithin(space, ['abc', '']);
  expect(encoded.equals(lengthPrefixed(['abc', '']))).toBe(true);
  expect(encoded.buffer === space.buffer).toBe(isUsedAgain);
});
