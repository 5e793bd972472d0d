// What the demo is asked for on the command line.
import { statSync } from 'node:fs';
import { readCommandLine, UsageError, wholeNumber } from '../../scripts/command-line.ts';

/** What the command line knows of a chapter. */
export interface ChapterFacts {
  /** As `--chapter` names it. */
  readonly name: string;
  /** In a line of the usage. */
  readonly about: string;
  /** Data keys unless told. */
  readonly keys: number;
  /** Whether it encrypts the files of a folder. */
  readonly readsFolder: boolean;
  /** What `--break` takes, and what is broken by it. */
  readonly breakable: Readonly<Record<string, string>>;
}

export interface DemoOptions {
  /** Data keys of the first company. */
  readonly keys: number;
  /** Whose files are encrypted. */
  readonly folder: string;
  /** A line for each part instead of all that happens in it. */
  readonly short: boolean;
  /** Leave everything running at the end. */
  readonly serve: boolean;
  /** Broken on purpose: the demo must notice and exit with 1. */
  readonly damage?: string;
}

const MIN_KEYS = 100;
const MAX_KEYS = 1_000_000;

export const DEMO = 'npm run demo --';

/** The first chapter is told unless another is named. */
export function usageOf(chapters: readonly ChapterFacts[]): string {
  const lines = (ofOne: (chapter: ChapterFacts) => readonly string[]): string =>
    chapters
      .flatMap(ofOne)
      .map((line) => `${' '.repeat(16)}${line}\n`)
      .join('');
  const keys = chapters.map(({ name, keys: count }) => `${count} in ${name}`).join(', ');
  return `${DEMO} [options]

  --chapter X   what is told; ${chapters[0]?.name ?? ''} unless named
${lines(({ name, about }) => [`${name}: ${about}`])}\
  --keys N      data keys of the company, ${MIN_KEYS} to ${MAX_KEYS};
                ${keys} unless told
  --dir FOLDER  whose files are encrypted; this project's unless told
  --short       a line for each part instead of all that happens in it
  --serve       leave everything running at the end, and say how to call it
  --break WHAT  break something on purpose: the demo notices and exits with 1
${lines(({ name, breakable }) => [`in ${name}:`, ...Object.entries(breakable).map(([what, means]) => `  ${what}: ${means}`)])}\
  --help        this text

Exit status 0: everything was as it should be. 1: something was not, and the
last lines say what.
`;
}

/** `help` if that was asked for. Throws UsageError. */
export function readOptions<C extends ChapterFacts>(
  args: readonly string[],
  { folder: usual, chapters }: { readonly folder: string; readonly chapters: readonly [C, ...C[]] },
): { readonly chapter: C; readonly options: DemoOptions } | 'help' {
  const names = chapters.map(({ name }) => name);
  const line = readCommandLine(args, {
    options: {
      chapter: { takes: `one of ${names.join(', ')}`, accepts: (name) => names.includes(name) },
      keys: wholeNumber(MIN_KEYS, MAX_KEYS),
      dir: { takes: 'a folder that is there' },
      short: {},
      serve: {},
      break: { takes: 'the name of what is broken' },
    },
  });
  if (line === 'help') return 'help';
  const chapter = chapters.find(({ name }) => name === line.value('chapter')) ?? chapters[0];
  const { name, readsFolder, keys } = chapter;
  if (line.has('dir') && !readsFolder) throw new UsageError(`--dir is for other chapters: ${name} encrypts no files`);
  const folder = line.value('dir') ?? usual;
  if (!isFolder(folder)) throw new UsageError(`--dir takes a folder that is there, and ${folder} is none`);
  const damage = line.value('break');
  const breakable = Object.keys(chapter.breakable);
  if (damage !== undefined && !breakable.includes(damage))
    throw new UsageError(`--break takes one of ${breakable.join(', ')} in the chapter ${name}`);
  const options = {
    keys: Number(line.value('keys') ?? keys),
    folder,
    short: line.has('short'),
    serve: line.has('serve'),
    ...(damage === undefined ? {} : { damage }),
  };
  return { chapter, options };
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
