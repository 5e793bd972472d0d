// The paths in docs/architecture.md: what a reader opens to understand one thing is little, and hangs together.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, relativeLinks, ROOT, sections } from './markdown.ts';

const MOST_FILES = 7;
const MOST_LINES = 250;

const [listed] = sections(readPage('docs/architecture.md'), 2).filter(({ title }) => title === 'Four paths');
const paths = sections(listed?.body ?? '', 3).map(({ title, body }) => ({
  title,
  files: body
    .split('\n')
    .filter((line) => /^\d+\. /.test(line))
    .flatMap((line) => relativeLinks(line).map(({ path }) => join('docs', path))),
}));

const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

const importsOf = (path: string): readonly string[] =>
  [...textOf(path).matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']*)'/gm)].map(([, to = '']) =>
    join(dirname(path), to),
  );

it('are written down', () => {
  expect(paths.map(({ title }) => title)).toEqual([
    'Unwrapping data keys',
    'Making data keys',
    'Moving the data keys of a switch',
    'Checking a vault',
  ]);
});

describe.each(paths)('$title', ({ files }) => {
  it(`takes at most ${MOST_FILES} files of at most ${MOST_LINES} lines, from the edge to the domain`, () => {
    expect(files.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
    expect(new Set(files).size).toBe(files.length);
    expect(files.length).toBeGreaterThan(1);
    expect(files.length).toBeLessThanOrEqual(MOST_FILES);
    expect(files.filter((path) => textOf(path).split('\n').length - 1 > MOST_LINES)).toEqual([]);
    expect([files[0], files.at(-1)]).toEqual([
      expect.stringMatching(/^functions\//),
      expect.stringMatching(/^shared\/domain\//),
    ]);
  });

  it('leaves out none between: a file before it imports each file of shared', () => {
    const unreached = files.filter(
      (path, place) =>
        path.startsWith('shared/') && !files.slice(0, place).some((one) => importsOf(one).includes(path)),
    );
    expect(unreached).toEqual([]);
  });
});
