// The numbered invariants of docs/protocol.md (1, 2 …) and AGENTS.md (A1, A2 …) against the lines of code that cite them.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPage, ROOT, sections } from './markdown.ts';

const promised = sections(readPage('docs/protocol.md'), 2).find(({ title }) => title === 'What must always hold');
const numbered = (page: string, pattern: RegExp): string[] =>
  [...page.matchAll(pattern)].map(([, number = '']) => number);
const OF_PROTOCOL = numbered(promised?.body ?? '', /^(\d+)\. /gm);
const OF_AGENTS = numbered(readPage('AGENTS.md'), /^- (A\d+)\. /gm);

/** `invariant 4`, `invariants 3 and A6`, in a comment. */
const CITATION = /\binvariants? (A?\d+(?:(?:, | and )A?\d+)*)/g;

const cited = ['shared', 'functions'].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(new URL(`${folder}/${name}`, ROOT), 'utf8').matchAll(CITATION)])
    .flatMap(([, numbers = '']) => numbers.split(/, | and /)),
);

test.each([
  ['docs/protocol.md', OF_PROTOCOL, ''],
  ['AGENTS.md', OF_AGENTS, 'A'],
])('%s numbers its invariants without a gap', (_, numbers, letter) => {
  expect(numbers.length).toBeGreaterThanOrEqual(10);
  expect(numbers).toEqual(numbers.map((_number, index) => `${letter}${index + 1}`));
});

test('every invariant is cited by a line that keeps it', () => {
  expect([...OF_PROTOCOL, ...OF_AGENTS].filter((number) => !cited.includes(number))).toEqual([]);
});

test('no line cites an invariant that there is not', () => {
  expect(cited.filter((number) => ![...OF_PROTOCOL, ...OF_AGENTS].includes(number))).toEqual([]);
});
