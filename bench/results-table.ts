// `npm run bench -- results`: puts what bench/results/ holds into docs/performance.md, between its two marks. What was not measured anew stays as it
// is there. Judges nothing.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import type { StoredReport } from './harness/report.ts';

const RESULTS = new URL('results/', import.meta.url);
const DOCUMENT = new URL('../docs/performance.md', import.meta.url);
const BEGIN = '<!-- results: written by `npm run bench -- results` -->';
const END = '<!-- end of results -->';

export async function updateResultsTable(): Promise<boolean> {
  const text = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const [shown, after] = rest?.split(END) ?? [];
  if (before === undefined || shown === undefined || after === undefined) {
    throw new Error('docs/performance.md has lost its marks');
  }
  const sections = sectionsIn(shown);
  for (const file of (await readdir(RESULTS)).filter((name) => name.endsWith('.json'))) {
    const report = JSON.parse(await readFile(new URL(file, RESULTS), 'utf8')) as StoredReport;
    sections.set(report.name, sectionOf(report));
  }
  const inOrder = [...sections].sort(([a], [b]) => a.localeCompare(b)).map(([, section]) => section);
  const filled = [before, BEGIN, '\n\n', inOrder.join('\n'), '\n', END, after].join('');
  const style = (await resolveConfig(DOCUMENT)) ?? {};
  await writeFile(DOCUMENT, await format(filled, { ...style, parser: 'markdown' }));
  return true;
}

const HEADING = /^### (\S+)$/m;

/** By the name of the benchmark. */
function sectionsIn(shown: string): Map<string, string> {
  const sections = shown.split(/^(?=### )/m).filter((section) => HEADING.test(section));
  return new Map(sections.map((section) => [HEADING.exec(section)?.[1] ?? '', section]));
}

function sectionOf({ name, at, node, processor, settings, lines }: StoredReport): string {
  const about = Object.entries(settings).map(([setting, value]) => `${setting} ${String(value)}`);
  const machine = `${processor.count} × ${processor.model}`;
  const rows = lines.map(({ what, value, goal, verdict }) => {
    const judged = goal === '' ? '' : `${goal.replace('>=', '≥').replace('<=', '≤')}: ${verdict}`;
    return `| ${what} | ${value} | ${judged} |`;
  });
  return [
    `### ${name}`,
    '',
    `${at.slice(0, 10)}, node ${node}, ${machine}; ${about.join(', ')}.`,
    '',
    '| what | median (minimum to maximum) | goal |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
