// Entity tags on the wire. Pure. The store's are weak (`W/"datetime'…'"`), and weak ones never match in If-Match (RFC 9110,
// 13.1.1); so each is carried whole inside a strong, opaque one, and nothing has to be remembered.
import { err, ok, type Result } from '../../../shared/domain/result.ts';

const STRONG = /^"([A-Za-z0-9_-]{1,256})"$/;
/** What means something in an If-None-Match: tags, weak ones too. */
export const ETAG_LIST = /^(?:\*|(?:W\/)?"[!#-~]*"(?:, (?:W\/)?"[!#-~]*")*)$/;
/** What is taken of an If-Match. */
export const ETAG_CONDITION = /^(?:\*|"[A-Za-z0-9_-]{1,256}")$/;

export const publicEtag = (stored: string): string => `"${Buffer.from(stored, 'utf8').toString('base64url')}"`;

/** The store's ETag behind one of ours; `*` stays `*`. One tag only: a list of them would be a guess. */
export function storedEtag(header: string): Result<string, string> {
  if (header.trim() === '*') return ok('*');
  const inner = STRONG.exec(header.trim())?.[1];
  if (inner === undefined) return err('must be one entity tag as answered in ETag, or *');
  const stored = Buffer.from(inner, 'base64url').toString('utf8');
  // `"Kg"` decodes to `*`, which the store would take for "any version". No tag of ours does, so it is compared as it was sent, and equals none.
  return ok(stored === '*' ? header.trim() : stored);
}

/** True if an If-None-Match header, which may list tags, names `etag`. */
export function namesEtag(header: string, etag: string): boolean {
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}
