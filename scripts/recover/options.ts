// What `npm run recover` is asked for on the command line. Pure.
import { parseArgs } from 'node:util';
import { RecoveryRefused } from './refused.ts';

export interface RecoverOptions {
  readonly exportFile: string;
  readonly keysFile: string;
  /** Exactly one of the two. */
  readonly privateKeyFile?: string;
  readonly passphraseFile?: string;
  /** stdout if absent. */
  readonly outFile?: string;
}

export const RECOVER_USAGE = `npm run recover -- --export FILE --keys FILE (--private-key FILE | --passphrase-file FILE) [--out FILE]

  --export FILE           the answer of POST .../export as it was saved, or the JWE in it alone
  --keys FILE             the wrapped data keys: pages of GET .../datakeys?wrapped=true, as one page, a JSON array of
                          pages, or a page or data key on each line
  --private-key FILE      PEM or JWK of the private key to whose public key was exported
  --passphrase-file FILE  the passphrase; a line break at its end does not count
  --out FILE              where the data keys go, readable by you alone; must not exist. Without it: stdout
  --help                  this text

Writes { "keyId", "key" } for each data key on a line of its own, the key in base64url. Needs no network and no Azure.
Exit status 0: every data key was opened. 1: not every one; what is missing is named. 2: nothing could be done.
`;

/** `help` if that was asked for. Throws RecoveryRefused. */
export function readRecoverOptions(args: readonly string[]): RecoverOptions | 'help' {
  const values = parsed(args);
  if (values.help) return 'help';
  const {
    export: exportFile,
    keys: keysFile,
    'private-key': privateKeyFile,
    'passphrase-file': passphraseFile,
  } = values;
  if (exportFile === undefined) return refuse('--export takes the file of the export');
  if (keysFile === undefined) return refuse('--keys takes the file of the wrapped data keys');
  if ((privateKeyFile === undefined) === (passphraseFile === undefined))
    return refuse('give either --private-key or --passphrase-file');
  return {
    exportFile,
    keysFile,
    ...(privateKeyFile === undefined ? {} : { privateKeyFile }),
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
    ...(values.out === undefined ? {} : { outFile: values.out }),
  };
}

const text = { type: 'string' } as const;
const OPTIONS = {
  export: text,
  keys: text,
  'private-key': text,
  'passphrase-file': text,
  out: text,
  help: { type: 'boolean', default: false },
} as const;

function parsed(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch {
    // What it says repeats what was typed, which may be a passphrase in the wrong place.
    return refuse('an option is not known or has no value');
  }
}

function refuse(message: string): never {
  throw new RecoveryRefused(`${message}\n\n${RECOVER_USAGE}`);
}
