// A vault whose name has no address: is the name gone, or does our own network hide it? Asks DNS once more, for aliases.
import { promises as dns } from 'node:dns';
import type { NameFound } from '../no-answer.ts';
import { Deadline } from '../../../adapters/https/deadline.ts';

const LIMIT_MS = 2_000;
/** Always there, in every cloud: a resolver that does not know it answers "no such name" to anything. */
const PUBLIC_NAME = 'login.microsoftonline.com';
const PRIVATE_ALIAS = /\.privatelink\.vaultcore\.[a-z.]+$/i;
/** The primary server that every private DNS zone of Azure names in its SOA record, and no public zone. */
const PRIVATE_SERVER = 'azureprivatedns.net';

export interface NameResolver {
  readonly aliasesOf: (host: string) => Promise<readonly string[]>;
  readonly addressOf: (host: string) => Promise<unknown>;
  /** Of the zone's SOA record. */
  readonly primaryServerOf: (zone: string) => Promise<string>;
}

const OF_NODE: NameResolver = {
  aliasesOf: (name) => dns.resolveCname(name),
  addressOf: (name) => dns.lookup(name),
  primaryServerOf: async (zone) => (await dns.resolveSoa(zone)).nsname,
};

/** Never throws: a resolver that does not answer says nothing. */
export async function findName(host: string, resolver: NameResolver = OF_NODE): Promise<NameFound> {
  const look = async (): Promise<NameFound> => {
    try {
      return (await resolver.aliasesOf(host)).some((alias) => PRIVATE_ALIAS.test(alias)) ? 'private' : 'unknown';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOTFOUND') return 'unknown';
    }
    if (await isInPrivateZone(host, resolver)) return 'private';
    // No such name, says a resolver that is worth believing only if it knows names that there are.
    return resolver.addressOf(PUBLIC_NAME).then(
      () => 'gone',
      () => 'unknown',
    );
  };
  return new Deadline(LIMIT_MS).race<NameFound>(look, () => 'unknown');
}

/** A zone `vault.azure.net` of our own network, made for our own vault, hides the vaults of all others. */
async function isInPrivateZone(host: string, { primaryServerOf }: NameResolver): Promise<boolean> {
  try {
    const server = await primaryServerOf(host.slice(host.indexOf('.') + 1));
    return server.toLowerCase().replace(/\.$/, '') === PRIVATE_SERVER;
  } catch {
    return false;
  }
}
