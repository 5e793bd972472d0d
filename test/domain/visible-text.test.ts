import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visibleTextFault, withoutUnseen } from '../../shared/domain/visible-text.ts';

const SEEN = [
  'Acme',
  'Zoë Müller',
  'a\u00a0b',
  '山田\u3000太郎',
  'می\u200cخواهم',
  'क्\u200dष',
  '👩\u200d💻',
  '☺\ufe0f',
  '…',
  'ａ',
  'e\u0301',
  '½',
];

describe('a text that can be seen', () => {
  it.each(SEEN)('is taken as it is: %s', (text) => {
    expect(visibleTextFault(text)).toBeUndefined();
    expect(withoutUnseen(text)).toBe(text);
  });
});

const UNSEEN: readonly (readonly [string, number])[] = [
  ['control characters', 0x0],
  ['control characters', 0x9],
  ['control characters', 0xa],
  ['control characters', 0x7f],
  ['control characters', 0x9f],
  ['line and paragraph separators', 0x2028],
  ['line and paragraph separators', 0x2029],
  ['lone surrogates', 0xd800],
  ['lone surrogates', 0xdbff],
  ['lone surrogates', 0xdc00],
  ['lone surrogates', 0xdfff],
  ['noncharacters', 0xfffe],
  ['noncharacters', 0xffff],
  ['noncharacters', 0xfdd0],
  ['noncharacters', 0x1fffe],
  ['noncharacters', 0x10ffff],
  ['private use', 0xe000],
  ['private use', 0xf0000],
  ['bidirectional controls', 0x202a],
  ['bidirectional controls', 0x202e],
  ['bidirectional controls', 0x2066],
  ['bidirectional controls', 0x2069],
  ['bidirectional controls', 0x200e],
  ['bidirectional controls', 0x200f],
  ['bidirectional controls', 0x61c],
  ['zero width', 0x200b],
  ['zero width', 0x2060],
  ['zero width', 0xfeff],
  ['zero width', 0xad],
  ['zero width', 0x180e],
  ['zero width', 0x34f],
  ['fillers', 0x115f],
  ['fillers', 0x3164],
  ['fillers', 0xffa0],
  ['annotations', 0xfff9],
  ['annotations', 0xfffb],
  ['tags', 0xe0001],
  ['tags', 0xe0041],
];

describe('a character that cannot be seen', () => {
  it.each(UNSEEN)('(%s, %i) is named with its place, wherever it stands', (_kind, codePoint) => {
    const named = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
    for (const before of ['', 'Acme ', '🔑']) {
      const text = `${before}${String.fromCodePoint(codePoint)}x`;
      expect(visibleTextFault(text)).toBe(
        `must hold no character that cannot be seen: ${named} at offset ${before.length}`,
      );
    }
  });

  it('is shown as what it is, but for line breaks and tabs', () => {
    expect(withoutUnseen('a\u202eb\u2028c\ud800d\te\r\nf')).toBe('a\ufffdb\ufffdc\ufffdd\te\r\nf');
  });

  it('is in no text that is taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (visibleTextFault(text) !== undefined) return;
        expect(text.isWellFormed()).toBe(true);
        expect(text).toMatch(/\S/);
        expect(text).not.toMatch(/[\u0000-\u001f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]/);
      }),
      { seed: 20261130, numRuns: 2_000 },
    );
  });
});

it.each(['', ' ', '\u00a0\u3000', '\u200d', '\u200c\ufe0f', '\u0301', '\u2800'])(
  'a text of which nothing is seen is none (%j)',
  (text) => {
    expect(visibleTextFault(text)).toBe('must hold a character that can be seen');
  },
);
