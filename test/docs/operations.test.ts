// docs/operations.md against the log: each event that the code can write is listed once, with its meaning, impact, diagnosis and mitigation, and no other.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TIMERS } from '../../shared/domain/timer-beat.ts';
import { readPage, ROOT, sections, tableRows } from './markdown.ts';

/** Code without comments and without the types of what is written. */
const sources = ['functions/', 'shared/'].flatMap((folder) =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(folder + name, ROOT), 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')),
);
const code = sources.filter((text) => /\blog\b/.test(text)).join('\n');

const NAME = '[a-z][a-z-]*\\.[a-z][a-z-]*';
const all = (pattern: string): string[] =>
  [...code.matchAll(new RegExp(pattern, 'g'))].flatMap(([, ...names]) => names);

/** Names that are made of others, as the code spells them, and what they can be. */
const MADE: Readonly<Record<string, readonly string[]>> = {
  '`${timer}.done`': TIMERS.map((timer) => `${timer}.done`),
  '`shard.${outcome}`': ['shard.recounted', 'shard.rows-missing'],
  '`switch.${next.state}`': ['switch.completed', 'switch.cancelled'],
  'what.logged': all(`\\blogged: '(${NAME})'`),
  'what.action': ['data-key.quarantine-retried', 'data-key.loss-accepted'],
};

const written = new Set([
  ...all(`\\bevent: '(${NAME})'`),
  ...all(`\\bevent: \\w+(?:\\.\\w+)? \\? '(${NAME})' : '(${NAME})'`),
  ...Object.values(MADE).flat(),
]);

const described = sections(readPage('docs/operations.md'), 2)
  .filter(({ title }) => title === 'Log events')
  .flatMap(({ body }) => sections(body, 3))
  .flatMap(({ body }) => tableRows(body))
  .map(([event = '', ...told]) => ({ event: event.replaceAll('`', ''), told }));

describe('the events of the log', () => {
  it('that the code can write are those that docs/operations.md describes, each once', () => {
    expect(described.map(({ event }) => event).toSorted()).toEqual([...written].toSorted());
  });

  it('are each described by meaning, impact, diagnosis and mitigation', () => {
    expect(described.filter(({ told }) => told.length !== 4 || told.some((text) => text.trim() === ''))).toEqual([]);
  });

  it('are each told whole: whoever looks one up by its name reads that line alone', () => {
    const pointing = /\b(?:as|see) (?:above|below)\b|\bthe same of\b/;
    expect(described.filter(({ told }) => told.some((text) => pointing.test(text))).map(({ event }) => event)).toEqual(
      [],
    );
  });

  it('that are made of other names are known to this test', () => {
    const made = all('\\bevent: (`[^`]+`|\\w+\\.\\w+)(?=[,\\s}])(?! \\?)');
    expect([...new Set(made)].toSorted()).toEqual(Object.keys(MADE).toSorted());
  });
});
