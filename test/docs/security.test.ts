// docs/security.md against the attacks that are tried: every one is listed under its name, once, with the test that tries it, and
// counted under its risk.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTACKS } from '../attacks/attacks.ts';
import { SIGN_IN_ATTACKS } from '../attacks/sign-in-attacks.ts';
import { readPage, ROOT, sections, tableRows } from './markdown.ts';

interface Listed {
  readonly name: string;
  readonly risk: string;
  readonly shown?: { readonly file: string; readonly title: string };
}

const attacks: readonly (readonly [string, Listed])[] = [
  ...Object.entries(ATTACKS),
  ...Object.entries(SIGN_IN_ATTACKS),
];
const FOLDER = 'test/attacks/';
const textOf = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');

const suites = readdirSync(new URL(FOLDER, ROOT))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => FOLDER + name);
/** Attack by attack, the files of the suite that try it. */
const tried = suites.flatMap((file) =>
  [...textOf(file).matchAll(/^(?:attack|signInAttack)\('([AT]\d+)'/gm)].map(([, id = '']) => ({ id, file })),
);

const page = readPage('docs/security.md');
const tableOf = (title: string): readonly (readonly string[])[] =>
  tableRows(sections(page, 2).find((section) => section.title === title)?.body ?? '');

/** `A01–A03, T07` as the ids that it means. */
const expand = (text: string): string[] =>
  text.split(', ').flatMap((range) => {
    const letter = range.charAt(0);
    const [first = 0, last = first] = range.split('–').map((id) => Number(id.slice(1)));
    return Array.from({ length: last - first + 1 }, (_, index) => `${letter}${String(first + index).padStart(2, '0')}`);
  });

describe('every attack', () => {
  it.each(attacks)('%s is tried by one test', (id, { shown }) => {
    const files = tried.filter((one) => one.id === id).map(({ file }) => file);
    expect([...files, ...(shown ? [shown.file] : [])]).toHaveLength(1);
    if (shown) expect(textOf(shown.file)).toContain(shown.title);
  });

  it('that a test tries is in the list', () => {
    expect(tried.filter(({ id }) => !attacks.some(([known]) => known === id))).toEqual([]);
  });

  it('has a name of its own', () => {
    expect(new Set(attacks.map(([, { name }]) => name)).size).toBe(attacks.length);
  });
});

describe('docs/security.md', () => {
  it('lists every attack with its name, its risk and its test, and nothing else', () => {
    const expected = attacks.map(([id, { name, risk, shown }]) => {
      const file = shown?.file ?? tried.find((one) => one.id === id)?.file ?? '';
      const label = file.replace(/^.*\/|\.test\.ts$/g, '');
      return [id, name, risk, `[${label}](../${file})`];
    });
    expect(tableOf('Attacks that are tried')).toEqual(expected);
  });

  it('counts every attack under its risk, all ten of them', () => {
    const counted = tableOf('OWASP API Security Top 10 (2023)').map(([risk = '', , , ids = '']) => [risk, expand(ids)]);
    const risks = Array.from({ length: 10 }, (_, index) => `API${index + 1}`);
    const expected = risks.map((risk) => [risk, attacks.filter(([, one]) => one.risk === risk).map(([id]) => id)]);
    expect(counted).toEqual(expected);
  });
});

describe('SECURITY.md', () => {
  const reporting = sections(readPage('SECURITY.md'), 2);
  const items = (title: string): string[] =>
    (reporting.find((section) => section.title === title)?.body ?? '')
      .split(/^- /m)
      .slice(1)
      .map((text) => text.replaceAll(/\s+/g, ' ').trim());

  it('promises nothing for which no control is named there', () => {
    const threats = tableOf('Threats and controls').map(([threat = '']) => threat);
    const promises = items('What Keyswitch promises').map((text) => {
      const controls = /Controls: (.*?)\./.exec(text)?.[1] ?? '';
      return [...controls.matchAll(/_([^_]+)_/g)].map(([, threat]) => threat);
    });
    expect(promises.length).toBeGreaterThan(4);
    for (const named of promises) {
      expect(named).not.toEqual([]);
      expect(threats).toEqual(expect.arrayContaining(named));
    }
  });

  it('says the same known limits, each by its first words', () => {
    const limits = sections(page, 2).find(({ title }) => title === 'Known limits')?.body ?? '';
    const told = limits.split(/^- /m).slice(1);
    const words = told.map((text) => /^\*\*(.+?)\.?\*\*/s.exec(text)?.[1]?.replaceAll(/\s+/g, ' '));
    expect(items('Known').map((text) => text.replace(/\.$/, ''))).toEqual(words);
  });
});
