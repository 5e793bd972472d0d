// What nobody should send and somebody will: texts, JSON and cells for the properties of parsers, codecs and the API. Pure.
import fc from 'fast-check';
import type { Cell, Cells } from '../../shared/store/rows/cells.ts';

/** Names that mean something to every object of JavaScript. */
export const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

const KNOWN_TROUBLE = [
  '',
  ' ',
  '\0',
  '\u202e\u200b',
  '\ud800',
  "'",
  '"',
  `' or 1 eq 1 or '`,
  '|',
  '!shard',
  '../..',
  '%00',
  '%2e%2e%2f',
  '{{7*7}}',
  '\r\nSet-Cookie: a=b',
  '1e999',
  '-0',
  'NaN',
  '𝕜𝕖𝕪',
  '钥匙',
  'a'.repeat(300),
  ...PROTOTYPE_NAMES,
];

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...KNOWN_TROUBLE),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);

const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 53, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Number.MIN_VALUE),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Nested deeper than anything that we would send, yet not so deep that JSON.stringify runs out of stack. */
const deepJson = fc
  .tuple(fc.constantFrom(50, 500), fc.boolean())
  .map(([depth, arrays]): unknown =>
    JSON.parse(arrays ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '0' + '}'.repeat(depth)),
  );

export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 3, arbitrary: hostileNumber },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null]) },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...PROTOTYPE_NAMES), fc.jsonValue({ maxDepth: 1 })) },
  { weight: 1, arbitrary: deepJson },
);

const hostileCell: fc.Arbitrary<Cell | undefined> = fc.oneof(
  hostileText,
  hostileNumber,
  fc.boolean(),
  fc.constantFrom(NaN, Infinity, -Infinity),
  fc.uint8Array({ maxLength: 80 }),
  fc.constant(undefined),
  hostileJson.map((value) => JSON.stringify(value)),
);

/** Cells that somebody with access to the tables has changed: some replaced, some taken away, some put in beside. */
export const tampered = (cells: fc.Arbitrary<Cells>): fc.Arbitrary<Cells> =>
  cells.chain((whole) => {
    const name = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...Object.keys(whole)) },
      { weight: 1, arbitrary: fc.constantFrom(...PROTOTYPE_NAMES) },
    );
    const changes = fc.array(fc.tuple(name, hostileCell), { minLength: 1, maxLength: 6 });
    return changes.map((list): Cells => Object.fromEntries([...Object.entries(whole), ...list]));
  });
