// Where a page leads by itself: the header `Refresh: 0; url=…`, read as browsers read it. Pure.
import type { PageResponse } from './page.ts';

const AT_ONCE = /^\s*0+(?:\.\d*)?\s*(?:[;,\s]\s*(?:url\s*=\s*)?(?<target>.*))?$/is;
const QUOTED = /^(?<quote>["'])(?<inside>.*?)(?:\k<quote>.*)?$/s;

/**
 * Undefined if the page stays. One with a delay stays, so that it can be read; and only a page that is all well is gone on from:
 * a refusal must be seen.
 */
export function refreshTarget({ status, headers, url }: PageResponse): string | undefined {
  const found = AT_ONCE.exec(headers['refresh'] ?? '');
  if (status !== 200 || !found) return undefined;
  const text = found.groups?.['target'] ?? '';
  const target = URL.parse(QUOTED.exec(text)?.groups?.['inside'] ?? text.trim(), url);
  return target?.protocol === 'https:' || target?.protocol === 'http:' ? target.href : undefined;
}
