// Where a webhook may lead, as far as its address alone can tell. Pure. What the name resolves to is checked before each connection
// (adapters/webhooks).
import type { Failure } from './failure.ts';
import { err, ok, type Result } from './result.ts';
import { webhookFailure } from './webhook-failures.ts';

const MAX_URL_CHARS = 2_000;
/** Two labels or more. The last begins with a letter: numbers are addresses (WHATWG URL, 4.5). */
const PUBLIC_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The parser has brought every notation of an IPv4 address into this form, and IPv6 into brackets. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[.*\])$/;
/** Names that resolvers of private networks answer (RFC 6761, 6762, 8375, ICANN SAC113). */
const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'private',
  'corp',
  'home',
  'lan',
  'arpa',
  'onion',
];

/** `allowedSuffixes`: the domains that the vendor allows; all if empty. */
export function parseWebhookUrl(text: string, allowedSuffixes: readonly string[] = []): Result<URL, Failure> {
  const invalid = (detail: string): Result<never, Failure> => err(webhookFailure('webhook-url-invalid', { detail }));
  if (text.length > MAX_URL_CHARS) return invalid(`it is longer than ${MAX_URL_CHARS} characters`);
  // The parser drops these; a reader of the stored text would see another address than the sender calls.
  if (/[\u0000-\u0020\u007f\\]/.test(text)) return invalid('it holds spaces, control characters or backslashes');
  const url = URL.parse(text);
  if (!url) return invalid('it is no address');
  if (url.protocol !== 'https:') return err(webhookFailure('webhook-not-https'));
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/*[^/?#]*@/i.test(text))
    return invalid('it holds a user name or password');
  if (url.hash !== '' || text.includes('#')) return invalid('it holds a fragment');
  if (url.port !== '') return err(webhookFailure('webhook-port-not-allowed'));
  const refused = whyNotPublic(url.hostname);
  if (refused !== undefined) return err(webhookFailure('webhook-host-not-public', { detail: refused }));
  return isBelow(url.hostname, allowedSuffixes) ? ok(url) : err(webhookFailure('webhook-host-not-allowed'));
}

function whyNotPublic(host: string): string | undefined {
  if (ADDRESS.test(host)) return 'it is an IP address';
  if (host.length > 253 || !PUBLIC_NAME.test(host)) return 'it is no domain name';
  return PRIVATE_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`))
    ? 'it is a name of private networks'
    : undefined;
}

const isBelow = (host: string, suffixes: readonly string[]): boolean =>
  suffixes.length === 0 || suffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
