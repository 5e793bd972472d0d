// Every page of the project against the project: links, files, commands and settings that it names must be there.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTING_NAMES } from '../../shared/settings.ts';
import { anchors, code, PAGES, readPage, relativeLinks, ROOT, sections, tableRows } from './markdown.ts';

const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
};
/** For the embedded run's own host processes, and for the contract suites: no settings of the product. */
const NOT_OF_THE_PRODUCT = /^KEYSWITCH_(LOCAL|CONTRACT|TEST)_/;
/** Prefix of the settings by which the Functions host reaches Service Bus; the sample file has its other names. */
const CONNECTION = 'KEYSWITCH_SERVICE_BUS';
const TREES = /^(functions|shared|local|test|scripts|docs|bench|\.ci)\/[A-Za-z0-9._/-]*$/;
/** Made by `npm run build` or `npm start`. */
const MADE = /^(dist|\.local)\//;

/** Words that are names of files or folders of this project. */
const namedFiles = (page: string): string[] =>
  code(page)
    .flatMap((text) => text.split(/[\s'"(),;:]+/))
    .filter((word) => TREES.test(word) && !MADE.test(word));

const npmScripts = (page: string): string[] =>
  code(page).flatMap((text) =>
    [...text.matchAll(/\bnpm (?:run ([a-z:-]+)|(test|start)\b)/g)].map(([, run, direct]) => run ?? direct ?? ''),
  );

describe.each(PAGES)('%s', (path) => {
  const page = readPage(path);

  it('links only to what is there', () => {
    const broken = relativeLinks(page).filter(({ path: target, anchor }) => {
      const url = target === '' ? new URL(path, ROOT) : new URL(target, new URL(path, ROOT));
      if (!existsSync(url)) return true;
      return anchor !== '' && !anchors(readFileSync(url, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names only files and folders that are there', () => {
    expect(namedFiles(page).filter((file) => !existsSync(new URL(file, ROOT)))).toEqual([]);
  });

  it('names only npm scripts that there are, each of which runs a file that is there', () => {
    const missing = npmScripts(page).filter((script) => {
      const command = manifest.scripts[script];
      const files = (command ?? '').split(' ').filter((word) => /\.m?[jt]s$/.test(word));
      return command === undefined || files.some((file) => !existsSync(new URL(file, ROOT)));
    });
    expect(missing).toEqual([]);
  });

  it('has as many cells in each row of a table as in its head', () => {
    const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
    const tables = page.split(/\n(?!\|)/).map((text) => text.split('\n').filter((line) => line.startsWith('|')));
    const uneven = tables.flatMap(([head = '', ...rows]) => rows.filter((row) => cells(row) !== cells(head)));
    expect(uneven).toEqual([]);
  });

  it('names only settings that the app reads', () => {
    const named = [...page.matchAll(/\bKEYSWITCH_[A-Za-z_]+/g)].map(([name]) => name);
    const unknown = named.filter(
      (name) => !SETTING_NAMES.includes(name) && name !== CONNECTION && !NOT_OF_THE_PRODUCT.test(name),
    );
    expect(unknown).toEqual([]);
  });
});

describe('README.md', () => {
  const page = readPage('README.md');

  it('asks for the Node version that package.json asks for', () => {
    expect(manifest.engines.node).toBe(`>=${/Node (\d+) or later/.exec(page)?.[1] ?? ''}`);
  });

  it('leads to every document', () => {
    const linked = relativeLinks(page).map(({ path }) => path);
    const expected = PAGES.filter((path) => path !== 'README.md' && !path.startsWith('docs/decisions/'));
    expect(expected.filter((path) => !linked.includes(path))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it('leads to every decision', () => {
    const linked = relativeLinks(readPage('docs/architecture.md')).map(({ path }) => `docs/${path}`);
    expect(PAGES.filter((path) => path.startsWith('docs/decisions/') && !linked.includes(path))).toEqual([]);
  });

  it('names each decision as its page does, which says first whether it is in force', () => {
    const decisions =
      sections(readPage('docs/architecture.md'), 2).find(({ title }) => title === 'Decisions')?.body ?? '';
    const listed = [...decisions.matchAll(/^(\d+)\. \[(.+)\]\((decisions\/.+)\)$/gm)].map(
      ([, n = '', title = '', path = '']) => ({
        first: `# ${n}. ${title}`,
        page: readPage(`docs/${path}`),
      }),
    );
    const STATUS = /^# .+\n\n\*\*Status:\*\* (?:in force|overtaken by \[)/;
    expect(listed.length).toBeGreaterThan(0);
    expect(
      listed.filter(({ first, page }) => !page.startsWith(first) || !STATUS.test(page)).map(({ first }) => first),
    ).toEqual([]);
  });
});

it('README says what Keyswitch is not yet before it says what it does, shows generate and unwrap, and when not to use it', () => {
  const page = readPage('README.md');
  const places = [
    '**What it is not yet.**',
    'What it takes care of',
    '## When not to use it',
    '/datakeys',
    '/unwrap',
  ].map((text) => page.indexOf(text));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

it('no line of shell in README holds a comment: an interactive zsh takes it for arguments', () => {
  const shell = [...readPage('README.md').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text);
  expect(shell.filter((text) => /(^|\s)#/m.test(text))).toEqual([]);
});

it('explains the words that newcomers did not know, and README leads there', () => {
  const words = sections(readPage('docs/architecture.md'), 2).find(({ title }) => title === 'Words')?.body ?? '';
  const explained = tableRows(words).flatMap(([word = '']) => word.split(', '));
  const asked = ['company', 'vendor admin', 'tenant', 'claim', 'turn', 'in force', 'word of an administrator'];
  const ours = [
    'keyring',
    'company key',
    'data key',
    'connection',
    'switch',
    'seal',
    'generation',
    'kept company key',
    'lost',
  ];
  expect(explained).toEqual(expect.arrayContaining([...asked, ...ours]));
  expect(relativeLinks(readPage('README.md'))).toContainEqual({ path: 'docs/architecture.md', anchor: 'words' });
});
