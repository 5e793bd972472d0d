import { describe, expect, it } from 'vitest';
import {
  bytes,
  count,
  flag,
  json,
  MalformedRow,
  need,
  oneOf,
  optionalText,
  text,
} from '../../../shared/store/rows/cells.ts';
import { isRecord, present } from '../../../shared/domain/plain-object.ts';

describe('a cell', () => {
  it.each([
    ['text', text, 'a', 1],
    ['text that may be absent', optionalText, 'a', true],
    ['count', count, 1, '1'],
    ['flag', flag, false, 0],
    ['row of bytes', bytes, Uint8Array.of(1), 'AQ=='],
  ] as const)(
    'that is to be a %s is read as it is, and is none if it is missing or of another type',
    (_, read, a, b) => {
      expect(read({ cell: a }, 'cell')).toBe(a);
      expect([read({ cell: b }, 'cell'), read({}, 'cell')]).toEqual([undefined, undefined]);
    },
  );

  it('that is empty is a text, and none where it may be absent', () => {
    expect([text({ cell: '' }, 'cell'), optionalText({ cell: '' }, 'cell')]).toEqual(['', undefined]);
  });

  it.each([0, Number.MAX_SAFE_INTEGER])('of %d is a count', (value) => {
    expect(count({ cell: value }, 'cell')).toBe(value);
  });

  it.each([-1, 0.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN])('of %d is no count', (value) => {
    expect(count({ cell: value }, 'cell')).toBeUndefined();
  });

  it('of JSON is what it says', () => {
    expect(json({ cell: '{"a":[1]}' }, 'cell')).toEqual({ a: [1] });
  });

  it.each([[''], ['{'], [7], [undefined]])('of %j is no JSON', (value) => {
    expect(json({ cell: value }, 'cell')).toBeUndefined();
  });

  it('of some known words is one of them or none', () => {
    const read = (value: string): string | undefined => oneOf({ cell: value }, 'cell', ['a', 'b']);
    expect([read('b'), read('c')]).toEqual(['b', undefined]);
  });

  it('that a row needs is named with its row where it is missing', () => {
    expect(need(0, 'row', 'cell')).toBe(0);
    expect(() => need(undefined, 'row', 'cell')).toThrow(
      new MalformedRow('row row: cell cell is missing or malformed'),
    );
  });
});

it('a record is an object, and no list', () => {
  expect([{}, [], null, 'a', undefined].map(isRecord)).toEqual([true, false, false, false, false]);
});

it('what is undefined is left out, and nothing else is', () => {
  expect(Object.entries(present({ a: undefined, b: '', c: 0 }))).toEqual([
    ['b', ''],
    ['c', 0],
  ]);
});
