// What `npm run sign-in` is asked for on the command line. Pure.
import { readCommandLine, UsageError } from '../scripts/command-line.ts';

export interface SignInOptions {
  readonly link: string;
  /** A name of the people in environment.json. */
  readonly as: string;
  /** Say no where Microsoft or Google asks. */
  readonly decline: boolean;
  /** Where the running `npm start` keeps environment.json. */
  readonly directory: string;
}

export const SIGN_IN = 'npm run sign-in --';
export const SIGN_IN_USAGE = `${SIGN_IN} LINK --as PERSON [options]

  LINK                what the API answered as the link to open
  --as PERSON         who opens it: contoso-global-admin, contoso-user, ... (persons in environment.json)
  --decline           say no where Microsoft or Google asks
  --directory FOLDER  where the running npm start keeps environment.json; .local of this project unless told
  --help              this text

Exit status 0: the last page is a success. 1: it is not. 2: a page could not be opened.
`;

/** `help` if that was asked for. Throws UsageError. */
export function readSignInOptions(
  args: readonly string[],
  defaults: { readonly directory: string },
): SignInOptions | 'help' {
  const line = readCommandLine(args, {
    options: {
      as: { takes: 'the name of a person: one of persons in environment.json' },
      decline: {},
      directory: { takes: 'the folder of a running npm start' },
    },
    words: { takes: 'one link', min: 1, max: 1 },
  });
  if (line === 'help') return 'help';
  const [given = ''] = line.words;
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) throw new UsageError(`'${given}' is no link`);
  const as = line.value('as');
  if (as === undefined) throw new UsageError('say who opens the link by --as PERSON');
  const directory = line.value('directory') ?? defaults.directory;
  const options: SignInOptions = { link: given, as, decline: line.has('decline'), directory };
  return options;
}
