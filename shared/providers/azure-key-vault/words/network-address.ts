// What the address means from which a vault saw us come. Pure.
/**
 * Networks of which Azure takes no address into a vault's firewall, or which lead nowhere on the internet: private ones
 * (RFC 1918), those of carriers (RFC 6598), of the host and of the link, and the rest of what IANA keeps apart, but for the
 * ranges for documentation. https://learn.microsoft.com/azure/key-vault/general/network-security#key-vault-firewall-enabled-ipv4-addresses-and-ranges---static-ips
 */
const NOT_PUBLIC = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const;

/** The four numbers of an IPv4 address as one, or undefined if it is none. */
function numberOf(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + part, 0);
}

function isWithin(address: number, [network, bits]: readonly [string, number]): boolean {
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) === Math.floor((numberOf(network) ?? 0) / size);
}

/** An IPv4 address written as one of IPv6 is the IPv4 address: `::ffff:203.0.113.7`. */
export function plainAddress(address: string): string {
  const [, mapped] = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low]
    .map((part) => Number.parseInt(part, 16))
    .flatMap((part) => [part >> 8, part & 255])
    .join('.');
}

export const isAddress = (text: string): boolean =>
  numberOf(text) !== undefined || /^(?=.*:.*:)[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}$/i.test(text);

/** Whether a vault's firewall can name it: public, and of IPv4. */
export function isFirewallAddress(address: string): boolean {
  const number = numberOf(address);
  return number !== undefined && !NOT_PUBLIC.some((network) => isWithin(number, network));
}
