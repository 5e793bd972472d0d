// What `npm start` is asked for on the command line. Pure.
import { readCommandLine, wholeNumber } from '../scripts/command-line.ts';

export interface StartOptions {
  /** Hosts side by side. */
  readonly hosts: number;
  /** Of the first host; 0 takes any that is free. */
  readonly port: number;
  /** What is already built there runs; left out, the app is built. */
  readonly bundle?: string;
  /** Where environment.json, the log and the state are kept. */
  readonly directory: string;
  /** Forget what earlier runs have stored. */
  readonly fresh: boolean;
}

export const START = 'npm start --';
const MAX_HOSTS = 8;
const MAX_PORT = 65_535;

export const USAGE = `${START} [options]

  --fresh             forget what earlier runs have stored in the folder, and begin anew
  --port N            port of the API, 1 to ${MAX_PORT}; any that is free unless told
  --hosts N           hosts side by side, 1 to ${MAX_HOSTS}; 1 unless told
  --directory FOLDER  where environment.json, host.log and state/ go; .local of this project unless told
  --bundle FOLDER     run what is already built there
  --help              this text
`;

/** `help` if that was asked for. Throws UsageError. */
export function readStartOptions(
  args: readonly string[],
  defaults: { readonly directory: string },
): StartOptions | 'help' {
  const line = readCommandLine(args, {
    options: {
      fresh: {},
      port: wholeNumber(0, MAX_PORT),
      hosts: wholeNumber(1, MAX_HOSTS),
      directory: { takes: 'a folder' },
      bundle: { takes: 'a folder that npm run build has made' },
    },
  });
  if (line === 'help') return 'help';
  const bundle = line.value('bundle');
  return {
    hosts: Number(line.value('hosts') ?? 1),
    port: Number(line.value('port') ?? 0),
    directory: line.value('directory') ?? defaults.directory,
    fresh: line.has('fresh'),
    ...(bundle === undefined ? {} : { bundle }),
  };
}
