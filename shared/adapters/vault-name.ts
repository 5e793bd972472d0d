// A vault whose name has no address: is the name gone, or does our own network hide it? Asks DNS once more, for aliases.
import { promises as dns } from 'node:dns';
import type { NameFound } from '../domain/network-error.ts';
import { Deadline } from './deadline.ts';

const LIMIT_MS = 2_000;
/** Always there, in every cloud: a resolver that does not know it answers "no such name" to anything. */
const PUBLIC_NAME = 'login.microsoftonline.com';
const PRIVATE_ALIAS = /\.privatelink\.vaultcore\.[a-z.]+$/i;

export interface NameResolver {
  readonly aliasesOf: (host: string) => Promise<readonly string[]>;
  readonly addressOf: (host: string) => Promise<unknown>;
}

/** Never throws: a resolver that does not answer says nothing. */
export async function findName(
  host: string,
  resolver: NameResolver = { aliasesOf: (name) => dns.resolveCname(name), addressOf: (name) => dns.lookup(name) },
): Promise<NameFound> {
  const look = async (): Promise<NameFound> => {
    try {
      return (await resolver.aliasesOf(host)).some((alias) => PRIVATE_ALIAS.test(alias)) ? 'private' : 'unknown';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTFOUND') return 'unknown';
    }
    // No such name, says a resolver that is worth believing only if it knows names that there are.
    return resolver.addressOf(PUBLIC_NAME).then(
      () => 'gone',
      () => 'unknown',
    );
  };
  return new Deadline(LIMIT_MS).race<NameFound>(look, () => 'unknown');
}
