// What the demo is asked for on the command line. Pure.
import { parseArgs } from 'node:util';

export const BREAKABLE = ['row', 'file', 'leak'] as const;
export type Breakable = (typeof BREAKABLE)[number];

export interface DemoOptions {
  /** Data keys of the first company. */
  readonly keys: number;
  /** Whose files are encrypted. */
  readonly folder: string;
  /** Leave everything running at the end. */
  readonly serve: boolean;
  /** Damaged on purpose: the demo must notice and exit with 1. */
  readonly damage?: Breakable;
}

const MIN_KEYS = 100;
const MAX_KEYS = 1_000_000;
const DEFAULT_KEYS = 10_000;

export const USAGE = `npm run demo -- [options]

  --keys N      data keys of the company that switches, ${MIN_KEYS} to ${MAX_KEYS}; ${DEFAULT_KEYS} unless told
  --dir FOLDER  whose files are encrypted; this project's unless told
  --serve       leave everything running at the end, and say how to call it
  --break WHAT  damage something on purpose, for the demo to notice and exit with 1:
                row (a stored data key), file (an encrypted copy), leak (a key written where none belongs)
  --help        this text

Exit status 0: everything was as it should be. 1: something was not, and the last lines say what.
`;

/** `help` if that was asked for. Throws an Error whose message is for the person who typed. */
export function readOptions(args: readonly string[], defaults: { readonly folder: string }): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: 'string', default: String(DEFAULT_KEYS) },
      dir: { type: 'string', default: defaults.folder },
      serve: { type: 'boolean', default: false },
      break: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const keys = /^[0-9]{1,7}$/.test(values.keys) ? Number(values.keys) : 0;
  if (keys < MIN_KEYS || keys > MAX_KEYS) throw new Error(`--keys takes a number from ${MIN_KEYS} to ${MAX_KEYS}`);
  const damage = BREAKABLE.find((one) => one === values.break);
  if (values.break !== undefined && !damage) throw new Error(`--break takes one of ${BREAKABLE.join(', ')}`);
  return { keys, folder: values.dir, serve: values.serve, ...(damage === undefined ? {} : { damage }) };
}
