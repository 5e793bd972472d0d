// What a browser derives from addresses: origin, site, and the referrer that a policy lets through. Pure.
import { getPublicSuffix } from 'tough-cookie';
import { isLoopback } from '../redirect/redirect-table.ts';

export type Relation = 'none' | 'same-origin' | 'same-site' | 'cross-site';

/** How the target stands to the page that leads there; `none` for an address that a person typed. */
export function relationOf(initiator: string | undefined, target: string): Relation {
  if (initiator === undefined) return 'none';
  const [from, to] = [new URL(initiator), new URL(target)];
  if (from.origin === to.origin) return 'same-origin';
  return siteOf(from) === siteOf(to) ? 'same-site' : 'cross-site';
}

/** The worse of two: what once went by another site stays so. */
export function worse(one: Relation, other: Relation): Relation {
  const order: readonly Relation[] = ['none', 'same-origin', 'same-site', 'cross-site'];
  return order.indexOf(one) > order.indexOf(other) ? one : other;
}

/** Over TLS or on this machine: where Secure cookies and fetch metadata are allowed. */
export function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}

/** The Referer header, or undefined for none. */
export function referrerOf(initiator: string, target: string, policy: string): string | undefined {
  const [from, to] = [new URL(initiator), new URL(target)];
  const origin = `${from.origin}/`;
  const whole = `${from.origin}${from.pathname}${from.search}`;
  const same = from.origin === to.origin;
  const downgrade = isTrustworthy(from) && !isTrustworthy(to);
  switch (policy) {
    case 'no-referrer':
      return undefined;
    case 'unsafe-url':
      return whole;
    case 'origin':
      return origin;
    case 'same-origin':
      return same ? whole : undefined;
    case 'origin-when-cross-origin':
      return same ? whole : origin;
    case 'no-referrer-when-downgrade':
      return downgrade ? undefined : whole;
    case 'strict-origin':
      return downgrade ? undefined : origin;
    default:
      return same ? whole : downgrade ? undefined : origin;
  }
}

/** The Origin header of a POST: `null` where the policy keeps the referrer back. */
export function originHeader(initiator: string, target: string, policy: string): string {
  const { origin } = new URL(initiator);
  return referrerOf(initiator, target, policy) === undefined ? 'null' : origin;
}

function siteOf({ protocol, hostname }: URL): string {
  const domain = /^[\d.]+$|^\[/.test(hostname)
    ? hostname
    : (getPublicSuffix(hostname, { allowSpecialUseDomain: true, ignoreError: true }) ?? hostname);
  return `${protocol}//${domain}`;
}
