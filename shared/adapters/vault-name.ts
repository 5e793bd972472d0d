// A vault whose name has no address: is the name gone, or does our own network hide it? Asks DNS once more, for aliases.
import { promises as dns } from 'node:dns';
import type { NameFound } from '../domain/network-error.ts';
import { Deadline } from './deadline.ts';

const LIMIT_MS = 2_000;
const PRIVATE_ALIAS = /\.privatelink\.vaultcore\.[a-z.]+$/i;

/** Never throws: a resolver that does not answer says nothing. */
export async function findName(
  host: string,
  resolveAliases: (host: string) => Promise<readonly string[]> = (name) => dns.resolveCname(name),
): Promise<NameFound> {
  try {
    return await new Deadline(LIMIT_MS).race<NameFound>(
      async () => ((await resolveAliases(host)).some((alias) => PRIVATE_ALIAS.test(alias)) ? 'private' : 'unknown'),
      () => 'unknown',
    );
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTFOUND' ? 'gone' : 'unknown';
  }
}
