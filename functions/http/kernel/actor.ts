// The person behind a call, as the vendor's product names them in `Keyswitch-Actor`: recorded as asserted, and gives no right. Pure.
// Header values are bytes of which clients, proxies and hosts each think something else, so the name is percent-encoded UTF-8
// (RFC 3986) and nothing else is taken.
import { err, ok, type Result } from '../../../shared/domain/result.ts';
import { visibleTextFault } from '../../../shared/domain/visible-text.ts';

const MAX_ACTOR_CHARS = 256;
/** A character is at most four bytes, each of three characters. */
const MAX_ENCODED_CHARS = MAX_ACTOR_CHARS * 12;
/**
 * What `encodeURIComponent` and its like leave as it is. Without `+`, which means a space to some; without `,`, by which two headers
 * become one.
 */
const PLAIN = "[A-Za-z0-9._~!$&'()*;=:@/-]";
const PERCENT_ENCODED = new RegExp(`^(?:${PLAIN}|%[0-9A-Fa-f]{2})+$`);

const HEX = '[0-9A-Fa-f]';
const NEXT = `%[89AaBb]${HEX}`;
/** A character in UTF-8 (RFC 3629, 4) but the controls: one line for each number of bytes. */
const CHARACTER = [
  `${PLAIN}|%[2-6]${HEX}|%7[0-9A-Ea-e]`,
  `%[Cc]2%[AaBb]${HEX}|%[Cc][3-9A-Fa-f]${NEXT}|%[Dd]${HEX}${NEXT}`,
  `%[Ee]0%[AaBb]${HEX}${NEXT}|%[Ee][1-9A-Ca-cE-Fe-f]${NEXT}${NEXT}|%[Ee][Dd]%[89]${HEX}${NEXT}`,
  `%[Ff]0%[9AaBb]${HEX}${NEXT}${NEXT}|%[Ff][1-3]${NEXT}${NEXT}${NEXT}|%[Ff]4%8${HEX}${NEXT}${NEXT}`,
].join('|');

/** As callers are told: any text that is short enough is taken, unless it holds characters that cannot be seen. */
export const ENCODED_ACTOR = new RegExp(`^(?:${CHARACTER}){1,${MAX_ACTOR_CHARS}}$`);

/** The name, or what is wrong with it in words that follow the header's. */
export function actorOf(header: string): Result<string, string> {
  if (header === '' || header.length > MAX_ENCODED_CHARS) return err(LENGTH);
  if (!PERCENT_ENCODED.test(header))
    return err('must be one header, percent-encoded UTF-8: a space is %20, a comma %2C, a plus %2B');
  const name = decoded(header);
  if (name === undefined) return err('must be percent-encoded UTF-8, and is not UTF-8');
  if (Array.from(name).length > MAX_ACTOR_CHARS) return err(LENGTH);
  const fault = visibleTextFault(name);
  return fault === undefined ? ok(name) : err(fault);
}

const LENGTH = `must be 1 to ${MAX_ACTOR_CHARS} characters`;

function decoded(header: string): string | undefined {
  try {
    return decodeURIComponent(header);
  } catch {
    return undefined;
  }
}
