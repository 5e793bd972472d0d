// The app's origin, as in links and as browsers name it. It comes from the settings, never from a request, whose Host header its sender
// chooses. Pure.

/** Only the machine itself reaches these, so only they may use plain http. */
const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost'];

/** The origin, without a trailing slash; undefined if the text is more than scheme, host and port. */
export function parsePublicUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url) return undefined;
  const isBare = url.href === `${url.origin}/`;
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname));
  return isBare && isSafe ? url.origin : undefined;
}
