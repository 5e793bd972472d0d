// What `npm start` is asked for on the command line. Pure.
import { parseArgs } from 'node:util';

export interface StartOptions {
  /** Hosts side by side. */
  readonly hosts: number;
  /** Of the first host; 0 takes any that is free. */
  readonly port: number;
  /** What is already built there runs; left out, the app is built. */
  readonly bundle?: string;
  /** Where environment.json and the log are kept. */
  readonly directory: string;
}

const MAX_HOSTS = 8;
const MAX_PORT = 65_535;

export const USAGE = `npm start -- [options]

  --port N            port of the API, 1 to ${MAX_PORT}; any that is free unless told
  --hosts N           hosts side by side, 1 to ${MAX_HOSTS}; 1 unless told
  --directory FOLDER  where environment.json and host.log go; .local of this project unless told
  --bundle FOLDER     run what is already built there
  --help              this text
`;

/** `help` if that was asked for. Throws an Error whose message is for the person who typed. */
export function readStartOptions(
  args: readonly string[],
  defaults: { readonly directory: string },
): StartOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hosts: { type: 'string', default: '1' },
      port: { type: 'string', default: '0' },
      bundle: { type: 'string' },
      directory: { type: 'string', default: defaults.directory },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const hosts = numberIn(values.hosts, { min: 1, max: MAX_HOSTS });
  if (hosts === undefined) throw new Error(`--hosts takes a number from 1 to ${MAX_HOSTS}`);
  const port = numberIn(values.port, { min: 0, max: MAX_PORT });
  if (port === undefined) throw new Error(`--port takes a number from 1 to ${MAX_PORT}`);
  const { directory, bundle } = values;
  return { hosts, port, directory, ...(bundle === undefined ? {} : { bundle }) };
}

function numberIn(text: string, { min, max }: { readonly min: number; readonly max: number }): number | undefined {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  return value >= min && value <= max ? value : undefined;
}
