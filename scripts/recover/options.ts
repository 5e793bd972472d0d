// What `npm run recover` is asked for on the command line. Pure.
import { readCommandLine, UsageError } from '../command-line.ts';

export interface RecoverOptions {
  readonly exportFile: string;
  readonly keysFile: string;
  /** Exactly one of the two. */
  readonly privateKeyFile?: string;
  readonly passphraseFile?: string;
  /** stdout if absent. */
  readonly outFile?: string;
}

export const RECOVER = 'npm run recover --';
export const RECOVER_USAGE = `${RECOVER} --export FILE --keys FILE (--private-key FILE | --passphrase-file FILE) [--out FILE]

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

/** `help` if that was asked for. Throws UsageError. */
export function readRecoverOptions(args: readonly string[]): RecoverOptions | 'help' {
  const line = readCommandLine(args, {
    options: {
      export: { takes: 'the file of the export' },
      keys: { takes: 'the file of the wrapped data keys' },
      'private-key': { takes: 'the file of the private key' },
      'passphrase-file': { takes: 'the file of the passphrase' },
      out: { takes: 'the file to be written' },
    },
    isSecret: true,
  });
  if (line === 'help') return 'help';
  const exportFile = line.value('export');
  const keysFile = line.value('keys');
  const privateKeyFile = line.value('private-key');
  const passphraseFile = line.value('passphrase-file');
  const outFile = line.value('out');
  if (exportFile === undefined) throw new UsageError('name the file of the export by --export FILE');
  if (keysFile === undefined) throw new UsageError('name the file of the wrapped data keys by --keys FILE');
  if ((privateKeyFile === undefined) === (passphraseFile === undefined)) {
    throw new UsageError('give either --private-key FILE or --passphrase-file FILE');
  }
  return {
    exportFile,
    keysFile,
    ...(privateKeyFile === undefined ? {} : { privateKeyFile }),
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
    ...(outFile === undefined ? {} : { outFile }),
  };
}
