// What the demo is asked for on the command line.
import { statSync } from 'node:fs';
import { readCommandLine, UsageError, wholeNumber } from '../../scripts/command-line.ts';

export const BREAKABLE = ['row', 'file', 'leak'] as const;
export type Breakable = (typeof BREAKABLE)[number];

export interface DemoOptions {
  /** Data keys of the first company. */
  readonly keys: number;
  /** Whose files are encrypted. */
  readonly folder: string;
  /** A line for each part instead of all that happens in it. */
  readonly short: boolean;
  /** Leave everything running at the end. */
  readonly serve: boolean;
  /** Damaged on purpose: the demo must notice and exit with 1. */
  readonly damage?: Breakable;
}

const MIN_KEYS = 100;
const MAX_KEYS = 1_000_000;
const DEFAULT_KEYS = 10_000;

export const DEMO = 'npm run demo --';
export const USAGE = `${DEMO} [options]

  --keys N      data keys of the company that switches, ${MIN_KEYS} to ${MAX_KEYS}; ${DEFAULT_KEYS} unless told
  --dir FOLDER  whose files are encrypted; this project's unless told
  --short       a line for each part instead of all that happens in it
  --serve       leave everything running at the end, and say how to call it
  --break WHAT  damage something on purpose, for the demo to notice and exit with 1:
                row (a stored data key), file (an encrypted copy), leak (a key written where none belongs)
  --help        this text

Exit status 0: everything was as it should be. 1: something was not, and the last lines say what.
`;

/** `help` if that was asked for. Throws UsageError. */
export function readOptions(args: readonly string[], defaults: { readonly folder: string }): DemoOptions | 'help' {
  const line = readCommandLine(args, {
    options: {
      keys: wholeNumber(MIN_KEYS, MAX_KEYS),
      dir: { takes: 'a folder that is there' },
      short: {},
      serve: {},
      break: { takes: `one of ${BREAKABLE.join(', ')}`, accepts: (what) => BREAKABLE.some((one) => one === what) },
    },
  });
  if (line === 'help') return 'help';
  const folder = line.value('dir') ?? defaults.folder;
  if (!isFolder(folder)) throw new UsageError(`--dir takes a folder that is there, and ${folder} is none`);
  const damage = BREAKABLE.find((one) => one === line.value('break'));
  return {
    keys: Number(line.value('keys') ?? DEFAULT_KEYS),
    folder,
    short: line.has('short'),
    serve: line.has('serve'),
    ...(damage === undefined ? {} : { damage }),
  };
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
