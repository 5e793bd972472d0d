// What a browser says of itself in its headers: the sign-in cookie, and where a form was sent from. Pure. Strict: what is not
// exactly as we would have made it counts as not there.
import type { BrowserContext } from './page-answer.ts';

/** `__Host-`: only from this host, over https, for every path; a neighbour's host or page cannot set it. */
export const SIGN_IN_COOKIE = '__Host-keyswitch-sign-in';

/** What we put into it: base64url and separators, so that no layer between has anything to encode. */
const COOKIE_VALUE = /^[A-Za-z0-9_.~-]{1,1024}$/;

interface Headers {
  get(name: string): string | null;
}

/** `ownOrigin` is that of the settings: what the request says of its host proves nothing. */
export function readBrowser(
  { headers, url }: { readonly headers: Headers; readonly url: string },
  { ownOrigin }: { readonly ownOrigin: string },
): BrowserContext {
  const { search } = new URL(url);
  return { cookie: signInCookie(headers.get('cookie')), isCrossSite: isCrossSite(headers, ownOrigin), search };
}

export const isCookieValue = (value: string): boolean => COOKIE_VALUE.test(value);

/** Undefined if the browser sends it twice: an attacker has set one of them, and no standard says which comes first. */
function signInCookie(header: string | null): string | undefined {
  const ours = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${SIGN_IN_COOKIE}=`))
    .map((pair) => pair.slice(SIGN_IN_COOKIE.length + 1));
  const [value] = ours;
  return ours.length === 1 && value !== undefined && isCookieValue(value) ? value : undefined;
}

/** Browsers set both headers and let no page change them. A program that sends neither acts with its own cookies, not with a person's. */
function isCrossSite(headers: Headers, ownOrigin: string): boolean {
  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  return (site !== null && site !== 'same-origin') || (origin !== null && origin !== ownOrigin);
}
