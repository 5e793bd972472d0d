// Where callers and browsers find this app: its origin, as it is in links and as browsers name it. It comes from the settings and
// never from a request, whose Host header is whatever its sender likes. Pure.

/** Where nobody but the machine itself listens: only there is plain http taken. */
const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost'];

/** The origin, without a slash at its end; undefined if the text is anything else than scheme, host and port. */
export function parsePublicUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url) return undefined;
  const isBare = url.href === `${url.origin}/`;
  const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname));
  return isBare && isSafe ? url.origin : undefined;
}
