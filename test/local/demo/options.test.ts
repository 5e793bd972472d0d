import { expect, test } from 'vitest';
import { readOptions, usageOf, type ChapterFacts } from '../../../local/demo/options.ts';

const FIRST: ChapterFacts = {
  name: 'first',
  about: 'what is told first',
  keys: 1_000,
  readsFolder: true,
  breakable: { row: 'a row' },
};
const SECOND: ChapterFacts = {
  name: 'second',
  about: 'what is told then',
  keys: 200,
  readsFolder: false,
  breakable: { net: 'the net' },
};
const read = (...args: readonly string[]): ReturnType<typeof readOptions<ChapterFacts>> =>
  readOptions(args, { folder: '.', chapters: [FIRST, SECOND] });

test('the first chapter is told unless another is named, with as many data keys as it takes', () => {
  const usual = { folder: '.', short: false, serve: false };
  expect(read()).toEqual({ chapter: FIRST, options: { ...usual, keys: 1_000 } });
  expect(read('--chapter', 'second')).toEqual({ chapter: SECOND, options: { ...usual, keys: 200 } });
  expect(read('--chapter=second', '--keys', '300')).toMatchObject({ chapter: SECOND, options: { keys: 300 } });
});

test('what is broken is of the chapter', () => {
  expect(read('--break', 'row')).toMatchObject({ options: { damage: 'row' } });
  expect(read('--break', 'net', '--chapter', 'second')).toMatchObject({ options: { damage: 'net' } });
  expect(() => read('--break', 'net')).toThrow('--break takes one of row in the chapter first');
  expect(() => read('--chapter', 'second', '--break', 'row')).toThrow('--break takes one of net in the chapter second');
});

test('a chapter that is none, and a folder for one that reads none, are refused', () => {
  expect(() => read('--chapter', 'third')).toThrow('--chapter takes one of first, second');
  expect(() => read('--chapter')).toThrow('--chapter takes one of first, second');
  expect(() => read('--chapter', 'second', '--dir', '.')).toThrow(
    '--dir is for other chapters: second encrypts no files',
  );
  expect(read('--dir', '.')).toMatchObject({ options: { folder: '.' } });
});

test('the usage names each chapter, and what can be broken in it, within 80 columns', () => {
  const usage = usageOf([FIRST, SECOND]);
  for (const line of ['first unless named', 'second: what is told then', '200 in second', 'net: the net'])
    expect(usage).toContain(line);
  expect(usage.split('\n').filter((line) => line.length > 80)).toEqual([]);
});
