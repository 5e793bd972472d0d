// Counts what became of the mutants, and says it, in lines for a terminal and as a page: scores, and every mutant that no test noticed. Pure.

/** What is taken of a result of Stryker's. */
export interface Mutant {
  readonly fileName: string;
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string | undefined;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

/** A mutant that never ends counts as noticed. */
const NOTICED = ['Killed', 'Timeout'];
const UNNOTICED = ['Survived', 'NoCoverage'];

interface Score {
  readonly noticed: number;
  readonly valid: number;
}

function scoreOf(mutants: readonly Mutant[]): Score {
  const noticed = mutants.filter(({ status }) => NOTICED.includes(status)).length;
  return { noticed, valid: noticed + mutants.filter(({ status }) => UNNOTICED.includes(status)).length };
}

const share = ({ noticed, valid }: Score): number => noticed / valid;

const inWords = ({ noticed, valid }: Score): string =>
  valid === 0 ? 'no mutants' : `${((100 * noticed) / valid).toFixed(2)} % (${noticed} of ${valid})`;

const folderOf = ({ fileName }: Mutant): string => fileName.slice(0, fileName.lastIndexOf('/'));

const MOST_SHOWN = 120;

function describe({ fileName, location, mutatorName, replacement = '', status }: Mutant): string {
  const shown = replacement.replace(/\s+/g, ' ').slice(0, MOST_SHOWN);
  const where = `${fileName}:${location.start.line}:${location.start.column + 1}`;
  return `${where} ${mutatorName}: ${shown === '' ? '(nothing)' : shown}${status === 'NoCoverage' ? ' (no test comes by)' : ''}`;
}

/** The lines of the closing report. `fileName` of every mutant is relative to the root. */
export function report(mutants: readonly Mutant[]): string[] {
  const unnoticed = mutants.filter(({ status }) => UNNOTICED.includes(status));
  const folders = [...new Set(mutants.map(folderOf))].sort();
  const ofFolder = (folder: string): string =>
    `${folder}: ${inWords(scoreOf(mutants.filter((mutant) => folderOf(mutant) === folder)))}`;
  return [...unnoticed.map(describe), ...folders.map(ofFolder), `score: ${inWords(scoreOf(mutants))}`];
}

/** The page that is kept of a run, in Markdown: a table of the scores of files, the lowest first, and what survived in each. */
export function reportPage(mutants: readonly Mutant[], title: string): string {
  const files = [...Map.groupBy(mutants, ({ fileName }) => fileName)]
    .map(([fileName, ofFile]) => ({ fileName, ofFile, score: scoreOf(ofFile) }))
    .filter(({ score }) => score.valid > 0)
    .toSorted((a, b) => share(a.score) - share(b.score) || (a.fileName < b.fileName ? -1 : 1));
  const survivors = files.flatMap(({ fileName, ofFile }) => {
    const unnoticed = ofFile.filter(({ status }) => UNNOTICED.includes(status));
    return unnoticed.length === 0 ? [] : ['', `## ${fileName}`, '', ...unnoticed.map((one) => `    ${describe(one)}`)];
  });
  return [
    `# ${title}`,
    '',
    `All: ${inWords(scoreOf(mutants))}`,
    '',
    '| file | score |',
    '| --- | --- |',
    ...files.map(({ fileName, score }) => `| \`${fileName}\` | ${inWords(score)} |`),
    ...survivors,
    '',
  ].join('\n');
}
