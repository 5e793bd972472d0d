import { expect, test } from 'vitest';
import { report, reportPage, type Mutant } from './score.ts';

const mutant = (fileName: string, status: string): Mutant => ({
  fileName,
  status,
  mutatorName: 'StringLiteral',
  replacement: '""',
  location: { start: { line: 3, column: 4 } },
});

test('the score counts what tests noticed among what could be noticed, by folder and in all', () => {
  const ofA = ['Killed', 'Timeout', 'Survived', 'Ignored', 'RuntimeError'].map((status) => mutant('a/x.ts', status));
  expect(report([...ofA, mutant('a/b/y.ts', 'NoCoverage')])).toEqual([
    'a/x.ts:3:5 StringLiteral: ""',
    'a/b/y.ts:3:5 StringLiteral: "" (no test comes by)',
    'a: 66.67 % (2 of 3)',
    'a/b: 0.00 % (0 of 1)',
    'score: 50.00 % (2 of 4)',
  ]);
});

test('no score is made up where there is nothing to notice', () => {
  expect(report([mutant('a/x.ts', 'Ignored')])).toEqual(['a: no mutants', 'score: no mutants']);
});

test('the page of a run has the score of each file, the lowest first, and under it what survived', () => {
  const mutants = [mutant('a/x.ts', 'Killed'), mutant('a/y.ts', 'Survived'), mutant('a/z.ts', 'Ignored')];
  expect(reportPage(mutants, 'Of today').split('\n')).toEqual([
    '# Of today',
    '',
    'All: 50.00 % (1 of 2)',
    '',
    '| file | score |',
    '| --- | --- |',
    '| `a/y.ts` | 0.00 % (0 of 1) |',
    '| `a/x.ts` | 100.00 % (1 of 1) |',
    '',
    '## a/y.ts',
    '',
    '    a/y.ts:3:5 StringLiteral: ""',
    '',
  ]);
});
