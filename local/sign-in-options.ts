// What `npm run sign-in` is asked for on the command line. Pure.
import { parseArgs } from 'node:util';

export interface SignInOptions {
  readonly link: string;
  /** A name of the people in environment.json. */
  readonly as: string;
  /** Say no where Microsoft or Google asks. */
  readonly decline: boolean;
  /** Where the running `npm start` keeps environment.json. */
  readonly directory: string;
}

export const SIGN_IN_USAGE = `npm run sign-in -- LINK --as PERSON [options]

  LINK                what the API answered as the link to open
  --as PERSON         who opens it: contoso-global-admin, contoso-user, ... (persons in environment.json)
  --decline           say no where Microsoft or Google asks
  --directory FOLDER  where the running npm start keeps environment.json; .local of this project unless told
  --help              this text

Exit status 0: the last page is a success. 1: it is not. 2: a page could not be opened.
`;

/** `help` if that was asked for. Throws an Error whose message is for the person who typed. */
export function readSignInOptions(
  args: readonly string[],
  defaults: { readonly directory: string },
): SignInOptions | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      as: { type: 'string' },
      decline: { type: 'boolean', default: false },
      directory: { type: 'string', default: defaults.directory },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [given, ...others] = positionals;
  if (given === undefined || others.length > 0) throw new Error('give one link');
  if (!/^https?:\/\//.test(given) || !URL.canParse(given)) throw new Error(`'${given}' is no link`);
  if (values.as === undefined) throw new Error('--as takes the name of a person');
  const { as, decline, directory } = values;
  const options: SignInOptions = { link: given, as, decline, directory };
  return options;
}
