// Which real host names and ports lead where in the embedded run, and the rule that finds one. Pure: opens nothing.

/** A real name (lower case; `*.` in front stands for one label) and what may be reached under it. */
export interface RedirectHost {
  readonly name: string;
  /** The real port (`443`, `5671`) and the loopback port that answers for it. */
  readonly ports: Readonly<Record<string, number>>;
  /** Asked as `GET {existsUrl}{host}` whether the name exists: `{ exists: boolean }`. Left out: it does. */
  readonly existsUrl?: string;
  /** The address that a look-up of the name answers, where it must be a public one. Connections go to loopback all the same. */
  readonly seenAs?: string;
}

/** Plain data, so that it can be given to another process. */
export interface RedirectTable {
  /** The certificate authority of this run, the only one trusted. */
  readonly caPem: string;
  readonly hosts: readonly RedirectHost[];
}

/** The name of the environment variable that holds a RedirectTable as JSON for `preload.ts`. */
export const REDIRECT_VARIABLE = 'KEYSWITCH_LOCAL_REDIRECT';

export function findRedirectHost(table: RedirectTable, host: string): RedirectHost | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  const parent = name.slice(name.indexOf('.') + 1);
  return table.hosts.find((entry) => entry.name === name || (name !== parent && entry.name === `*.${parent}`));
}

export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host)
  );
}
