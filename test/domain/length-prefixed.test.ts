import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lengthPrefixed } from '../../shared/domain/length-prefixed.ts';

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
