// `npm run bench -- results`: puts what bench/results/ holds into docs/performance.md, between its two marks. Judges nothing.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import type { StoredReport } from './harness/report.ts';

const RESULTS = new URL('results/', import.meta.url);
const DOCUMENT = new URL('../docs/performance.md', import.meta.url);
const BEGIN = '<!-- results: written by `npm run bench -- results` -->';
const END = '<!-- end of results -->';

export async function updateResultsTable(): Promise<boolean> {
  const names = (await readdir(RESULTS)).filter((name) => name.endsWith('.json')).sort();
  const sections: string[] = [];
  for (const name of names) {
    sections.push(sectionOf(JSON.parse(await readFile(new URL(name, RESULTS), 'utf8')) as StoredReport));
  }
  const text = await readFile(DOCUMENT, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error('docs/performance.md has lost its marks');
  const filled = [before, BEGIN, '\n\n', sections.join('\n'), '\n', END, after].join('');
  const style = (await resolveConfig(DOCUMENT)) ?? {};
  await writeFile(DOCUMENT, await format(filled, { ...style, parser: 'markdown' }));
  return true;
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
